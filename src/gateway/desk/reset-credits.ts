/** Reset credits at the operators' desk: shown, and spent one at a time, however many ask. */

import type { AccountPool } from "#accounts/account-pool.ts"
import { type Account, maskLabel } from "#core/account.ts"
import { GatewayError } from "#core/errors.ts"
import type { AccountId } from "#core/ids.ts"
import type { Redemption, ResetCredit } from "#core/upstream.ts"
import type { Pool } from "#gateway/pool/pool.ts"
import type { QuotaReport } from "#gateway/pool/quota-check.ts"

import { findTargets } from "./targets.ts"

/** A credit as operators see it; times are the upstream's own text. */
export type ResetCreditReport = {
  readonly id: string
  readonly type: string | null
  readonly status: string
  readonly granted_at: string | null
  readonly expires_at: string | null
  readonly title: string | null
  readonly description: string | null
}

/** All of an account. */
export type ResetCreditList = {
  readonly account: string
  /** Masked. */
  readonly label: string
  readonly available_count: number
  readonly credits: readonly ResetCreditReport[]
}

/** What came of an order to spend one. */
export type RedemptionReport = {
  readonly account: string
  /** Masked. */
  readonly label: string
  readonly outcome: Redemption["code"]
  readonly credit_id: string
  readonly windows_reset: number
  /** This order has spent nothing itself: it got the answer of another one. */
  readonly repeated: boolean
}

/** An order. Without `creditId` the credit is taken that ends first. */
export type RedeemWish = {
  readonly creditId?: string | undefined
  /** The same key for the same account again gets the same answer. */
  readonly idempotencyKey?: string | undefined
  /** Spends one although no window is used up. */
  readonly evenIfOpen?: boolean | undefined
}

/** The orders. Both reject with `not-found` for an account that does not exist, and with what the upstream refuses. */
export type ResetCreditDesk = {
  readonly list: (target: string) => Promise<ResetCreditList>
  /** Rejects with `invalid-request` when nothing is used up, or there is no such credit; nothing was spent then. */
  readonly redeem: (target: string, wish: RedeemWish) => Promise<RedemptionReport>
}

/** What the orders are carried out with. */
export type ResetCreditDeskParts = {
  readonly accounts: () => AccountPool
  readonly pool: Pick<Pool, "quotaOf">
  readonly checkQuota: (account: Account) => Promise<QuotaReport>
  readonly listResetCredits: (account: Account) => Promise<readonly ResetCredit[]>
  readonly redeemResetCredit: (account: Account, creditId: string) => Promise<Redemption>
}

/** Keys that are remembered; an operator spends a handful a day. */
const MAX_KEYS = 1000

/** Makes this part of the desk. */
export function makeResetCreditDesk(parts: ResetCreditDeskParts): ResetCreditDesk {
  const running = new Map<AccountId, Promise<RedemptionReport>>()
  const answered = new Map<string, RedemptionReport>()

  const find = (target: string): Account => {
    const [account] = findTargets([target], parts.accounts())
    // It throws for a name that fits none.
    if (account === undefined) throw new GatewayError("internal", "The account was lost between two looks.")
    return account
  }

  function remember(key: string, report: RedemptionReport): void {
    answered.set(key, report)
    const [oldest] = answered.keys()
    if (answered.size > MAX_KEYS && oldest !== undefined) answered.delete(oldest)
  }

  /** Orders for one account never run side by side: two pages that are open spend one credit. */
  function runOnce(account: Account, wish: RedeemWish): Promise<RedemptionReport> {
    const first = running.get(account.id)
    if (first !== undefined) return first.then(report => ({ ...report, repeated: true }))
    const work = redeem(account, wish, parts).finally(() => running.delete(account.id))
    running.set(account.id, work)
    return work
  }

  return {
    list: async target => {
      const account = find(target)
      const credits = await parts.listResetCredits(account)
      return {
        account: account.id,
        label: maskLabel(account.label),
        available_count: credits.filter(isAvailable).length,
        credits: credits.map(reportOf),
      }
    },
    redeem: async (target, wish) => {
      const account = find(target)
      const key = wish.idempotencyKey === undefined ? undefined : `${account.id} ${wish.idempotencyKey}`
      const known = key === undefined ? undefined : answered.get(key)
      if (known !== undefined) return { ...known, repeated: true }
      const report = await runOnce(account, wish)
      if (key !== undefined) remember(key, report)
      return report
    },
  }
}

/** Looks, spends, looks again: what the second look says lifts the account's block. */
async function redeem(account: Account, wish: RedeemWish, parts: ResetCreditDeskParts): Promise<RedemptionReport> {
  await look(account, parts)
  if (wish.evenIfOpen !== true && !isSpent(account, parts)) throw notSpent()
  const credit = choose(await parts.listResetCredits(account), wish.creditId)
  const { code, windowsReset } = await parts.redeemResetCredit(account, credit.id)
  await parts.checkQuota(account)
  return {
    account: account.id,
    label: maskLabel(account.label),
    outcome: code,
    credit_id: credit.id,
    windows_reset: windowsReset,
    repeated: false,
  }
}

/** Without knowing how much is used, a credit may be thrown away. */
async function look(account: Account, parts: ResetCreditDeskParts): Promise<void> {
  const { status, error } = await parts.checkQuota(account)
  if (status !== "failed") return
  throw new GatewayError("upstream-unavailable", `The account's quota cannot be seen: ${error ?? "no answer"}`, {
    code: "quota_unknown",
    hint: "Nothing was spent. Try again later.",
  })
}

function isSpent({ id }: Account, { pool }: ResetCreditDeskParts): boolean {
  const quota = pool.quotaOf(id)
  return quota !== undefined && (quota.limitReached || quota.windows.some(window => window.usedPercent >= 100))
}

function isAvailable({ status }: ResetCredit): boolean {
  return status === "available"
}

function choose(credits: readonly ResetCredit[], wanted: string | undefined): ResetCredit {
  const found = wanted === undefined ? credits.filter(isAvailable) : credits.filter(({ id }) => id === wanted)
  const [first] = found.toSorted((one, other) => endOf(one) - endOf(other))
  if (first !== undefined) return first
  const message =
    wanted === undefined ? "The account has no reset credit left." : "The account has no such reset credit."
  throw new GatewayError("invalid-request", message, { code: "no_reset_credit", hint: "Nothing was spent." })
}

/** One without a stated end lasts longest. */
function endOf({ expiresAt }: ResetCredit): number {
  const endMs = Date.parse(expiresAt ?? "")
  return Number.isNaN(endMs) ? Number.MAX_SAFE_INTEGER : endMs
}

function notSpent(): GatewayError {
  return new GatewayError(
    "invalid-request",
    "No window of this account is used up: a reset now would waste the credit.",
    {
      code: "quota_not_spent",
      hint: "Nothing was spent. `even_if_open` (`--even-if-open`) spends it all the same.",
    },
  )
}

function reportOf(credit: ResetCredit): ResetCreditReport {
  const { id, status, type = null, grantedAt = null, expiresAt = null, title = null, description = null } = credit
  return { id, type, status, granted_at: grantedAt, expires_at: expiresAt, title, description }
}
