/**
 * Pick and release through the scheduler's own door, beside the sort that gateways usually do, in the same run.
 * `./dev bench pool`. Every figure is the median over processes with one scheduler each, as in production, taken in turns:
 * on a shared machine a mean measures the neighbours, and two schedulers in a process are compiled worse than one.
 */

import { systemTimers } from "#core/clock.ts"
import type { AccountId } from "#core/ids.ts"
import { makeAffinity } from "#gateway/affinity/affinity.ts"
import { conversationKey } from "#protocols/conversation-seed.ts"
import { STRATEGIES, type Strategy } from "#scheduler/pick/strategies.ts"
import { makeScheduler } from "#scheduler/scheduler.ts"
import type { Lease } from "#scheduler/types.ts"

import { sized } from "./smoke.ts"

const SIZES = [100, 1_000, 10_000, 100_000].slice(0, sized(4, 2))
const CAP = 4
const MODEL = "gpt-5"
const START_MS = 1_800_000_000_000
/** One account in ten rests. */
const RESTING_EVERY = 10
const MAX_IN_FLIGHT = 4_000
/** Samples of one process; it reports their median. */
const SAMPLES = sized(21, 3)
const ROUNDS = sized(20_000, 200)
const WARM_UP_ROUNDS = sized(1_000_000, 1_000)
/** Processes for each figure. */
const TURNS = sized(5, 1)

/** The processes of a smoke run are short as well. */
const FLAGS = process.argv.filter(arg => arg === "--smoke")

/** As many conversations as a busy gateway remembers, each bound to some account. */
const CONVERSATIONS = 65_536

/** Rounds between two preparations. */
const BATCH = sized(500, 100)

/** One round gives the oldest lease back and takes a new one. */
type Round = {
  readonly run: () => void
  /** Runs before each batch, and is not measured. */
  readonly prepare: () => void
}
type Sorted = { load: number; lastUsed: number; readonly blockedUntilMs: number }

const ids: AccountId[] = []
/**
 * Only a bench invents ids; the brand keeps plain text out of production code. Each is one text, as in the gateway, where a
 * conversation is bound to the id that the scheduler has handed out.
 */
const idOf = (index: number) => (ids[index] ??= `acc_${index}` as AccountId)
const inFlightOf = (size: number) => Math.min(Math.ceil(1.2 * size), MAX_IN_FLIGHT)

/** `affinity`: each request looks up its conversation's account first, and gets that one when it is free. */
function makeScheduled(size: number, strategy: Strategy, { affinity }: { readonly affinity: boolean }): Round {
  let nowMs = START_MS
  const limits = { accountConcurrency: CAP, queueMax: 0, queueTimeoutMs: 0, strategy }
  const scheduler = makeScheduler({
    clock: () => nowMs,
    timers: systemTimers,
    random: Math.random,
    limits: () => limits,
  })
  for (let index = 0; index < size; index++) {
    const id = idOf(index)
    scheduler.upsert({ id, provider: "codex", plan: "plus", lifecycle: "enabled", credential: "fresh" })
    const usedPercent = (index * 7919) % 100
    const windows = [{ usedPercent, windowSec: 604_800, resetsAtSec: START_MS / 1000 + 3600 * (1 + (index % 160)) }]
    scheduler.setQuota(id, { observedAtMs: START_MS, windows, limitReached: false })
    if (index % RESTING_EVERY !== 0) continue
    const effect = { type: "block", scope: { type: "account" }, cause: "quota", forMs: 86_400_000 } as const
    scheduler.report(id, { effect, startedAtMs: nowMs, model: "", detail: "bench" })
  }
  const demand = { model: MODEL, exclude: new Set<AccountId>(), keyId: "bench", deadlineMs: Number.MAX_SAFE_INTEGER }
  const take = (prefer?: AccountId): Lease => {
    const acquired = scheduler.acquire(prefer === undefined ? demand : { ...demand, prefer })
    if (acquired.type !== "lease") throw new Error(acquired.type)
    return acquired.lease
  }
  const homes = affinity ? makeHomes(size, () => nowMs) : { next: () => undefined, prepare: () => {} }
  const run = makeRound(
    inFlightOf(size),
    () => take(homes.next()),
    lease => lease.release(),
    () => {
      nowMs += 1
    },
  )
  return { run, prepare: homes.prepare }
}

