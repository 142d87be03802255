/** Keeps credentials alive: plans refreshes, lets callers share one exchange, never loses a successor. */

import type { Account } from "#core/account.ts"
import { toGatewayError } from "#core/errors.ts"
import type { AccountId } from "#core/ids.ts"

import { makeRefreshDoubts } from "./refresh-doubts.ts"
import { makeRefreshEntries, type RefreshEntries, type RefreshEntry } from "./refresh-entries.ts"
import { type FlightEnd, type FlightParts, failureOf, flyRefresh } from "./refresh-flight.ts"
import { expiryOf, makeRefreshPlanner, type RefreshPlanner } from "./refresh-planner.ts"
import { makeRefreshQueue, type RefreshLane, type RefreshQueue } from "./refresh-queue.ts"
import type { Refresher, RefresherParts, RefreshFailure, RefreshOutcome, RefreshRequest } from "./refresh-types.ts"

/** Longer than an exchange may take, so that a stop waits for the successor instead of losing it. */
const CLOSE_TIMEOUT_MS = 35_000

const CRASH_PAUSE_MS = 60_000

const NOT_STORED: FlightEnd = { type: "failed", failure: failureOf("storage") }

type Flight = { readonly end: Promise<FlightEnd>; readonly resolve: (end: FlightEnd) => void }

/** Everything one refresher owns. */
type RefresherState = {
  readonly parts: RefresherParts
  readonly entries: RefreshEntries
  readonly queue: RefreshQueue
  readonly planner: RefreshPlanner
  readonly flightParts: FlightParts
  /** By fingerprint of the refresh token: queued or under way. */
  readonly flights: Map<string, Flight>
  closed: boolean
  paused: boolean
  /** A credential could not be stored. */
  held: boolean
}

/** A part broke its promise: told as an event, and the accounts get a new due time instead of trying in a loop. */
function crashed(state: RefresherState, fingerprint: string, error: unknown): FlightEnd {
  state.parts.emit({ type: "refresh-crashed", error: toGatewayError(error) })
  const dueAtMs = state.parts.clock() + CRASH_PAUSE_MS
  for (const entry of state.entries.withFingerprint(fingerprint)) {
    state.entries.update(entry.account.id, { dueAtMs, notBeforeMs: dueAtMs })
  }
  return { type: "failed", failure: failureOf("internal") }
}

/**
 * A credential is held that could not be stored, and a second one must not come to it. Whoever waits is told at once:
 * another account may serve, and nobody knows when there is room again.
 */
function hold(state: RefresherState): void {
  const { queue, flights } = state
  state.held = true
  for (const fingerprint of queue.pause()) {
    flights.get(fingerprint)?.resolve(NOT_STORED)
    flights.delete(fingerprint)
  }
}

/** What became due meanwhile was told off as well, so everything is looked at again. */
function resume(state: RefresherState): void {
  state.held = false
  if (state.closed || state.paused) return
  state.queue.resume()
  for (const entry of state.entries.all()) state.planner.note(entry.dueAtMs)
}

/** Joins the flight of a refresh token, or queues one. `expiresAtMs` is what the background goes by. */
function join(state: RefresherState, fingerprint: string, lane: RefreshLane, expiresAtMs?: number): Promise<FlightEnd> {
  if (state.closed || state.paused) return Promise.resolve({ type: "failed", failure: failureOf("stopping") })
  const present = state.flights.get(fingerprint)
  if (present !== undefined) {
    state.queue.promote(fingerprint, lane)
    return present.end
  }
  if (state.queue.isPaused()) return Promise.resolve(NOT_STORED)
  const { promise, resolve } = Promise.withResolvers<FlightEnd>()
  state.flights.set(fingerprint, { end: promise, resolve })
  const run = async (): Promise<void> => {
    const end = await flyRefresh(state.flightParts, fingerprint).catch(error => crashed(state, fingerprint, error))
    state.flights.delete(fingerprint)
    for (const entry of state.entries.all()) state.planner.note(entry.dueAtMs)
    resolve(end)
  }
  state.queue.add(fingerprint, lane, { start: run, expiresAtMs })
  return promise
}

function failedOutcome(failure: RefreshFailure, account: Account | undefined): RefreshOutcome {
  return { type: "failed", failure, ...(account === undefined ? {} : { account }) }
}

