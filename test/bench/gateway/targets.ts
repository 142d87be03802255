/** What was promised, what was measured, and whether it holds. */

import { type Figure, figureAt } from "./figures.ts"
import type { SoakResult } from "./soak-result.ts"

/** One promise. */
export type Target = {
  readonly figure: string
  readonly target: string
  readonly measured: string
  readonly verdict: "met" | "missed" | "not measured"
}

/** Cost an event of the transcoding lanes against parsing and writing anew, in one process. */
export type StreamRatios = Readonly<Record<string, number>>

type Check = { readonly value: number; readonly limit: number; readonly text: string; readonly atLeast?: boolean }

function check(figure: string, target: string, checks: readonly Check[]): Target {
  const known = checks.filter(({ value }) => Number.isFinite(value))
  const fails = known.some(({ value, limit, atLeast }) => (atLeast === true ? value < limit : value > limit))
  const measured = known.length === 0 ? "–" : known.map(({ text }) => text).join(", ")
  // One part that fails is enough; all of them have to be known for a target to be met.
  if (fails) return { figure, target, measured, verdict: "missed" }
  return {
    figure,
    target,
    measured,
    verdict: known.length < checks.length || known.length === 0 ? "not measured" : "met",
  }
}

const times = (value: number) => `${value.toFixed(2)} ×`
const ms = (value: number) => `${value.toFixed(2)} ms`

/** Compares the figures of a run with the targets. */
export function targetsOf(
  figures: readonly Figure[],
  stream: StreamRatios,
  soak: SoakResult | undefined,
): readonly Target[] {
  const ratio = (road: string, limit: number): Check => {
    const value = figureAt(figures, "paced", road)?.againstNginx ?? Number.NaN
    return { value, limit, text: `${road.replace("Sluice ", "")} ${times(value)}` }
  }
  const added = (road: string, of: "probeP50Ms" | "probeP99Ms", limit: number): Check => {
    const own = figureAt(figures, "latency", road)?.[of] ?? Number.NaN
    const value = own - (figureAt(figures, "latency", "direct")?.[of] ?? Number.NaN)
    return { value, limit, text: `${road.replace("Sluice ", "")} ${of === "probeP50Ms" ? "p50" : "p99"} ${ms(value)}` }
  }
  const rate = figureAt(figures, "short", "Sluice collect")?.rateAgainstBare ?? Number.NaN
  return [
    check("relay lane, paced, processor time an event against nginx", "≤ 1.15 ×", [ratio("Sluice responses", 1.15)]),
    check("transcoding lanes, paced, against nginx", "≤ 1.5 ×", [
      ratio("Sluice chat", 1.5),
      ratio("Sluice messages", 1.5),
      ratio("Sluice gemini", 1.5),
    ]),
    check(
      "transcoding, burst, against parse-and-stringify in the same process",
      "≤ 0.5 ×",
      Object.entries(stream).map(([name, value]) => ({ value, limit: 0.5, text: `${name} ${times(value)}` })),
    ),
    check("added time to first byte at 500 streams", "p50 ≤ 1 ms, p99 ≤ 5 ms", [
      added("Sluice responses", "probeP50Ms", 1),
      added("Sluice responses", "probeP99Ms", 5),
      added("Sluice chat", "probeP50Ms", 1),
      added("Sluice chat", "probeP99Ms", 5),
    ]),
    manyStreams(figures),
    check("processor time an event with 2 workers against 1", "≤ 1.1 ×", [
      threadRatio(figures, "responses"),
      threadRatio(figures, "chat"),
    ]),
    check("short JSON calls a second against a bare Bun proxy", "≥ 0.8 ×", [
      { value: rate, limit: 0.8, text: times(rate), atLeast: true },
    ]),
    growthTarget(figures),
    soakTarget(soak),
  ]
}

function manyStreams(figures: readonly Figure[]): Target {
  const many = figureAt(figures, "growth-9500", "Sluice responses")
  const few = figureAt(figures, "growth-100", "Sluice responses")
  const direct = figureAt(figures, "growth-9500", "direct")
  // Of those that have begun: the others hold a connection at most.
  const more = (many?.streaming ?? Number.NaN) - (few?.streaming ?? Number.NaN)
  const memoryKb = ((many?.residentBytes ?? Number.NaN) - (few?.residentBytes ?? Number.NaN)) / more / 1024
  const late = (many?.deliveryP99Ms ?? Number.NaN) - (direct?.deliveryP99Ms ?? Number.NaN)
  return check("9,500 paced streams in one process", "all served, ≤ 60 KB each, events late p99 ≤ 10 ms", [
    { value: -(many?.streaming ?? Number.NaN), limit: -9500, text: `${many?.streaming ?? 0} at once` },
    { value: memoryKb, limit: 60, text: `${memoryKb.toFixed(0)} KB a stream` },
    { value: late, limit: 10, text: `p99 ${ms(late)} later than without a gateway` },
  ])
}

function soakTarget(soak: SoakResult | undefined): Target {
  const { streams = 0, leases = Number.NaN } = soak ?? {}
  const sockets = (soak?.clientSockets ?? Number.NaN) + (soak?.runningUpstream ?? Number.NaN)
  const drift = (soak?.lateBytes ?? Number.NaN) / (soak?.earlyBytes ?? Number.NaN) - 1
  return check("soak: 1 million streams, 5 % aborts, 2 % faults", "0 leases and sockets leaked, memory ± 5 %", [
    { value: -streams, limit: -1_000_000, text: `${streams.toLocaleString("en")} streams` },
    { value: leases, limit: 0, text: `${leases} leases` },
    { value: sockets, limit: 0, text: `${sockets} sockets` },
    {
      value: Math.abs(drift),
      limit: 0.05,
      text: `memory ${drift < 0 ? "−" : "+"} ${Math.abs(100 * drift).toFixed(1)} %`,
    },
  ])
}

function threadRatio(figures: readonly Figure[], dialect: string): Check {
  const cost = (peer: string) => figureAt(figures, "threads", `${peer} ${dialect}`)?.cpuMicrosAnEvent ?? Number.NaN
  const value = cost("Sluice on 2 threads") / cost("Sluice")
  return { value, limit: 1.1, text: `${dialect} ${times(value)}` }
}

function growthTarget(figures: readonly Figure[]): Target {
  const cost = (size: number) => figureAt(figures, `growth-${size}`, "Sluice responses")?.cpuMicrosAnEvent ?? Number.NaN
  const nginx = (size: number) => figureAt(figures, `growth-${size}`, "nginx")?.cpuMicrosAnEvent ?? Number.NaN
  const value = cost(9500) / cost(100)
  const text = `${times(value)} (nginx ${times(nginx(9500) / nginx(100))})`
  return check("growth: processor time an event at 9,500 streams against 100", "≤ 1.3 ×", [{ value, limit: 1.3, text }])
}
