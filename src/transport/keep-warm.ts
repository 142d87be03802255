/** Keeps a few idle connections to the upstream open, so that the first request after a pause needs no handshake. */

import type { Clock, Timers } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"
import type { SendUpstream } from "#core/upstream.ts"

import { readBody } from "./read-body.ts"

/** Parts of the warmer. */
export type KeepWarmParts = {
  readonly clock: Clock
  readonly timers: Timers
  /** The sender whose pool is kept warm: no other pool profits. */
  readonly send: SendUpstream
  readonly lastActivityAtMs: () => number
  /** Told of failed pings; they change nothing else. */
  readonly onFailure: (error: unknown) => void
}

/** What to keep warm and how. */
export type KeepWarmOptions = {
  /** A small resource on the upstream's origin; any status will do, the body is read and thrown away. */
  readonly url: string
  /** `keepalive-interval`; 0 = off. */
  readonly intervalSec: number
  /** Connections opened at start and kept, 1–{@link MAX_WARM_CONNECTIONS}. */
  readonly connections: number
}

/** Bun keeps about 64 idle connections a process; warming must leave room for real traffic. */
export const MAX_WARM_CONNECTIONS = 8

/** A ping that takes longer than this has not kept anything warm. */
const PING_DEADLINE_MS = 10_000

/**
 * Opens the connections now and pings them every interval in which nothing else used the pool. Returns the stop
 * function, which also ends pings in flight.
 *
 * Measured with Bun 1.4.5 against a server that drops connections after 2 s idle, four connections open, a ping each
 * second for 5 s: no ping keeps 0; one GET a round keeps 1; four GETs at once keep all four. HEAD is no use where the
 * server states no length: Bun then closes the connection after each one. `fetch.preconnect` fills the pool of plain
 * `fetch`, which sessions never share.
 */
export function startKeepWarm(parts: KeepWarmParts, options: KeepWarmOptions): () => void {
  if (options.intervalSec <= 0) return () => undefined
  const intervalMs = options.intervalSec * 1000
  const count = Math.min(Math.max(1, Math.floor(options.connections)), MAX_WARM_CONNECTIONS)
  const stopper = new AbortController()
  let busy = false
  let lastRoundAtMs = 0

  async function round(): Promise<void> {
    if (busy) return
    busy = true
    await Promise.all(Array.from({ length: count }, () => ping(parts, options.url, stopper.signal)))
    busy = false
    lastRoundAtMs = parts.clock()
  }

  const tick = () => {
    const lastMs = parts.lastActivityAtMs()
    // The answers of the last round are activity too, a moment younger than the interval.
    const isTraffic = lastMs > lastRoundAtMs
    if (!isTraffic || parts.clock() - lastMs >= intervalMs) void round()
  }
  void round()
  const cancelTimer = parts.timers.every(intervalMs, tick)
  return () => {
    cancelTimer()
    stopper.abort()
  }
}

/** Never rejects: failures go to `onFailure`, except those of a stopped warmer. */
async function ping(parts: KeepWarmParts, url: string, stopped: AbortSignal): Promise<void> {
  const late = new AbortController()
  const cancelTimer = parts.timers.after(PING_DEADLINE_MS, () => late.abort(pingTimeout()))
  const signal = AbortSignal.any([stopped, late.signal])
  try {
    const reply = await parts.send({ method: "GET", url, headers: { accept: "*/*" }, egress: undefined }, signal)
    // Only a body read to its end gives the connection back to the pool.
    await readBody(reply.body, { timers: parts.timers, deadlineMs: PING_DEADLINE_MS, signal })
  } catch (error) {
    if (!stopped.aborted) parts.onFailure(error)
  } finally {
    cancelTimer()
  }
}

function pingTimeout(): GatewayError {
  return new GatewayError("timeout", "The upstream did not answer a keep-alive request in time.")
}
