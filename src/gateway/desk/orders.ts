/** What operators order for single accounts: names and notes, pause and enable, recycle bin, refresh, test. */

import type { AccountPool } from "#accounts/account-pool.ts"
import type { Removal } from "#accounts/sources/joined-sources.ts"
import type { Account } from "#core/account.ts"
import type { Clock } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"
import { mapLimited } from "#gateway/pool/map-limited.ts"
import type { OnProgress, RefreshReport } from "#gateway/pool/operators.ts"
import type { QuotaReport } from "#gateway/pool/quota-check.ts"
import type { Scheduler } from "#scheduler/scheduler.ts"

import { findTargets, type Targets } from "./targets.ts"

/** A change of what operators set; `null` takes it back. */
export type AccountChange = {
  readonly label?: string | null | undefined
  readonly note?: string | null | undefined
  readonly tags?: readonly string[] | null | undefined
  readonly enabled?: boolean | undefined
}

/** One account's connection as a test found it; quota is what the upstream answered. */
export type TestReport = QuotaReport & { readonly latency_ms: number }

/**
 * A long order for accounts. It tells each step. Once the signal aborts, what has begun is finished, nothing else begins,
 * and it rejects with the signal's reason.
 */
export type LongOrder<Report> = (
  targets: Targets,
  onProgress: OnProgress,
  signal?: AbortSignal,
) => Promise<readonly Report[]>

/** The orders. Each throws or rejects with `not-found` or `invalid-request` for accounts that cannot be told. */
export type Orders = {
  /** Returns the accounts as they are now. Enabling also takes back what refusals have shown, so that it is tried again. */
  readonly change: (targets: Targets, change: AccountChange) => readonly Account[]
  /** Into the recycle bin: nothing is deleted, nothing is served. */
  readonly archive: (targets: Targets) => readonly Account[]
  readonly restore: (targets: Targets) => readonly Account[]
  /** Deletes for good, files included. */
  readonly remove: (targets: Targets) => Promise<readonly Removal[]>
  /** Takes blocks back and lets the account be tried at once. */
  readonly reset: (targets: Targets) => readonly Account[]
  readonly refresh: LongOrder<RefreshReport>
  /** Asks the upstream for the account's quota, which costs none of it. */
  readonly test: LongOrder<TestReport>
}

/** What the orders are carried out with. */
export type OrdersParts = {
  readonly accounts: () => AccountPool
  readonly scheduler: Scheduler
  readonly clock: Clock
  readonly refresh: (account: Account) => Promise<RefreshReport>
  readonly checkQuota: (account: Account) => Promise<QuotaReport>
  /** Accounts asked at a time. */
  readonly concurrency: () => number
}

function settingsOf(change: AccountChange) {
  const { label, note, tags, enabled } = change
  return {
    ...(label !== undefined && { label }),
    ...(note !== undefined && { note }),
    ...(tags !== undefined && { tags }),
    ...(enabled !== undefined && { paused: !enabled }),
  }
}

/** Makes the orders. */
export function makeOrders(parts: OrdersParts): Orders {
  const { scheduler, clock } = parts
  const find = (targets: Targets): readonly Account[] => findTargets(targets, parts.accounts())

  function again(found: readonly Account[]): readonly Account[] {
    return findTargets(
      found.map(account => account.id),
      parts.accounts(),
    )
  }

  function set(targets: Targets, change: Parameters<AccountPool["changeSettings"]>[1]): readonly Account[] {
    const found = find(targets)
    parts.accounts().changeSettings(
      found.map(account => account.id),
      change,
    )
    return again(found)
  }

  function startAnew(found: readonly Account[]): void {
    for (const { id, disabled } of found) {
      scheduler.clearBlocks(id)
      const lifecycle = scheduler.lifecycleOf(id)
      if (!disabled && lifecycle !== undefined) scheduler.setLifecycle(id, "enabled")
    }
  }

  async function forEach<Report extends object>(
    ask: (account: Account) => Promise<Report>,
    ...[targets, onProgress, signal]: Parameters<LongOrder<Report>>
  ): Promise<readonly Report[]> {
    const chosen = find(targets)
    // Somebody who names a paused account means it; "all" means those that serve.
    const found = targets === "all" ? chosen.filter(account => !account.disabled) : chosen
    const archived = new Set(parts.accounts().archived())
    const [inBin] = found.filter(account => archived.has(account))
    if (inBin !== undefined) {
      throw new GatewayError("invalid-request", `${inBin.id} is in the recycle bin.`, { hint: "Restore it first." })
    }
    let done = 0
    return mapLimited(found, parts.concurrency(), async account => {
      signal?.throwIfAborted()
      const report = await ask(account)
      done += 1
      onProgress({ done, total: found.length, ...report })
      return report
    })
  }

  return {
    change: (targets, change) => {
      const found = set(targets, settingsOf(change))
      if (change.enabled === true) startAnew(found)
      return found
    },
    archive: targets => set(targets, { archivedAtMs: clock() }),
    restore: targets => set(targets, { archivedAtMs: null }),
    remove: targets => parts.accounts().remove(find(targets).map(account => account.id)),
    reset: targets => {
      const found = find(targets)
      startAnew(found)
      return found
    },
    refresh: (...order) => forEach(parts.refresh, ...order),
    test: (...order) =>
      forEach(
        async account => {
          const startedAtMs = clock()
          const report = await parts.checkQuota(account)
          return { ...report, latency_ms: clock() - startedAtMs }
        },
        ...order,
      ),
  }
}