/**
 * Conversations in turn, each far from the last one in memory, under keys as the gateway makes them: a request's key has just
 * been made when it is looked up.
 */
function makeHomes(size: number, clock: () => number) {
  const { conversations } = makeAffinity({ clock })
  const keyOf = (index: number) => conversationKey(`seed ${index}`, "bench")
  for (let index = 0; index < CONVERSATIONS; index++) conversations.set(keyOf(index), idOf((index * 7919) % size))
  let turn = 0
  let keys: readonly string[] = []
  let at = 0
  return {
    next: () => conversations.get(keys[at++] ?? ""),
    prepare: () => {
      at = 0
      keys = Array.from({ length: BATCH }, () => {
        turn = (turn + 12_289) % CONVERSATIONS
        return keyOf(turn)
      })
    },
  }
}

/** Filters who may serve and sorts them, as gateways do that keep their accounts in a list. */
function makeSort(size: number): Round {
  const accounts = Array.from(
    { length: size },
    (_, index): Sorted => ({
      load: 0,
      lastUsed: 0,
      blockedUntilMs: index % RESTING_EVERY === 0 ? Number.MAX_SAFE_INTEGER : 0,
    }),
  )
  let uses = 0
  let nowMs = START_MS
  const take = (): Sorted => {
    const free = accounts.filter(account => account.load < CAP && account.blockedUntilMs <= nowMs)
    const [best] = free.sort((left, right) => left.load - right.load || left.lastUsed - right.lastUsed)
    if (best === undefined) throw new Error("no account")
    uses += 1
    best.load += 1
    best.lastUsed = uses
    return best
  }
  const run = makeRound(
    inFlightOf(size),
    take,
    account => {
      account.load -= 1
    },
    () => {
      nowMs += 1
    },
  )
  return { run, prepare: () => {} }
}

function makeRound<T>(inFlight: number, take: () => T, give: (held: T) => void, tick: () => void): () => void {
  const held = Array.from({ length: inFlight }, take)
  let turn = 0
  return () => {
    tick()
    const oldest = held[turn]
    if (oldest !== undefined) give(oldest)
    held[turn] = take()
    turn = turn + 1 === inFlight ? 0 : turn + 1
  }
}

/**
 * Nanoseconds a round, the mean over one sample: of the process's own time on the processor, its collector's included.
 * The clock on the wall would also count the time in which somebody else had the core.
 */
function sample({ run, prepare }: Round, rounds: number): number {
  let micros = 0
  for (let left = rounds; left > 0; left -= BATCH) {
    prepare()
    const before = process.cpuUsage()
    for (let index = Math.min(left, BATCH); index > 0; index--) run()
    const { user, system } = process.cpuUsage(before)
    micros += user + system
  }
  return (micros * 1000) / rounds
}

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN
}

/** What a child process measures. */
type Job = { readonly what: Strategy | "sort" | "affinity"; readonly size: number }
/** Nanoseconds a round: of the middle sample, and of the one that the neighbours disturbed least. */
type Figures = { readonly middle: number; readonly best: number }

function runJob({ what, size }: Job): Figures {
  const isSort = what === "sort"
  const round = isSort ? makeSort(size) : roundOf(what, size)
  // A thousand sorts of 100,000 accounts would take an hour; a few say enough.
  const rounds = isSort ? Math.max(2, Math.ceil(20_000 / size)) : ROUNDS
  // On a busy machine the compiler's threads need their time as well before the code is as fast as in a running gateway.
  if (!isSort) sample(round, WARM_UP_ROUNDS)
  const samples = Array.from({ length: isSort ? 3 : SAMPLES }, () => sample(round, rounds))
  return { middle: median(samples), best: Math.min(...samples) }
}

function roundOf(what: Exclude<Job["what"], "sort">, size: number): Round {
  const strategy = what === "affinity" ? "least-loaded" : what
  return makeScheduled(size, strategy, { affinity: what === "affinity" })
}

