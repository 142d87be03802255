/** What one key has used and reserved: two rates, three moving windows, the day and the whole. */

import type { KeyCounterRow } from "#store/client-keys.ts"

import { type Amounts, addAmounts, noAmounts } from "./amounts.ts"
import { type CalendarDay, calendarDayOf } from "./calendar-day.ts"
import { type Gcra, makeGcra } from "./gcra.ts"
import { makeUsageRing, type RingShape, type UsageRing } from "./usage-ring.ts"

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** Moving windows by name, and how each is cut. */
export const RING_SHAPES = {
  "5h": { bucketMs: MINUTE_MS, buckets: 300 },
  "7d": { bucketMs: HOUR_MS, buckets: 168 },
  "30d": { bucketMs: DAY_MS, buckets: 30 },
} as const satisfies Record<string, RingShape>

/** A moving window. */
export type RingName = keyof typeof RING_SHAPES

const RINGS = ["5h", "7d", "30d"] as const

/** A row without its key. */
export type CounterRow = Omit<KeyCounterRow, "keyId">

/** The meter of one key. Whoever reserves settles exactly once. */
export type KeyMeter = {
  readonly requestRate: Gcra
  readonly tokenRate: Gcra
  readonly rings: Readonly<Record<RingName, UsageRing>>
  /** Used up on the calendar day of this moment. */
  readonly today: (nowMs: number) => Readonly<Amounts>
  readonly day: (nowMs: number) => CalendarDay
  readonly total: () => Readonly<Amounts>
  /** Requests of the total whose tokens are an estimate. */
  readonly estimatedRequests: () => number
  /** Held for requests under way. */
  readonly reserved: () => Readonly<Amounts>
  readonly reserve: (amounts: Readonly<Amounts>) => void
  /** Ends a reservation: `used` counts instead. */
  readonly settle: (reserved: Readonly<Amounts>, used: UsedAmounts, nowMs: number) => void
  /** What an answer of this key is expected to be long. */
  readonly expectedOutputTokens: () => number
  readonly firstUsedAtMs: () => number | undefined
  readonly lastUsedAtMs: () => number | undefined
  readonly touch: (nowMs: number) => void
  readonly restoreUse: (firstMs: number, lastMs: number) => void
  /** Puts back what the store has kept, in ascending order of buckets. */
  readonly restore: (rows: readonly CounterRow[], nowMs: number) => void
  /** Rows that have changed since the last time. */
  readonly takeChanged: () => readonly CounterRow[]
  /** Forgets what was used; reservations stay. */
  readonly reset: () => void
}

/** What a request came to. */
export type UsedAmounts = Readonly<Amounts> & { readonly isEstimate: boolean }

const FIRST_GUESS_TOKENS = 1_000
const GUESS_WEIGHT = 0.2

type Rings = Readonly<Record<RingName, UsageRing>>

type State = {
  readonly rings: Rings
  readonly reserved: Amounts
  total: Amounts
  today: Amounts
  day: CalendarDay
  estimated: number
  guessTokens: number | undefined
  firstMs: number | undefined
  lastMs: number | undefined
  hasChanged: boolean
}

/** Makes the meter of a key that was never used. */
export function makeKeyMeter(): KeyMeter {
  const state = emptyState()
  return {
    requestRate: makeGcra(),
    tokenRate: makeGcra(),
    rings: state.rings,
    today: nowMs => {
      dayAt(state, nowMs)
      return state.today
    },
    day: nowMs => dayAt(state, nowMs),
    total: () => state.total,
    estimatedRequests: () => state.estimated,
    reserved: () => state.reserved,
    reserve: amounts => {
      state.hasChanged = true
      addAmounts(state.reserved, amounts)
    },
    settle: (held, used, nowMs) => {
      addAmounts(state.reserved, held, -1)
      learn(state, used)
      charge(state, used, nowMs)
    },
    expectedOutputTokens: () => state.guessTokens ?? FIRST_GUESS_TOKENS,
    firstUsedAtMs: () => state.firstMs,
    lastUsedAtMs: () => state.lastMs,
    touch: nowMs => {
      state.firstMs ??= nowMs
      state.lastMs = nowMs
    },
    restoreUse: (first, last) => {
      state.firstMs = first
      state.lastMs = last
    },
    restore: (rows, nowMs) => restore(state, rows, nowMs),
    takeChanged: () => takeChanged(state),
    reset: () => {
      for (const name of RINGS) state.rings[name].clear()
      Object.assign(state, { total: noAmounts(), today: noAmounts(), estimated: 0, hasChanged: true })
    },
  }
}

