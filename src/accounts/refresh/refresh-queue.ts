/** Which refresh starts when: few at a time, the background slowly, demand first. */

import type { CancelTimer, Clock, Timers } from "#core/clock.ts"

import { urgencyOf } from "./refresh-schedule.ts"

/** Who waits: a client's request, an operator, nobody. */
export type RefreshLane = "demand" | "operator" | "background"

/** A queue of runs, each under a key that is queued or running at most once. */
export type RefreshQueue = {
  /** Queues a run; a key that is waiting already moves to the better lane. */
  readonly add: (key: string, lane: RefreshLane, run: QueuedRun) => void
  /** Moves a waiting key to a better lane; nothing happens when it runs or is unknown. */
  readonly promote: (key: string, lane: RefreshLane) => void
  /** Drops what waits and starts nothing until `resume`; what runs goes on. Returns the keys that waited. */
  readonly pause: () => readonly string[]
  readonly isPaused: () => boolean
  readonly resume: () => void
  /** Drops what waits and resolves when nothing runs any more. */
  readonly drain: () => Promise<void>
}

/** Limits and parts. */
export type RefreshQueueParts = {
  readonly clock: Clock
  readonly timers: Timers
  readonly maxRunning: number
  /** Between two starts in the background lane. */
  readonly backgroundGapMs: number
}

/** One run that waits for its start. */
export type QueuedRun = {
  /** Never rejects. */
  readonly start: () => Promise<void>
  /** When what is to be renewed expires, milliseconds since the epoch: the background goes by it. Default: nobody knows. */
  readonly expiresAtMs?: number | undefined
}

/** Best first. */
const LANES = ["demand", "operator", "background"] as const satisfies readonly RefreshLane[]

/** Who waits in which lane. */
function makeLanes() {
  const waiting = {
    demand: new Map<string, QueuedRun>(),
    operator: new Map<string, QueuedRun>(),
    background: new Map<string, QueuedRun>(),
  } as const satisfies Record<RefreshLane, Map<string, QueuedRun>>
  return {
    waiting,
    firstIn: (lane: Exclude<RefreshLane, "background">): [string, QueuedRun] | undefined =>
      waiting[lane].entries().next().value,
    mostUrgent: (nowMs: number) => mostUrgentOf(waiting.background, nowMs),
    laneOf: (key: string): RefreshLane | undefined => LANES.find(lane => waiting[lane].has(key)),
    /** Returns the keys that waited. */
    dropWaiting: (): readonly string[] => {
      const keys = LANES.flatMap(lane => [...waiting[lane].keys()])
      for (const lane of LANES) waiting[lane].clear()
      return keys
    },
  }
}

/** Walks over all that wait, once a start: there is one start a second. */
function mostUrgentOf(waiting: ReadonlyMap<string, QueuedRun>, nowMs: number): [string, QueuedRun] | undefined {
  let best: [string, QueuedRun] | undefined
  let bestRank = Number.POSITIVE_INFINITY
  for (const entry of waiting) {
    const rank = urgencyOf(entry[1].expiresAtMs, nowMs)
    if (rank >= bestRank) continue
    best = entry
    bestRank = rank
  }
  return best
}

/** Makes an empty queue. */
export function makeRefreshQueue({ clock, timers, maxRunning, backgroundGapMs }: RefreshQueueParts): RefreshQueue {
  const { waiting, firstIn, mostUrgent, laneOf, dropWaiting } = makeLanes()
  const running = new Set<Promise<void>>()
  let isPaused = false
  let nextBackgroundAtMs = 0
  let cancelTimer: CancelTimer | undefined

  /** The last slot is kept for clients: calls that hang must not make them wait. */
  const hasRoom = (lane: RefreshLane): boolean =>
    running.size < (lane === "demand" ? maxRunning : Math.max(1, maxRunning - 1))
  const start = (lane: RefreshLane, [key, run]: [string, QueuedRun]): void => {
    waiting[lane].delete(key)
    if (lane === "background") nextBackgroundAtMs = clock() + backgroundGapMs
    const done = run.start().finally(() => {
      running.delete(done)
      pump()
    })
    running.add(done)
  }
  const startNext = (): boolean => {
    for (const lane of ["demand", "operator"] as const) {
      const next = hasRoom(lane) ? firstIn(lane) : undefined
      if (next !== undefined) {
        start(lane, next)
        return true
      }
    }
    if (!hasRoom("background") || waiting.background.size === 0) return false
    if (clock() < nextBackgroundAtMs) {
      cancelTimer ??= timers.after(nextBackgroundAtMs - clock(), () => {
        cancelTimer = undefined
        pump()
      })
      return false
    }
    const next = mostUrgent(clock())
    if (next === undefined) return false
    start("background", next)
    return true
  }
  const pump = (): void => {
    while (!isPaused && startNext());
  }
  const promote = (key: string, lane: RefreshLane): void => {
    const present = laneOf(key)
    const run = present === undefined ? undefined : waiting[present].get(key)
    if (present !== undefined && run !== undefined && LANES.indexOf(lane) < LANES.indexOf(present)) {
      waiting[present].delete(key)
      waiting[lane].set(key, run)
    }
    pump()
  }

  return {
    add: (key, lane, run) => {
      if (laneOf(key) === undefined) waiting[lane].set(key, run)
      promote(key, lane)
    },
    promote,
    pause: () => {
      isPaused = true
      return dropWaiting()
    },
    isPaused: () => isPaused,
    resume: () => {
      isPaused = false
      pump()
    },
    drain: async () => {
      isPaused = true
      dropWaiting()
      cancelTimer?.()
      await Promise.all(running)
    },
  }
}
