/** From samples to figures: medians over the rounds, and ratios between peers within each round. */

import { median, type Sample } from "./measure.ts"

/** One peer under one workload. */
export type Figure = {
  readonly workload: string
  /** `nginx`, `Sluice chat`, … */
  readonly road: string
  readonly rounds: number
  readonly cpuMicrosAnEvent: number
  readonly cpuMicrosAnAnswer: number
  readonly eventsASec: number
  readonly answersASec: number
  readonly deliveryP50Ms: number
  readonly deliveryP99Ms: number
  readonly probeP50Ms: number
  readonly probeP99Ms: number
  readonly streaming: number
  readonly residentBytes: number
  /** Processor time an event (an answer where answers repeat) against nginx, the median of each round's ratio. */
  readonly againstNginx: number
  /** Answers a second against the bare proxy, likewise. */
  readonly rateAgainstBare: number
}

/** Samples by workload, road and round. */
export type Samples = ReadonlyMap<string, ReadonlyMap<string, readonly Sample[]>>

/** Works out all figures; `repeats` says of which workloads the answers count, and not the events. */
export function figuresOf(samples: Samples, repeats: ReadonlySet<string>): readonly Figure[] {
  return [...samples].flatMap(([workload, roads]) =>
    [...roads].map(([road, rounds]) => {
      const costOf = repeats.has(workload) ? perAnswer : perEvent
      const over = (of: (sample: Sample) => number) => median(rounds.map(of))
      return {
        workload,
        road,
        rounds: rounds.length,
        cpuMicrosAnEvent: over(perEvent),
        cpuMicrosAnAnswer: over(perAnswer),
        eventsASec: over(({ events, seconds }) => events / seconds),
        answersASec: over(rate),
        deliveryP50Ms: over(({ delivery }) => delivery.p50Ms ?? Number.NaN),
        deliveryP99Ms: over(({ delivery }) => delivery.p99Ms ?? Number.NaN),
        probeP50Ms: over(({ probe }) => probe.p50Ms ?? Number.NaN),
        probeP99Ms: over(({ probe }) => probe.p99Ms ?? Number.NaN),
        streaming: over(({ streaming }) => streaming),
        residentBytes: over(sample => sample.residentBytes),
        againstNginx: ratios(rounds, roads.get("nginx"), costOf),
        rateAgainstBare: ratios(rounds, roads.get("bare Bun proxy"), rate),
      }
    }),
  )
}

function perEvent({ cpuMicros, events }: Sample): number {
  return events === 0 ? Number.NaN : cpuMicros / events
}

function perAnswer({ cpuMicros, answers }: Sample): number {
  return answers === 0 ? Number.NaN : cpuMicros / answers
}

function rate({ answers, seconds }: Sample): number {
  return answers / seconds
}

function ratios(
  rounds: readonly Sample[],
  others: readonly Sample[] | undefined,
  of: (sample: Sample) => number,
): number {
  return median(rounds.map((sample, at) => of(sample) / ratioBase(others?.[at], of)))
}

function ratioBase(other: Sample | undefined, of: (sample: Sample) => number): number {
  return other === undefined ? Number.NaN : of(other)
}

/** Finds a figure; undefined when it was not taken. */
export function figureAt(figures: readonly Figure[], workload: string, road: string): Figure | undefined {
  return figures.find(figure => figure.workload === workload && figure.road === road)
}