function emptyState(): State {
  const rings = {
    "5h": makeUsageRing(RING_SHAPES["5h"]),
    "7d": makeUsageRing(RING_SHAPES["7d"]),
    "30d": makeUsageRing(RING_SHAPES["30d"]),
  }
  return {
    rings,
    reserved: noAmounts(),
    total: noAmounts(),
    today: noAmounts(),
    day: { bucket: 0, startMs: 0, endMs: 0 },
    estimated: 0,
    guessTokens: undefined,
    firstMs: undefined,
    lastMs: undefined,
    hasChanged: false,
  }
}

function dayAt(state: State, nowMs: number): CalendarDay {
  const { day } = state
  if (nowMs >= day.startMs && nowMs < day.endMs) return day
  state.day = calendarDayOf(nowMs)
  state.today = noAmounts()
  return state.day
}

function learn(state: State, { outputTokens, isEstimate, requests }: UsedAmounts): void {
  if (isEstimate || requests === 0 || outputTokens === 0) return
  const { guessTokens: before } = state
  state.guessTokens = before === undefined ? outputTokens : before + GUESS_WEIGHT * (outputTokens - before)
}

function charge(state: State, used: UsedAmounts, nowMs: number): void {
  state.hasChanged = true
  if (used.isEstimate) state.estimated += used.requests
  for (const name of RINGS) state.rings[name].add(used, nowMs)
  dayAt(state, nowMs)
  addAmounts(state.today, used)
  addAmounts(state.total, used)
}

function restore(state: State, rows: readonly CounterRow[], nowMs: number): void {
  for (const row of rows) if (row.grain !== "reserved") restoreRow(state, row, nowMs)
  const { total, estimated } = state
  if (total.requests > estimated) state.guessTokens = Math.round(total.outputTokens / total.requests)
  // Last, so that buckets stay in the order of time. The process ended before these requests did: what they came to is
  // unknown, and the estimate counts.
  for (const row of rows) {
    if (row.grain === "reserved" && row.requests > 0) charge(state, { ...pick(row), isEstimate: true }, nowMs)
  }
}

function restoreRow(state: State, row: CounterRow, nowMs: number): void {
  if (row.grain === "total") {
    addAmounts(state.total, row)
    state.estimated += row.estimatedRequests
    return
  }
  if (row.grain === "date") {
    if (row.bucket === dayAt(state, nowMs).bucket) addAmounts(state.today, row)
    return
  }
  const name = RINGS.find(ring => ring === row.grain)
  if (name !== undefined) state.rings[name].restore(row.bucket, row, nowMs)
}

function takeChanged(state: State): readonly CounterRow[] {
  if (!state.hasChanged) return []
  state.hasChanged = false
  const rows = [rowOf("total", 0, state.total, state.estimated), rowOf("reserved", 0, state.reserved)]
  // Before the first request has ended there is no day yet.
  if (state.day.bucket > 0) rows.push(rowOf("date", state.day.bucket, state.today))
  for (const name of RINGS) state.rings[name].takeChanged((bucket, amounts) => rows.push(rowOf(name, bucket, amounts)))
  return rows
}

function pick({ requests, inputTokens, outputTokens, costMicroUsd }: Amounts): Amounts {
  return { requests, inputTokens, outputTokens, costMicroUsd }
}

function rowOf(grain: string, bucket: number, amounts: Readonly<Amounts>, estimatedRequests = 0): CounterRow {
  return { grain, bucket, ...pick(amounts), estimatedRequests }
}