function holdsRejected(account: Account, rejectedToken: string | undefined): boolean {
  return account.credential.type === "chatgpt" && account.credential.accessToken === rejectedToken
}

/** True when an adopted credential cannot serve: it has run out, or it carries the very token that was refused. */
function needsMore(state: RefresherState, account: Account, rejectedToken: string | undefined): boolean {
  if (account.credential.type !== "chatgpt") return false
  return (
    holdsRejected(account, rejectedToken) ||
    (account.credential.expiresAtMs ?? Number.POSITIVE_INFINITY) <= state.parts.clock()
  )
}

/** Without a refresh token the file is the only source of news. */
async function lookAtFile(state: RefresherState, account: Account, request: RefreshRequest): Promise<RefreshOutcome> {
  const found = await state.parts.reload(account)
  const present = found?.id === account.id ? state.entries.put(found).account : account
  if (present.credential.type === "chatgpt" && !needsMore(state, present, request.rejectedToken ?? "")) {
    if (!holdsRejected(account, request.rejectedToken)) return { type: "fresh", how: "current", account: present }
    state.parts.emit({ type: "credential-renewed", account: present })
    return { type: "fresh", how: "adopted", account: present }
  }
  return failedOutcome({ class: "permanent", code: "no-refresh-token", confirmed: true }, present)
}

/** A client's request must not hammer an endpoint that has just refused; an operator may. */
async function heldBack(state: RefresherState, entry: RefreshEntry): Promise<RefreshOutcome | undefined> {
  if (entry.lastFailure === undefined || entry.notBeforeMs <= state.parts.clock()) return undefined
  const found = await state.parts.reload(entry.account)
  if (found !== undefined && found.id === entry.account.id) {
    const present = state.entries.put(found)
    if (present.fingerprint !== entry.fingerprint) {
      state.planner.note(present.dueAtMs)
      state.parts.emit({ type: "credential-renewed", account: present.account })
      return { type: "fresh", how: "adopted", account: present.account }
    }
  }
  return failedOutcome(entry.lastFailure, entry.account)
}

async function refresh(state: RefresherState, accountId: AccountId, request: RefreshRequest): Promise<RefreshOutcome> {
  const { lane = "demand", rejectedToken } = request
  const entry = state.entries.get(accountId)
  if (entry === undefined) return failedOutcome(failureOf("account-removed"), undefined)
  const { account, fingerprint } = entry
  if (rejectedToken !== undefined && account.credential.type === "chatgpt" && !holdsRejected(account, rejectedToken)) {
    return { type: "fresh", how: "current", account }
  }
  if (fingerprint === undefined) return lookAtFile(state, account, request)
  const early = lane === "demand" && !state.flights.has(fingerprint) ? await heldBack(state, entry) : undefined
  if (early !== undefined) return early
  const end = await join(state, fingerprint, lane)
  const present = state.entries.get(accountId)?.account
  if (end.type === "failed") return failedOutcome(end.failure, present)
  if (present === undefined) return failedOutcome(failureOf("account-removed"), undefined)
  if (end.type === "renewed") return { type: "fresh", how: "renewed", account: present }
  return needsMore(state, present, rejectedToken) && present.credential.generation >= account.credential.generation
    ? refreshAdopted(state, present, lane)
    : { type: "fresh", how: "adopted", account: present }
}

/** The adopted credential is spent as well: one exchange with its own refresh token, no further adoption. */
async function refreshAdopted(state: RefresherState, account: Account, lane: RefreshLane): Promise<RefreshOutcome> {
  const fingerprint = state.entries.get(account.id)?.fingerprint
  if (fingerprint === undefined) return { type: "fresh", how: "adopted", account }
  const end = await join(state, fingerprint, lane)
  const present = state.entries.get(account.id)?.account ?? account
  return end.type === "failed"
    ? failedOutcome(end.failure, present)
    : { type: "fresh", how: end.type, account: present }
}

async function refreshAll(
  state: RefresherState,
  onProgress: Parameters<Refresher["refreshAll"]>[0],
): Promise<readonly RefreshOutcome[]> {
  const targets = [...state.entries.all()].filter(entry => entry.fingerprint !== undefined && !entry.account.disabled)
  let done = 0
  return Promise.all(
    targets.map(async ({ account: { id: accountId } }) => {
      const outcome = await refresh(state, accountId, { lane: "operator" })
      done += 1
      onProgress?.({ done, total: targets.length, accountId, outcome })
      return outcome
    }),
  )
}

