/** Who serves the next request: the scheduler's one door. Synchronous inside one thread, so the event loop is its lock. */

import type { Clock, Timers } from "#core/clock.ts"
import type { AccountId } from "#core/ids.ts"
import type { QuotaSnapshot } from "#core/upstream.ts"

import { type Judge, makeJudge } from "./judge.ts"
import { type Kept, makeKept } from "./kept.ts"
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
  ClearOptions,
  CredentialState,
  Demand,
  EgressFault,
  Lifecycle,
  PoolCounts,
  SchedulerLimits,
  Standing,
} from "./types.ts"
import { isAvailable, isMemberInScope, isSlow, makeCounts, standingOf, viewAll } from "./view.ts"

/** Everything there is to the scheduler. Ids it does not know are ignored: accounts may leave at any time. */
export type Scheduler = Kept & {
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
  /** Shuts a way out for every account on it, or opens it again. Nobody is taken as a last resort while it is shut. */
  readonly setEgress: (name: string, fault: EgressFault | undefined) => void
  /** Clears blocks of every kind, or the given ones; those of the account's way out included. */
  readonly clearBlocks: (id: AccountId, options?: ClearOptions) => void
  /** Nothing but a full load or a block of single models keeps requests away. */
  readonly isUsable: (id: AccountId) => boolean
  /** Its last answers all began far later than is usual in the pool. */
  readonly isSlow: (id: AccountId) => boolean
  /** Whether the account could serve the model (its slug), and when it can if not. */
  readonly standingOf: (id: AccountId, model: string) => Standing
  /** The account is among those of the scope; an unknown one is in none. */
  readonly isInScope: (id: AccountId, scope: Demand["scope"]) => boolean
  readonly view: () => readonly AccountView[]
  readonly counts: () => PoolCounts
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
  /** Told when an attempt has shown that the upstream has closed an account, with its code. Default: nobody. */
  readonly suspended?: (id: AccountId, detail: string) => void
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

  /** Returns undefined for an account that is not known. */
  function look<Result>(id: AccountId, read: (member: Member) => Result): Result | undefined {
    const member = pool.get(id)
    return member === undefined ? undefined : read(member)
  }

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
    report: (id, report) => {
      const before = pool.get(id)?.facts.lifecycle
      change(id, member => judge.report(member, report))
      const isNews = before === "enabled" && pool.get(id)?.facts.lifecycle === "suspended"
      if (isNews) parts.suspended?.(id, report.detail)
    },
    succeeded: (id, success) => look(id, member => judge.succeeded(member, success)),
    answered: judge.answered,
    setQuota: (id, snapshot) => look(id, member => judge.setQuota(member, snapshot)),
    lifecycleOf: id => pool.get(id)?.facts.lifecycle,
    setLifecycle: (id, lifecycle) => change(id, member => judge.setAxis(member, { lifecycle })),
    setCredential: (id, credential) => change(id, member => judge.setAxis(member, { credential })),
    setEgress: (name, fault) => {
      if (pool.egresses.setFault(name, fault)) dispatcher.recheck()
    },
    clearBlocks: (id, options = {}) => change(id, member => judge.clear(member, options)),
    isUsable: id => look(id, member => isAvailable(pool, member)) ?? false,
    isSlow: id => isSlow(pool, id),
    standingOf: (id, model) => standingOf(pool, id, model),
    isInScope: (id, scope) => look(id, member => isMemberInScope(pool, member, scope)) ?? false,
    view: () => viewAll(pool, clock()),
    counts: () => {
      const breaker = judge.breaker()
      const busy = { leases: dispatcher.leases(), waiting: dispatcher.waiting() }
      return { ...countAccounts(), ...busy, ...(breaker !== undefined && { breaker }) }
    },
    ...makeKept({ pool, clock }),
  }
}

/** A new policy has an order of its own; then every account gets its new place. */
function followPolicy(pool: Pool, { before, after }: PolicyChange): void {
  if (before.strategy !== after.strategy) pool.shelves.setStrategy(after.strategy)
  pool.refreshAll()
}
