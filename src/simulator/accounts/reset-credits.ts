/** Banked resets of each account: granted, listed, and spent once each, whatever is asked how often. */

import type { Clock } from "#core/clock.ts"
import type { JsonObject } from "#core/json.ts"
import type { Ids } from "#simulator/ids.ts"

/** One credit; times in seconds since the epoch. */
export type ResetCredit = {
  readonly id: string
  readonly grantedAtSec: number
  readonly expiresAtSec: number
  readonly redeemedAtSec?: number
}

/** What a redemption is asked for with. */
export type Redemption = { readonly requestId: string; readonly creditId: string | undefined }

/** What the backend answers to it. */
export type RedemptionResult = {
  readonly code: "reset" | "nothing_to_reset" | "no_credit" | "already_redeemed"
  readonly windowsReset: number
}

/** The bank. Accounts are known by name. */
export type ResetCredits = {
  readonly grant: (name: string, count: number) => readonly ResetCredit[]
  readonly list: (name: string) => readonly ResetCredit[]
  readonly available: (name: string) => number
  /** `reset` empties the account's windows and says how many had been used. */
  readonly redeem: (name: string, redemption: Redemption, reset: () => number) => RedemptionResult
}

const LIFETIME_SEC = 30 * 86_400

/** Makes an empty bank. */
export function makeResetCredits(parts: { readonly clock: Clock; readonly ids: Ids }): ResetCredits {
  const credits = new Map<string, readonly ResetCredit[]>()
  /** Which requests have spent something: asked again, they spend nothing. */
  const spentBy = new Set<string>()
  const nowSec = () => Math.floor(parts.clock() / 1000)
  const list = (name: string) => credits.get(name) ?? []
  const isOpen = (credit: ResetCredit) => credit.redeemedAtSec === undefined && credit.expiresAtSec > nowSec()
  const open = (name: string) => list(name).filter(isOpen)

  return {
    list,
    available: name => open(name).length,
    grant: (name, count) => {
      const added = Array.from({ length: count }, () => ({
        id: `RateLimitResetCredit_${parts.ids.hex(24)}`,
        grantedAtSec: nowSec(),
        expiresAtSec: nowSec() + LIFETIME_SEC,
      }))
      credits.set(name, [...list(name), ...added])
      return list(name)
    },
    redeem: (name, { requestId, creditId }, reset) => {
      const request = `${name} ${requestId}`
      if (spentBy.has(request)) return { code: "already_redeemed", windowsReset: 0 }
      const named = creditId === undefined ? open(name)[0] : list(name).find(({ id }) => id === creditId)
      if (named?.redeemedAtSec !== undefined) return { code: "already_redeemed", windowsReset: 0 }
      if (named === undefined || !isOpen(named)) return { code: "no_credit", windowsReset: 0 }
      const windowsReset = reset()
      if (windowsReset === 0) return { code: "nothing_to_reset", windowsReset }
      spentBy.add(request)
      credits.set(
        name,
        list(name).map(credit => (credit === named ? { ...credit, redeemedAtSec: nowSec() } : credit)),
      )
      return { code: "reset", windowsReset }
    },
  }
}

/** Writes the list as the endpoint answers it. */
export function resetCreditsBody(credits: readonly ResetCredit[], nowSec: number): JsonObject {
  const written = credits.map(credit => writeCredit(credit, nowSec))
  return { credits: written, available_count: written.filter(({ status }) => status === "available").length }
}

function writeCredit({ id, grantedAtSec, expiresAtSec, redeemedAtSec }: ResetCredit, nowSec: number) {
  const isOver = expiresAtSec <= nowSec
  const at = redeemedAtSec === undefined ? null : timeText(redeemedAtSec)
  return {
    id,
    reset_type: "codex_rate_limits",
    status: at === null ? (isOver ? "expired" : "available") : "redeemed",
    granted_at: timeText(grantedAtSec),
    expires_at: timeText(expiresAtSec),
    redeem_started_at: at,
    redeemed_at: at,
    title: "Full reset",
    description: "Resets the usage limits of Codex once.",
  }
}

function timeText(atSec: number): string {
  return new Date(atSec * 1000).toISOString()
}