async function close(state: RefresherState): Promise<void> {
  state.closed = true
  state.planner.stop()
  const { timers } = state.parts
  const { promise: deadline, resolve } = Promise.withResolvers<void>()
  const cancelTimer = timers.after(CLOSE_TIMEOUT_MS, resolve)
  await Promise.race([state.queue.drain(), deadline])
  cancelTimer()
  for (const flight of state.flights.values()) flight.resolve({ type: "failed", failure: failureOf("stopping") })
}

async function pause(state: RefresherState): Promise<boolean> {
  // Paused already: a credential is held.
  if (state.queue.isPaused()) return false
  state.paused = true
  for (const fingerprint of state.queue.pause()) {
    state.flights.get(fingerprint)?.resolve({ type: "failed", failure: failureOf("stopping") })
    state.flights.delete(fingerprint)
  }
  const { promise: deadline, resolve } = Promise.withResolvers<void>()
  const cancelTimer = state.parts.timers.after(CLOSE_TIMEOUT_MS, resolve)
  await Promise.race([Promise.all([...state.flights.values()].map(flight => flight.end)), deadline])
  cancelTimer()
  return state.flights.size === 0 && !state.held
}

function unpause(state: RefresherState): void {
  if (!state.paused) return
  state.paused = false
  if (!state.held) resume(state)
}

/** A share between 0 and 1 from four random bytes. */
function makeJitter({ random }: RefresherParts): () => number {
  return () => new DataView(random(new Uint8Array(4)).buffer).getUint32(0) / 2 ** 32
}

function makeState(parts: RefresherParts): RefresherState {
  const { clock, timers, maxRunning = 4, backgroundGapMs = 1000 } = parts
  const jitter = makeJitter(parts)
  const noted = parts.intents.leftOver()
  const leftOver = new Set(noted.map(intent => intent.fingerprint))
  const entries = makeRefreshEntries({ clock, jitter, leftOver, unknownLifetimeMs: parts.unknownLifetimeMs })
  const doubts = makeRefreshDoubts(parts.intents, entries, noted)
  const queue = makeRefreshQueue({ clock, timers, maxRunning, backgroundGapMs })
  const flights = new Map<string, Flight>()
  const start = (entry: RefreshEntry): void => {
    // A lost answer is not kept waiting by the background's slow pace.
    const lane = entry.lostAnswers > 0 ? "operator" : "background"
    // A flight never rejects, and its end is in the book.
    if (entry.fingerprint === undefined || flights.has(entry.fingerprint)) return
    void join(state, entry.fingerprint, lane, expiryOf(entry.account.credential))
  }
  const planned = parts.isPlanning === false ? () => [] : entries.all
  const planner = makeRefreshPlanner({ clock, timers, entries: planned, start })
  const flightParts: FlightParts = { ...parts, entries, doubts, jitter, onHeld: () => hold(state) }
  const state: RefresherState = {
    parts,
    entries,
    queue,
    planner,
    flightParts,
    flights,
    closed: false,
    paused: false,
    held: false,
  }
  return state
}

/** Makes a refresher. It starts to plan with the first account it is given. */
export function makeRefresher(parts: RefresherParts): Refresher {
  const state = makeState(parts)
  const { entries, planner } = state
  return {
    put: account => {
      const before = entries.get(account.id)
      const entry = entries.put(account)
      state.flightParts.doubts.afterPut(entry, before)
      if (!state.closed) planner.note(entry.dueAtMs)
      return entry.account
    },
    remove: entries.remove,
    get: accountId => entries.get(accountId)?.account,
    accounts: () => [...entries.all()].map(entry => entry.account),
    lastFailure: accountId => entries.get(accountId)?.lastFailure,
    isUncertain: state.flightParts.doubts.concern,
    refresh: (accountId, request = {}) => refresh(state, accountId, request),
    refreshAll: onProgress => refreshAll(state, onProgress),
    resume: () => resume(state),
    pause: () => pause(state),
    unpause: () => unpause(state),
    close: () => close(state),
  }
}
