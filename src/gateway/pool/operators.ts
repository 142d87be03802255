/** What operators can have done with all accounts at once, step by step. */

import type { Account } from "#core/account.ts"

import { mapLimited } from "./map-limited.ts"
import type { QuotaReport } from "./quota-check.ts"

/** One account's part of `POST /refresh`. */
export type RefreshReport = {
  readonly account: string
  /** Masked. */
  readonly label: string
  readonly status: "refreshed" | "current" | "failed" | "not-refreshable"
  readonly error?: string
}

/** Told about each step of a long operation. */
export type OnProgress = (step: unknown) => void

/** The operations. */
export type Operators = {
  readonly refreshAll: (onProgress: OnProgress) => Promise<{ readonly accounts: readonly RefreshReport[] }>
  readonly checkQuota: (onProgress: OnProgress) => Promise<{ readonly accounts: readonly QuotaReport[] }>
}

/** What the operations are made of; `concurrency` is the number of accounts asked at a time. */
export type OperatorsParts = {
  readonly accounts: () => readonly Account[]
  readonly refresh: (account: Account) => Promise<RefreshReport>
  readonly checkQuota: (account: Account) => Promise<QuotaReport>
  readonly concurrency: () => number
}

/** Makes the operations. Disabled accounts are left alone. */
export function makeOperators(parts: OperatorsParts): Operators {
  async function forEachAccount<Report>(ask: (account: Account) => Promise<Report>, onProgress: OnProgress) {
    const enabled = parts.accounts().filter(account => !account.disabled)
    let done = 0
    const accounts = await mapLimited(enabled, parts.concurrency(), async account => {
      const report = await ask(account)
      done += 1
      onProgress({ done, total: enabled.length, ...report })
      return report
    })
    return { accounts }
  }
  return {
    refreshAll: onProgress => forEachAccount(parts.refresh, onProgress),
    checkQuota: onProgress => forEachAccount(parts.checkQuota, onProgress),
  }
}
