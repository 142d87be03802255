/** What a dialect has and nobody here serves. */

import { GatewayError } from "#core/errors.ts"

/** Code of such errors; dialects answer them with 501. */
export const UNIMPLEMENTED_CODE = "unimplemented"

/** Returns the error. */
export function unimplemented(message: string): GatewayError {
  return new GatewayError("not-found", message, { code: UNIMPLEMENTED_CODE })
}
