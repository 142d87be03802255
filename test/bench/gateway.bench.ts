/**
 * Sluice beside nginx, Portkey's gateway and a bare proxy on the same runtime: in one run, in turns, on the same bytes.
 * Run: `./dev bench gateway`; `--rounds N`, `--only NAME,…` for some workloads, `--smoke` for a short run that only
 * shows that it works, `--write` to write docs/performance.md, `--page` to write it anew from the figures. Linux only: processor time comes from its kernel.
 */

import { parseArgs } from "node:util"

import { type Figure, figuresOf } from "./gateway/figures.ts"
import { measure, type Sample } from "./gateway/measure.ts"
import { loadNow, type Results, rewritePage, tableOf, targetTable, writePage } from "./gateway/page.ts"
import { readSoak } from "./gateway/soak-result.ts"
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
    page: { type: "boolean", default: false },
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
    return found === undefined
      ? []
      : [{ name: peer.startsWith("Sluice") ? `${peer} ${spoken}` : peer, peer: found, dialects }]
  })
}

const failures: string[] = []

type RunRoad = ReturnType<typeof roadsOf>[number]

async function run(workload: Workload, world: World): Promise<ReadonlyMap<string, readonly Sample[]>> {
  const samples = new Map<string, Sample[]>()
  const count = Math.min(rounds, workload.rounds ?? rounds)
  let roads = roadsOf(workload, world)
  // The first round is for the compilers of the runtimes and counts for nothing.
  for (let round = count > 1 ? -1 : 0; round < count; round += 1) {
    for (const road of roads) {
      const sample = await sampleOf(workload, road, world)
      // Without an answer to everything there is no figure, also none of the rounds before.
      if (sample === undefined) roads = roads.filter(other => other !== road)
      else if (round >= 0) samples.set(road.name, [...(samples.get(road.name) ?? []), sample])
    }
  }
  return new Map([...samples].filter(([name]) => roads.some(road => road.name === name)))
}

/** One load; undefined, with a note, when it was not served: the run goes on and says so at its end. */
async function sampleOf(workload: Workload, road: RunRoad, world: World): Promise<Sample | undefined> {
  try {
    return await measure(world, road.peer, planOf(workload, road.peer, road.dialects), workload)
  } catch (cause) {
    failures.push(`${workload.name}: ${cause instanceof Error ? cause.message : String(cause)}`)
    return undefined
  }
}

if (process.platform !== "linux") {
  console.log("bench: the gateway bench reads processor times from Linux's kernel and does not run here")
  process.exit(0)
}
if (values.page === true) {
  await rewritePage()
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
    console.error(`bench: ${workload.name} …`)
    samples.set(workload.name, await run(workload, world))
    figures = figuresOf(samples, repeats)
    console.log(`\n### ${workload.name}: ${workload.says}\n${tableOf(figures, workload)}`)
  }
} finally {
  await world.stop()
}
const targets = targetsOf(figures, stream, await readSoak())
console.log(`\n${targetTable(targets)}`)
const versions = Object.fromEntries(world.peers.filter(({ version }) => version !== "").map(p => [p.name, p.version]))
const results: Results = {
  failures,
  figures,
  targets,
  stream,
  workloads: chosen,
  versions,
  load: [...loads, loadNow()],
}
if (values.write === true) await writePage(results)
if (failures.length > 0) {
  console.error(`\nbench: loads that were not served, without figures:\n${failures.join("\n")}`)
  process.exitCode = 1
}
