/** How many requests of a key run at once; those beyond wait in the key's own line, first come first served. */

import type { Clock, Timers } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"
import type { AccountId } from "#core/ids.ts"
import { makeWaiters, type Waiter, type Waiters } from "#scheduler/line/waiters.ts"
import { makeTimerHeap } from "#scheduler/timers/timer-heap.ts"

import { concurrencyError } from "./key-errors.ts"

/** The places of all keys. */
export type KeyLines = {
  /** Undefined = the request has its place; else it waits. Rejects with `key-limit`, or `cancelled`. */
  readonly enter: (keyId: string, most: number | undefined, signal: AbortSignal) => Promise<void> | undefined
  /** Gives a place back; call once for every request that got one. */
  readonly leave: (keyId: string) => void
  readonly running: (keyId: string) => number
  readonly waiting: (keyId: string) => number
}

/** What the lines are made of. */
export type KeyLinesParts = {
  readonly clock: Clock
  readonly timers: Timers
  /** Longest wait; 0 = nobody waits. */
  readonly timeoutMs: () => number
}

type Waiting = Waiter & {
  readonly timer: number
  readonly stopListening: () => void
  readonly resolve: () => void
  readonly reject: (error: GatewayError) => void
}

type Line = { running: number; most: number; readonly waiters: Waiters<Waiting> }

/** Requests that may wait for each that may run. */
const WAITING_PER_PLACE = 2
/** The scheduler's line asks who serves; here a place is a place. */
const ANY = "" as AccountId
const NOBODY: ReadonlySet<AccountId> = new Set()

/** Makes empty lines. */
export function makeKeyLines(parts: KeyLinesParts): KeyLines {
  const lines = new Map<string, Line>()
  const heap = makeTimerHeap(parts)

  function lineOf(keyId: string): Line {
    const known = lines.get(keyId)
    if (known !== undefined) return known
    const line: Line = { running: 0, most: Number.POSITIVE_INFINITY, waiters: makeWaiters<Waiting>() }
    lines.set(keyId, line)
    return line
  }

  function forget(waiting: Waiting): void {
    heap.remove(waiting.timer)
    waiting.stopListening()
  }

  function turnAway(line: Line, waiting: Waiting, error: GatewayError): void {
    if (!line.waiters.remove(waiting)) return
    forget(waiting)
    waiting.reject(error)
  }

  function serve(line: Line): void {
    while (line.running < line.most) {
      const next = line.waiters.takeFor(ANY, () => true)
      if (next === undefined) return
      forget(next)
      line.running += 1
      next.resolve()
    }
  }

  function wait(keyId: string, line: Line, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const cancel = () => turnAway(line, waiting, new GatewayError("cancelled", "The client went away."))
    const late = () => turnAway(line, waiting, concurrencyError(line.most, "waited"))
    const waiting: Waiting = {
      keyId,
      lane: "",
      exclude: NOBODY,
      timer: heap.add(late),
      stopListening: () => signal.removeEventListener("abort", cancel),
      resolve,
      reject,
    }
    signal.addEventListener("abort", cancel, { once: true })
    heap.set(waiting.timer, parts.clock() + parts.timeoutMs())
    line.waiters.add(waiting)
    return promise
  }

  return {
    enter: (keyId, most = Number.POSITIVE_INFINITY, signal) => {
      const line = lineOf(keyId)
      line.most = most
      // Whoever waits was there first, also when a raised limit has just made room.
      serve(line)
      if (line.running < most && line.waiters.size() === 0) {
        line.running += 1
        return undefined
      }
      if (signal.aborted) return Promise.reject(new GatewayError("cancelled", "The client went away."))
      const isFull = line.waiters.size() >= most * WAITING_PER_PLACE
      if (isFull || parts.timeoutMs() === 0)
        return Promise.reject(concurrencyError(most, isFull ? "queue-full" : "waited"))
      return wait(keyId, line, signal)
    },
    leave: keyId => {
      const line = lines.get(keyId)
      if (line === undefined) return
      line.running -= 1
      serve(line)
      if (line.running === 0 && line.waiters.size() === 0) lines.delete(keyId)
    },
    running: keyId => lines.get(keyId)?.running ?? 0,
    waiting: keyId => lines.get(keyId)?.waiters.size() ?? 0,
  }
}
