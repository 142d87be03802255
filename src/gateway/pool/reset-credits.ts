/** The banked resets of one account: what the upstream lists, and spending one of them. */

import type { Account } from "#core/account.ts"
import { GatewayError } from "#core/errors.ts"
import type { Redemption, ResetCredit } from "#core/upstream.ts"
import { readRedemption, readResetCredits } from "#providers/reset-credits.ts"

import { type AskParts, askUpstream } from "./ask-upstream.ts"

/** What asking needs. */
export type ResetCreditParts = AskParts & { readonly usageUrl: string }

/** Lists them. Rejects with `invalid-request` for an account that cannot have any, or with what {@link askUpstream} rejects with. */
export async function listResetCredits(account: Account, parts: ResetCreditParts): Promise<readonly ResetCredit[]> {
  const { usageUrl } = parts
  const answer = await askUpstream(account, (asked, target) => asked.resetCreditsRequest(target, usageUrl), parts)
  if (answer === undefined) throw hasNone()
  return readResetCredits(answer.json)
}

/**
 * Spends the credit. A lost answer is asked for once more under the same id, which spends nothing twice. Rejects as
 * {@link listResetCredits} does, and with `upstream-protocol` for an answer that does not say what was done.
 */
export async function redeemResetCredit(
  account: Account,
  creditId: string,
  parts: ResetCreditParts,
): Promise<Redemption> {
  const order = { requestId: requestIdOf(account, creditId), creditId }
  const redeem = () =>
    askUpstream(account, (asked, target) => asked.redeemRequest(target, order, parts.usageUrl), parts)
  const answer = await redeem().catch(cause => {
    if (!isLost(cause)) throw cause
    return redeem()
  })
  if (answer === undefined) throw hasNone()
  const redemption = readRedemption(answer.json)
  if (redemption !== undefined) return redemption
  throw new GatewayError("upstream-protocol", "The upstream did not say whether the reset was made.", {
    hint: "Look at the account's quota and at its reset credits; the same order again spends nothing twice.",
  })
}

/** Whether the order arrived is not known. */
function isLost(cause: unknown): boolean {
  return cause instanceof GatewayError && ["upstream-unavailable", "upstream-protocol", "timeout"].includes(cause.kind)
}

/** One id a credit, for ever: whoever orders again, after a restart as well, orders the same redemption. */
function requestIdOf({ id }: Account, creditId: string): string {
  const hex = new Bun.CryptoHasher("sha256").update(`sluice reset credit ${id} ${creditId}`).digest("hex")
  // The version and variant digits of a name-based UUID (RFC 9562).
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `a${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    "-",
  )
}

function hasNone(): GatewayError {
  return new GatewayError("invalid-request", "This account has no reset credits: only ChatGPT accounts do.", {
    code: "no_reset_credits",
  })
}
