/**
 * The scheduler under random events beside a bookkeeper that knows what must hold: after every step slots = live attempts, no
 * pick outside eligibility, no block of one cause ends sooner than it was to, and on a sample of the picks the order is what a
 * search through all accounts finds. Exit code 1 with seed and step when one of these is broken.
 * Run: `./dev bench random`; `--steps N` (10,000,000 otherwise), `--smoke` for 200,000, `--seed N` for the same run again, `--json`.
 */

import { parseArgs } from "node:util"

import { runRandomWorld } from "../unit/scheduler/random-run.ts"

const { values } = parseArgs({
  options: {
    steps: { type: "string" },
    seed: { type: "string" },
    smoke: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
})
const steps = Number(values.steps ?? (values.smoke ? 200_000 : 10_000_000))
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
const isWhole = (value: number, least: number) => Number.isSafeInteger(value) && value >= least
if (!isWhole(steps, 1) || !isWhole(seed, 0)) {
  console.error("random: --steps and --seed take whole numbers, e.g. --steps 1000000 --seed 7")
  process.exit(2)
}

console.error(`random: ${steps} steps, seed ${seed}`)
const startedAtMs = performance.now()
const tookSec = () => (performance.now() - startedAtMs) / 1000
const tell = (step: number) => console.error(`… ${step} steps, ${tookSec().toFixed(0)} s`)
try {
  const result = await runRandomWorld({ steps, seed, progress: { everySteps: 500_000, tell } })
  const facts = { steps, seed, ...result, tookSec: Math.round(tookSec()) }
  const text = `${steps} steps with seed ${seed} in ${facts.tookSec} s: ${result.picks} picks, ${result.sampled} of them compared with a search, every promise kept`
  console.log(values.json ? JSON.stringify(facts) : text)
} catch (cause) {
  console.error(`FAILED after ${tookSec().toFixed(0)} s: ${cause instanceof Error ? cause.message : cause}`)
  process.exit(1)
}
