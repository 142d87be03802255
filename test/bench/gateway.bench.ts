/**
 * Sluice beside nginx, Portkey's gateway and a bare proxy on the same runtime: in one run, in turns, on the same bytes.
 * Run: `./dev bench gateway`; `--rounds N`, `--only NAME,…` for some workloads, `--smoke` for a short run that only
 * shows that it works, `--write` to write docs/performance.md. Linux only: processor time comes from its kernel.
 */

import { parseArgs } from "node:util"

import { type Figure, figuresOf } from "./gateway/figures.ts"
import { measure, type Sample } from "./gateway/measure.ts"
import { loadNow, type Results, tableOf, targetTable, writePage } from "./gateway/page.ts"
import { measureStreams } from "./gateway/stream-ratios.ts"
import { targetsOf } from "./gateway/targets.ts"
import { planOf, type Workload, workloads } from "./gateway/workloads.ts"
import { startWorld, type World } from "./gateway/world.ts"

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    only: { type: "string", default: "" },
    smoke: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
  },
  strict: false,
})
const isSmoke = values.smoke === true
const rounds = isSmoke ? 1 : Number(values.rounds)

/** The road names of one workload: `Sluice chat`, and `Sluice mixed` for several dialects. */
function roadsOf(workload: Workload, world: World) {
  return workload.roads.flatMap(({ peer, dialects }) => {
    const found = world.peers.find(({ name }) => name === peer)
    const spoken = dialects.length > 1 ? "mixed" : dialects[0]
    return found === undefined ? [] : [{ name: peer === "Sluice" ? `Sluice ${spoken}` : peer, peer: found, dialects }]
  })
}

async function run(workload: Workload, world: World): Promise<ReadonlyMap<string, readonly Sample[]>> {
  const samples = new Map<string, Sample[]>()
  const count = Math.min(rounds, workload.rounds ?? rounds)
  // The first round is for the compilers of the runtimes and counts for nothing.
  const warmUps = count > 1 ? 1 : 0
  for (let round = 0; round < count + warmUps; round += 1) {
    for (const { name, peer, dialects } of roadsOf(workload, world)) {
      const sample = await measure(world, peer, planOf(workload, peer, dialects), workload)
      if (round >= warmUps) samples.set(name, [...(samples.get(name) ?? []), sample])
    }
  }
  return samples
}

if (process.platform !== "linux") {
  console.log("bench: the gateway bench reads processor times from Linux's kernel and does not run here")
  process.exit(0)
}
const only = String(values.only).split(",").filter(Boolean)
const chosen = workloads(isSmoke).filter(({ name }) => only.length === 0 || only.some(word => name.startsWith(word)))
const repeats = new Set(chosen.filter(workload => workload.repeats).map(({ name }) => name))
const loads = [loadNow()]
const stream = isSmoke || only.length > 0 ? {} : await measureStreams()
const world = await startWorld()
let figures: readonly Figure[] = []
try {
  const samples = new Map<string, ReadonlyMap<string, readonly Sample[]>>()
  for (const workload of chosen) {
    samples.set(workload.name, await run(workload, world))
    figures = figuresOf(samples, repeats)
    console.log(`\n### ${workload.name}: ${workload.says}\n${tableOf(figures, workload)}`)
  }
} finally {
  await world.stop()
}
const targets = targetsOf(figures, stream)
console.log(`\n${targetTable(targets)}`)
const versions = Object.fromEntries(world.peers.filter(({ version }) => version !== "").map(p => [p.name, p.version]))
const results: Results = { figures, targets, stream, workloads: chosen, versions, load: [...loads, loadNow()] }
if (values.write === true) await writePage(results)
