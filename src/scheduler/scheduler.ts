/** Who serves the next request: the scheduler's one door. Synchronous inside one thread, so the event loop is its lock. */

import type { Clock, Timers } from "#core/clock.ts"
import type { AccountId } from "#core/ids.ts"
import type { QuotaSnapshot } from "#core/upstream.ts"

import { readBlockRows, writeBlockRows } from "./blocks/block-rows.ts"
import { type Judge, makeJudge } from "./judge.ts"
import { type Dispatcher, makeDispatcher } from "./line/dispatcher.ts"
import type { Member } from "./members/member.ts"
import { makePolicyFollower, type PolicyChange } from "./members/policy.ts"
import { makePool, type Pool } from "./pool.ts"
import { makeTimerHeap } from "./timers/timer-heap.ts"
import type {
  AccountFacts,
  AccountView,
  Acquired,
  AttemptReport,
  AttemptSuccess,
  BlockRow,
  ClearOptions,
  CredentialState,
  Demand,
  Lifecycle,
  PoolCounts,
  SchedulerLimits,
} from "./types.ts"
import { isAvailable, makeCounts, viewAll, viewOf } from "./view.ts"

/** Everything there is to the scheduler. Ids it does not know are ignored: accounts may leave at any time. */
export type Scheduler = {
  /** Adds an account or replaces its facts, lifecycle and credential included. Blocks stay. */
  readonly upsert: (facts: AccountFacts) => void
  /** Takes the account out; its leases run on and are released as usual. */
  readonly remove: (id: AccountId) => void
  /** Upstream slugs the account may serve; undefined = unknown, it is assumed to serve anything. */
  readonly setModels: (id: AccountId, models: ReadonlySet<string> | undefined) => void
  readonly acquire: (demand: Demand) => Acquired
  /** Says what a failed attempt means for its account. */
  readonly report: (id: AccountId, report: AttemptReport) => void
  /** Says that an attempt went well: blocks confirmed before it began are proven wrong. */
  readonly succeeded: (id: AccountId, success: AttemptSuccess) => void
  /**
   * Says that an attempt's answer has begun with output. Where many accounts failed alike this ends the waiting: answers take
   * minutes, and nobody should be refused until the first of them is whole. The account's own record waits for that.
   */
  readonly answered: (startedAtMs: number) => void
  /** Says what the account has left; policies, health and concurrency follow, blocks do not. Older snapshots are ignored. */
  readonly setQuota: (id: AccountId, snapshot: QuotaSnapshot) => void
  /** Undefined for an account it does not know. */
  readonly lifecycleOf: (id: AccountId) => Lifecycle | undefined
  readonly setLifecycle: (id: AccountId, lifecycle: Lifecycle) => void
  readonly setCredential: (id: AccountId, credential: CredentialState) => void
  /** Clears blocks of every kind, or the given ones; those of the account's way out included. */
  readonly clearBlocks: (id: AccountId, options?: ClearOptions) => void
  /** Nothing but a full load or a block of single models keeps requests away. */
  readonly isUsable: (id: AccountId) => boolean
  readonly view: () => readonly AccountView[]
  /** One account, at a cost that does not grow with the pool; undefined for an account it does not know. */
  readonly viewOf: (id: AccountId) => AccountView | undefined
  readonly counts: () => PoolCounts
  /** Blocks worth keeping over a restart. */
  readonly snapshotBlocks: () => readonly BlockRow[]
  /** Puts kept blocks back on accounts that are known by now; ended ones are dropped. */
  readonly restoreBlocks: (rows: readonly BlockRow[]) => void
}

/** Parts of the scheduler; `random` is in [0, 1). */
export type SchedulerParts = {
  readonly clock: Clock
  readonly timers: Timers
  readonly random: () => number
  /** Read once a request. */
  readonly limits: () => SchedulerLimits
  /** Told, in a sentence without secrets, when many accounts fail alike. Default: nobody. */
  readonly alarm?: (text: string) => void
}

/** Makes a scheduler without accounts. */
export function makeScheduler(parts: SchedulerParts): Scheduler {
  const { clock, limits, random } = parts
  const heap = makeTimerHeap(parts)
  const follower = makePolicyFollower(limits)
  const pool = makePool({
    clock,
    heap,
    random,
    policy: follower.policy,
    mayBeFree: member => dispatcher.serve(member),
  })
  const judge: Judge = makeJudge({ pool, clock, random, alarm: parts.alarm ?? (() => undefined) })
  const dispatcher: Dispatcher = makeDispatcher({ clock, heap, random, pool, limits, admit: judge.admit })
  const countAccounts = makeCounts(pool)

  /** Runs a change on a known account, then looks after those for whom it has made waiting pointless. */
  function change(id: AccountId, run: (member: Member) => void): void {
    const member = pool.get(id)
    if (member === undefined) return
    const before = pool.version()
    run(member)
    if (pool.version() !== before) dispatcher.recheck()
  }

  return {
    upsert: facts => {
      pool.upsert(facts)
      dispatcher.recheck()
    },
    remove: id =>
      change(id, member => {
        pool.remove(member)
        pool.bury(member)
      }),
    setModels: (id, models) =>
      change(id, member => {
        member.models = models
        pool.refresh(member)
      }),
    acquire: demand => {
      // A configuration reload shows up at the next request, not before: until then no limit matters.
      if (follower.hasChanged()) followPolicy(pool, follower.follow())
      return dispatcher.acquire(demand)
    },
    report: (id, report) => change(id, member => judge.report(member, report)),
    succeeded: (id, success) => {
      const member = pool.get(id)
      if (member !== undefined) judge.succeeded(member, success)
    },
    answered: judge.answered,
    setQuota: (id, snapshot) => {
      const member = pool.get(id)
      if (member !== undefined) judge.setQuota(member, snapshot)
    },
    lifecycleOf: id => pool.get(id)?.facts.lifecycle,
    setLifecycle: (id, lifecycle) => change(id, member => judge.setAxis(member, { lifecycle })),
    setCredential: (id, credential) => change(id, member => judge.setAxis(member, { credential })),
    clearBlocks: (id, options = {}) => change(id, member => judge.clear(member, options)),
    isUsable: id => {
      const member = pool.get(id)
      return member !== undefined && isAvailable(pool, member)
    },
    view: () => viewAll(pool, clock()),
    viewOf: id => {
      const member = pool.get(id)
      return member === undefined ? undefined : viewOf(pool, member, clock())
    },
    counts: () => {
      const breaker = judge.breaker()
      const busy = { leases: dispatcher.leases(), waiting: dispatcher.waiting() }
      return { ...countAccounts(), ...busy, ...(breaker !== undefined && { breaker }) }
    },
    snapshotBlocks: () => writeBlockRows(pool),
    restoreBlocks: rows => readBlockRows(rows, { pool, clock }),
  }
}

/** A new policy has an order of its own; then every account gets its new place. */
function followPolicy(pool: Pool, { before, after }: PolicyChange): void {
  if (before.strategy !== after.strategy) pool.shelves.setStrategy(after.strategy)
  pool.refreshAll()
}
