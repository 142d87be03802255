/** A refused sign-in as the failure that operators get to see. */

import type { SignInRefusal } from "#accounts/sign-in/refusal.ts"
import { GatewayError } from "#core/errors.ts"

/** Refusals that say nothing about this sign-in: nobody was reached who could have decided. */
function isElsewhere(code: string): boolean {
  return code === "not_reached" || code === "challenge" || code.startsWith("status_")
}

/** Returns `upstream-unavailable` when the service could not be asked, else `invalid-request`; with code and hint. */
export function refusalError({ code, message, hint }: SignInRefusal): GatewayError {
  return new GatewayError(isElsewhere(code) ? "upstream-unavailable" : "invalid-request", message, { code, hint })
}
