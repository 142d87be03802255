/**
 * A million short streams in four dialects through one gateway, one in twenty left by its client, one in fifty failed by the
 * upstream: what is left behind? `./dev bench soak`; `--streams N` for fewer, `--write` for docs/performance. Linux only.
 */

import { readFileSync } from "node:fs"
import { parseArgs } from "node:util"

import { median } from "./gateway/measure.ts"
import { CLIENT_KEY, type Peer } from "./gateway/peers.ts"
import { makeCpuReader, residentBytes } from "./gateway/processor.ts"
import type { SoakCounts, SoakPlan } from "./gateway/soak-load-process.ts"
import { keepSoak, type SoakResult } from "./gateway/soak-result.ts"
import type { UpstreamCounts } from "./gateway/upstream-process.ts"
import { type Dialect, wireRequest } from "./gateway/wire-requests.ts"
import { startWorld, type World } from "./gateway/world.ts"
import { sized } from "./smoke.ts"

const { values } = parseArgs({
  options: {
    streams: { type: "string", default: String(sized(1_000_000, 2_000)) },
    smoke: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
  },
  strict: false,
})

const CONNECTIONS = 48
/** One turn in so many fails upstream. */
const FAULT_EVERY = 50
const DIALECTS: readonly Dialect[] = ["responses", "chat", "messages", "gemini"]
const LOOK_EVERY_MS = sized(1000, 50)
const SAY_EVERY_MS = 15_000
/** What has ended upstream or with a client takes a moment to be seen by all. */
const SETTLE_MS = 10_000
/** Memory is compared between these parts of the run. */
const EARLY = { from: 0.08, to: 0.12 }
const LATE = { from: 0.96, to: 1 }

type Look = { readonly part: number; readonly residentBytes: number }

/** Established connections to a port of this machine, seen from the side that listens. */
function connectionsTo(port: number): number {
  const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, "0")}`
  return readFileSync("/proc/net/tcp", "utf8")
    .split("\n")
    .map(line => line.trim().split(/\s+/))
    .filter(([, from, , state]) => from === local && (state === "01" || state === "08")).length
}

async function poolOf({ port }: Peer): Promise<{ readonly leases: number; readonly waiting: number }> {
  const response = await fetch(`http://127.0.0.1:${port}/stats`, { headers: { authorization: `Bearer ${CLIENT_KEY}` } })
  // `GET /stats`, docs/api.md.
  return ((await response.json()) as { pool: { leases: number; waiting: number } }).pool
}

async function watch(world: World, peer: Peer, streams: number): Promise<readonly Look[]> {
  const looks: Look[] = []
  const startedAtMs = performance.now()
  let saidAtMs = startedAtMs
  for (;;) {
    await Bun.sleep(LOOK_EVERY_MS)
    // What soak-load-process.ts answers.
    const counts = (await world.load.ask({})) as SoakCounts
    looks.push({ part: counts.done / streams, residentBytes: residentBytes(peer.pid) })
    if (counts.isOver) return looks
    if (performance.now() - saidAtMs < SAY_EVERY_MS) continue
    saidAtMs = performance.now()
    const perSec = counts.done / ((saidAtMs - startedAtMs) / 1000)
    const minutes = (streams - counts.done) / perSec / 60
    const memory = (residentBytes(peer.pid) / 2 ** 20).toFixed(0)
    console.error(
      `… ${counts.done} of ${streams} streams, ${perSec.toFixed(0)} a second, ${memory} MiB, ${minutes.toFixed(0)} minutes to go`,
    )
  }
}

async function soak(world: World, peer: Peer, streams: number): Promise<SoakResult> {
  const wish = { events: 6, paddingBytes: 0 }
  const plan: SoakPlan = {
    port: peer.port,
    connections: CONNECTIONS,
    streams,
    whole: DIALECTS.map(dialect => wireRequest(peer, dialect, { ...wish, everyMs: 0 })),
    paced: DIALECTS.map(dialect => wireRequest(peer, dialect, { ...wish, everyMs: 10 })),
  }
  const cpuMicrosOf = makeCpuReader()
  const before = cpuMicrosOf(peer.pid)
  const startedAtMs = performance.now()
  await world.load.ask(plan)
  const looks = await watch(world, peer, streams)
  const seconds = (performance.now() - startedAtMs) / 1000
  const cpuMicros = cpuMicrosOf(peer.pid) - before
  await Bun.sleep(SETTLE_MS)
  const counts = (await world.load.ask({})) as SoakCounts
  const upstream = (await world.upstream.ask({})) as UpstreamCounts
  // Before anything is asked: the question is a connection of its own.
  const clientSockets = connectionsTo(peer.port)
  const { leases, waiting } = await poolOf(peer)
  const memoryIn = ({ from, to }: typeof EARLY) =>
    median(looks.filter(({ part }) => part >= from && part <= to).map(look => look.residentBytes))
  return {
    streams,
    seconds,
    cpuMicrosAStream: cpuMicros / streams,
    whole: counts.whole,
    left: counts.left,
    cut: counts.cut,
    refused: counts.refused,
    firstRefusal: counts.firstRefusal,
    turns: upstream.turns,
    faults: upstream.faults,
    leases: leases + waiting,
    clientSockets,
    runningUpstream: upstream.running,
    idleUpstream: upstream.connections - upstream.running,
    earlyBytes: memoryIn(EARLY),
    lateBytes: memoryIn(LATE),
    afterBytes: residentBytes(peer.pid),
  }
}

function say(result: SoakResult): void {
  const mb = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`
  const perSec = (result.streams / result.seconds).toFixed(0)
  console.log(`${result.streams} streams in ${result.seconds.toFixed(0)} s (${perSec} a second), ${result.cpuMicrosAStream.toFixed(0)} µs each
whole ${result.whole}, left by clients ${result.left}, cut by the upstream behind output ${result.cut}, refused ${JSON.stringify(result.refused)} ${result.firstRefusal}
upstream: ${result.turns} turns, failed on purpose ${JSON.stringify(result.faults)}
afterwards: ${result.leases} leases, ${result.clientSockets} client sockets, ${result.runningUpstream} answers running upstream, ${result.idleUpstream} kept connections
memory: ${mb(result.earlyBytes)} at a tenth, ${mb(result.lateBytes)} at the end (${(result.lateBytes / result.earlyBytes).toFixed(3)} times), ${mb(result.afterBytes)} when idle`)
}

if (process.platform !== "linux") {
  console.log("bench: the soak reads memory and sockets from Linux's kernel and does not run here")
  process.exit(0)
}
const streams = Number(values.streams)
if (!Number.isInteger(streams) || streams < 1000) {
  console.error("bench: --streams needs a whole number from 1000 on, e.g. --streams 100000")
  process.exit(2)
}
const world = await startWorld({ alone: true, faultEvery: FAULT_EVERY, loadProcess: "soak-load-process.ts" })
try {
  const peer = world.peers.find(({ name }) => name === "Sluice")
  if (peer === undefined) throw new Error("the gateway has not started")
  const result = await soak(world, peer, streams)
  say(result)
  if (values.write === true) await keepSoak(result)
  if (result.leases + result.clientSockets + result.runningUpstream > 0) process.exitCode = 1
} finally {
  await world.stop()
}
