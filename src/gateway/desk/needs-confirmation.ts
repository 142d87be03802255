/** Orders that lose something have to be given twice. */

import { GatewayError } from "#core/errors.ts"

/** The refusal of an order that would lose something without being told so twice. */
export function needsConfirmation(what: string): GatewayError {
  return new GatewayError("invalid-request", `${what} cannot be undone and was not confirmed.`, {
    code: "confirmation_required",
    hint: "Send it again with `confirm` set to true.",
  })
}
