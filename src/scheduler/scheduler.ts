/** Who serves the next request: the scheduler's one door. Synchronous inside one thread, so the event loop is its lock. */

import type { Clock, Timers } from "#core/clock.ts"
import type { AccountId } from "#core/ids.ts"

import { readBlockRows, writeBlockRows } from "./block-rows.ts"
import { clearOnRequest, readSuccess } from "./clearing.ts"
import { type Dispatcher, makeDispatcher } from "./dispatcher.ts"
import { readFailedAttempt } from "./evidence.ts"
import { type Member, note } from "./member.ts"
import { makePool, type Pool } from "./pool.ts"
import { makeTimerHeap } from "./timer-heap.ts"
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
import { isAvailable, makeCounts, viewOf } from "./view.ts"

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
  /** Undefined for an account it does not know. */
  readonly lifecycleOf: (id: AccountId) => Lifecycle | undefined
  readonly setLifecycle: (id: AccountId, lifecycle: Lifecycle) => void
  readonly setCredential: (id: AccountId, credential: CredentialState) => void
  /** Clears blocks of every kind, or the given ones; those of the account's way out included. */
  readonly clearBlocks: (id: AccountId, options?: ClearOptions) => void
  /** Nothing but a full load or a block of single models keeps requests away. */
  readonly isUsable: (id: AccountId) => boolean
  readonly view: () => readonly AccountView[]
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
  readonly limits: () => SchedulerLimits
}

/** Makes a scheduler without accounts. */
export function makeScheduler(parts: SchedulerParts): Scheduler {
  const { clock, limits, random } = parts
  const heap = makeTimerHeap(parts)
  const pool = makePool({
    clock,
    heap,
    accountConcurrency: () => limits().accountConcurrency,
    mayBeFree: member => dispatcher.serve(member),
  })
  const dispatcher: Dispatcher = makeDispatcher({ clock, heap, random, pool, limits })
  const followLimits = makeLimitFollower(parts, pool)
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
      followLimits()
      return dispatcher.acquire(demand)
    },
    report: (id, report) => change(id, member => readFailedAttempt(member, report, { pool, clock, random })),
    succeeded: (id, success) => {
      const member = pool.get(id)
      if (member !== undefined) readSuccess(member, success, { pool, clock })
    },
    lifecycleOf: id => pool.get(id)?.facts.lifecycle,
    setLifecycle: (id, lifecycle) => change(id, member => setFacts(member, { lifecycle }, { pool, clock })),
    setCredential: (id, credential) => change(id, member => setFacts(member, { credential }, { pool, clock })),
    clearBlocks: (id, options = {}) => change(id, member => clearOnRequest(member, options, { pool, clock })),
    isUsable: id => {
      const member = pool.get(id)
      return member !== undefined && isAvailable(pool, member)
    },
    view: () => [...pool.members()].map(member => viewOf(pool, member)),
    counts: () => ({ ...countAccounts(), leases: dispatcher.leases(), waiting: dispatcher.waiting() }),
    snapshotBlocks: () => writeBlockRows(pool),
    restoreBlocks: rows => readBlockRows(rows, { pool, clock }),
  }
}

type FactsParts = { readonly pool: Pool; readonly clock: Clock }
type ChangedAxis = { readonly lifecycle: Lifecycle } | { readonly credential: CredentialState }

/** Changes one axis. A credential that is fresh again is a new one: evidence against the old one ends here. */
function setFacts(member: Member, axis: ChangedAxis, { pool, clock }: FactsParts): void {
  if ("credential" in axis && axis.credential === "fresh") member.credentialSinceMs = clock()
  const before = member.facts
  member.facts = { ...before, ...axis }
  if (before.lifecycle === member.facts.lifecycle && before.credential === member.facts.credential) return
  const change = "lifecycle" in axis ? axis.lifecycle : `credential ${axis.credential}`
  note(member, { atMs: clock(), change, detail: "" })
  pool.refresh(member)
}

/** A configuration reload shows up at the next request, not before: until then no cap matters. */
function makeLimitFollower(parts: SchedulerParts, pool: Pool): () => void {
  let known = parts.limits().accountConcurrency
  return () => {
    const { accountConcurrency } = parts.limits()
    if (accountConcurrency === known) return
    known = accountConcurrency
    pool.refreshAll()
  }
}
