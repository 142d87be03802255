/** What a soak has found, as it is kept beside the other figures. */

import { join } from "node:path"

import { ROOT } from "../../support/source-tree.ts"

const FILE = Bun.file(join(ROOT, "docs/performance/soak.json"))

/** Counts, and memory in bytes. */
export type SoakResult = {
  readonly streams: number
  readonly seconds: number
  /** User and system time of the gateway. */
  readonly cpuMicrosAStream: number
  readonly whole: number
  readonly left: number
  readonly cut: number
  readonly refused: Readonly<Record<string, number>>
  readonly firstRefusal: string
  /** Turns that reached the upstream, and those it failed on purpose. */
  readonly turns: number
  readonly faults: Readonly<Record<string, number>>
  /** All that follows is what was left when every client had gone. */
  readonly leases: number
  readonly clientSockets: number
  readonly runningUpstream: number
  readonly idleUpstream: number
  /** Resident memory in the middle of the run's first tenths, at its end, and afterwards. */
  readonly earlyBytes: number
  readonly lateBytes: number
  readonly afterBytes: number
}

/** The last soak that was kept; undefined when there is none. */
export async function readSoak(): Promise<SoakResult | undefined> {
  return (await FILE.exists()) ? ((await FILE.json()) as SoakResult) : undefined
}

/** Keeps a soak for the page. */
export async function keepSoak(result: SoakResult): Promise<void> {
  await Bun.write(FILE, `${JSON.stringify(result, undefined, 1)}\n`)
}
