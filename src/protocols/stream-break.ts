/** An answer whose upstream closed before it had ended. */

import { GatewayError } from "#core/errors.ts"

/**
 * How it is told. opencode asks again when it reads `connection lost`; without these words it would depend on whether it hears
 * of this or of the reset behind it first.
 */
export const BREAK = {
  code: "upstream_stream_break",
  message: "Upstream connection lost before the answer was complete.",
} as const

/** The error of an answer that was collected. */
export function streamBreak(): GatewayError {
  return new GatewayError("upstream-protocol", BREAK.message, { code: BREAK.code })
}