/** Runs every job in a process of its own, `turns` times in turns. Returns the figures by job, in order of the turns. */
function measureAll(jobs: readonly Job[], turns: number): readonly (readonly Figures[])[] {
  const taken = jobs.map((): Figures[] => [])
  for (let turn = 0; turn < turns; turn++) {
    for (const [which, { what, size }] of jobs.entries()) {
      const child = Bun.spawnSync([process.execPath, import.meta.path, what, String(size), ...FLAGS])
      if (child.exitCode !== 0) throw new Error(child.stderr.toString())
      taken[which]?.push(JSON.parse(child.stdout.toString()))
    }
  }
  return taken
}

function summary(figures: readonly Figures[]): Figures {
  return { middle: median(figures.map(({ middle }) => middle)), best: Math.min(...figures.map(({ best }) => best)) }
}

function row(cells: readonly string[]): void {
  console.log(`| ${cells.map((cell, index) => (index === 0 ? cell.padEnd(14) : cell.padStart(14))).join(" | ")} |`)
}

/** What the project promises for a machine of two shared cores, in nanoseconds. */
const TARGETS: Readonly<Record<number, number>> = { 10000: 200, 100000: 400 }
const MAX_GROWTH = 2.5
/** With a look at the conversation's account before each pick, at every size. */
const AFFINITY_TARGET = 2_000

function runSizes(): void {
  const scheduled = measureAll(jobsOf("least-loaded"), TURNS)
  const sorted = measureAll(jobsOf("sort"), 1)
  row(["accounts", "ns (median)", "ns (best)", "promised", "sort ns", "sort / ours"])
  row(["---", "---:", "---:", "---:", "---:", "---:"])
  for (const [which, size] of SIZES.entries()) {
    const ours = summary(scheduled[which] ?? [])
    const sort = summary(sorted[which] ?? [])
    const promised = TARGETS[size] === undefined ? "" : `<= ${TARGETS[size]}`
    const times = [ours.middle, ours.best].map(ns => ns.toFixed(0))
    row([String(size), ...times, promised, sort.middle.toFixed(0), (sort.middle / ours.middle).toFixed(0)])
  }
  // Neighbours come and go: figures of one turn are compared with each other.
  const growths = (scheduled[0] ?? []).map((small, turn) => (scheduled.at(-1)?.[turn]?.middle ?? 0) / small.middle)
  console.log(`\n100,000 accounts cost ${median(growths).toFixed(2)} times what 100 do (promised: <= ${MAX_GROWTH}).\n`)
  const bound = measureAll(jobsOf("affinity"), TURNS)
  row(["with affinity", "ns (median)", "ns (best)", "promised", "sort ns", "sort / ours"])
  row(["---", "---:", "---:", "---:", "---:", "---:"])
  for (const [which, size] of SIZES.entries()) {
    const ours = summary(bound[which] ?? [])
    const sort = summary(sorted[which] ?? [])
    const times = [ours.middle, ours.best].map(ns => ns.toFixed(0))
    row([
      String(size),
      ...times,
      `<= ${AFFINITY_TARGET}`,
      sort.middle.toFixed(0),
      (sort.middle / ours.middle).toFixed(0),
    ])
  }
  console.log("")
}

function jobsOf(what: Job["what"]): readonly Job[] {
  return SIZES.map(size => ({ what, size }))
}

function runPolicies(): void {
  const sizes = SIZES.slice(1)
  row(["policy, ns", ...sizes.map(String)])
  row(["---", ...sizes.map(() => "---:")])
  for (const strategy of STRATEGIES) {
    const figures = measureAll(
      sizes.map(size => ({ what: strategy, size })),
      3,
    )
    row([strategy, ...figures.map(each => summary(each).middle.toFixed(0))])
  }
}

const [what, size] = process.argv.slice(2)
const job = [...STRATEGIES, "sort" as const, "affinity" as const].find(name => name === what)
if (job === undefined) {
  runSizes()
  runPolicies()
} else console.log(JSON.stringify(runJob({ what: job, size: Number(size) })))
