/** One measurement: a load on one peer, a window in the middle of it, and what the kernel says the peer used. */

import type { LoadPlan, LoadReport, WindowReport } from "./load-plan.ts"
import type { Peer } from "./peers.ts"
import { makeCpuReader, residentBytes } from "./processor.ts"
import type { World } from "./world.ts"

/** What one window gave. */
export type Sample = WindowReport & {
  /** User and system time of the peer's process; NaN without a gateway. */
  readonly cpuMicros: number
  readonly residentBytes: number
}

/** How long things take. */
export type WindowTimes = {
  /** From the last connection to the window. */
  readonly settleMs: number
  readonly windowMs: number
}

const cpuMicrosOf = makeCpuReader()

/** Runs one load. Rejects when a single answer fails: figures of a load that was not served mean nothing. */
export async function measure(
  { load }: Pick<World, "load">,
  peer: Peer,
  plan: LoadPlan,
  { settleMs, windowMs }: WindowTimes,
): Promise<Sample> {
  await load.ask({ do: "start", plan })
  await Bun.sleep(settleMs)
  const cpu = () => (peer.pid === 0 ? Number.NaN : cpuMicrosOf(peer.pid))
  await load.ask({ do: "open-window" })
  const before = cpu()
  await Bun.sleep(windowMs)
  const cpuMicros = cpu() - before
  // What a child answers to this order is what load-process.ts returns for it; the same for the next.
  const report = (await load.ask({ do: "close-window" })) as WindowReport
  const resident = peer.pid === 0 ? Number.NaN : residentBytes(peer.pid)
  const end = (await load.ask({ do: "finish" })) as LoadReport
  if (end.failures > 0) {
    throw new Error(`${peer.name}: ${end.failures} of ${end.answers} answers failed, the first: ${end.firstFailure}`)
  }
  return { ...report, cpuMicros, residentBytes: resident }
}

/** The middle of some values; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.filter(value => !Number.isNaN(value)).toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
