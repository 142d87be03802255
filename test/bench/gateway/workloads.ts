/** The loads that gateways are compared under, and who takes part in each. */

import type { LoadPlan } from "./load-plan.ts"
import type { WindowTimes } from "./measure.ts"
import type { Peer } from "./peers.ts"
import { type Dialect, type RequestWish, wireRequest } from "./wire-requests.ts"

/** A peer, and what its clients speak. */
export type Road = { readonly peer: string; readonly dialects: readonly Dialect[] }

/** One workload. */
export type Workload = WindowTimes & {
  readonly name: string
  /** For the page: what is sent. */
  readonly says: string
  readonly roads: readonly Road[]
  readonly connections: number
  readonly rampMs: number
  readonly repeats: boolean
  readonly wish: RequestWish
  /** Asks beside the load for an answer of one event, this often. */
  readonly probeEveryMs?: number
  /** Without a number, as often as everything else. */
  readonly rounds?: number
}

const DIRECT: Road = { peer: "direct", dialects: ["responses"] }
const NGINX: Road = { peer: "nginx", dialects: ["responses"] }
const PORTKEY: Road = { peer: "Portkey", dialects: ["responses"] }
const BARE: Road = { peer: "bare Bun proxy", dialects: ["responses"] }
const sluice = (...dialects: readonly Dialect[]): Road => ({ peer: "Sluice", dialects })
const threaded = (dialect: Dialect): Road => ({ peer: "Sluice on 2 threads", dialects: [dialect] })
const LANES = [sluice("responses"), sluice("chat"), sluice("messages"), sluice("gemini")]

/** Events of a paced answer that goes on for as long as it is looked at. */
function eventsFor(everyMs: number, times: WindowTimes & { readonly rampMs: number }): number {
  return Math.ceil((times.rampMs + times.settleMs + times.windowMs + 400) / everyMs)
}

function paced(name: string, connections: number, everyMs: number, rest: Partial<Workload> = {}): Workload {
  const times = { rampMs: rest.rampMs ?? 300, settleMs: rest.settleMs ?? 200, windowMs: rest.windowMs ?? 900 }
  return {
    name,
    says: `${connections} streams, an event every ${everyMs} ms each, every event a write of its own`,
    roads: [DIRECT, NGINX, ...LANES, PORTKEY, BARE],
    connections,
    repeats: false,
    wish: { events: eventsFor(everyMs, times), everyMs, paddingBytes: 0 },
    ...rest,
    ...times,
  }
}

function repeated(name: string, connections: number, wish: RequestWish, rest: Partial<Workload>): Workload {
  const times = { rampMs: 50, settleMs: 250, windowMs: 750 }
  return { name, says: "", roads: [], connections, repeats: true, wish, ...times, ...rest }
}

/** The workloads, in their order on the page. A smoke run has the same ones, small. */
export function workloads(isSmoke: boolean): readonly Workload[] {
  const all = [
    paced("paced", 300, 25),
    paced("latency", 500, 100, { roads: [DIRECT, NGINX, sluice("responses"), sluice("chat")], probeEveryMs: 5 }),
    repeated(
      "burst",
      20,
      { events: 100, everyMs: 0, paddingBytes: 0 },
      {
        says: "20 connections, answers of 100 events in one write, one after the other",
        roads: [NGINX, ...LANES, PORTKEY, BARE],
      },
    ),
    repeated(
      "short",
      32,
      { events: 5, everyMs: 0, paddingBytes: 0 },
      {
        says: "32 connections, answers of 5 events, which Sluice folds into one JSON body and the others hand on",
        roads: [NGINX, sluice("collect"), PORTKEY, BARE],
      },
    ),
    repeated(
      "large",
      2,
      { events: 1, everyMs: 0, paddingBytes: 1_000_000, requestBytes: 2_000_000 },
      {
        windowMs: 1500,
        says: "4 connections, requests of 2 MB, an event of 1 MB whose text the last events repeat three times",
        roads: [NGINX, sluice("responses"), sluice("chat"), PORTKEY, BARE],
      },
    ),
    paced("mixed", 300, 25, { roads: [NGINX, sluice("responses", "chat", "messages", "gemini")] }),
    paced("threads", 300, 25, {
      roads: [sluice("responses"), threaded("responses"), sluice("chat"), threaded("chat")],
    }),
    ...growth(isSmoke),
  ]
  return isSmoke ? all.map(small) : all
}

/** The same number of events a second from ever more streams. */
function growth(isSmoke: boolean): readonly Workload[] {
  const roads = [DIRECT, NGINX, sluice("responses")]
  const sizes = isSmoke ? [5, 10, 20] : [100, 1000, 9500]
  return sizes.map(size =>
    paced(`growth-${size}`, size, Math.round(size / 5), {
      roads,
      rampMs: Math.max(500, size * 3),
      settleMs: 800,
      windowMs: isSmoke ? 200 : 3000,
      probeEveryMs: 10,
      rounds: 1,
    }),
  )
}

function small(workload: Workload): Workload {
  const { wish } = workload
  return {
    ...workload,
    connections: Math.min(workload.connections, 20),
    rampMs: 50,
    settleMs: 50,
    windowMs: 150,
    wish: { ...wish, events: Math.min(wish.events, 20), everyMs: Math.min(wish.everyMs, 25) },
    rounds: 1,
  }
}

/** The load of one peer. */
export function planOf(workload: Workload, peer: Peer, dialects: readonly Dialect[]): LoadPlan {
  const { wish, connections, rampMs, repeats, probeEveryMs } = workload
  const one: RequestWish = { events: 1, everyMs: 0, paddingBytes: 0 }
  return {
    port: peer.port,
    requests: dialects.map(dialect => wireRequest(peer, dialect, wish)),
    connections,
    rampMs,
    repeats,
    ...(probeEveryMs !== undefined && {
      probe: { request: wireRequest(peer, dialects[0] ?? "responses", one), everyMs: probeEveryMs },
    }),
  }
}
