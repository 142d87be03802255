/** The gate before a commit: types, lint, format, budgets, promises, dead code; `./dev check [step …]`. */

import { resolve } from "node:path"

type Step = { readonly name: string; readonly what: string; readonly command: readonly string[] }

type Outcome = { readonly step: Step; readonly passed: boolean; readonly elapsedMs: number; readonly output: string }

const root = resolve(import.meta.dir, "..")
const tool = (name: string) => [process.execPath, "--bun", `node_modules/.bin/${name}`]

const STEPS: readonly Step[] = [
  { name: "types", what: "type check", command: [process.execPath, "check", "--no-script"] },
  {
    name: "biome",
    what: "lint, format, import order, budgets",
    command: [...tool("biome"), "check", "--error-on-warnings", "--max-diagnostics=none"],
  },
  { name: "oxlint", what: "promises and switches, with types", command: [...tool("oxlint"), "--type-aware"] },
  { name: "knip", what: "unused files, exports and packages", command: [...tool("knip"), "--no-progress"] },
]

/** Two at a time: the type checker alone keeps several cores busy. */
const PARALLEL_STEPS = 2

async function runStep(step: Step): Promise<Outcome> {
  const startedAtNs = Bun.nanoseconds()
  const child = Bun.spawn([...step.command], { cwd: root, stdin: "ignore", stdout: "pipe", stderr: "pipe" })
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  const elapsedMs = Math.round((Bun.nanoseconds() - startedAtNs) / 1e6)
  return { step, passed: code === 0, elapsedMs, output: `${stdout}${stderr}`.trim() }
}

function report(outcome: Outcome): void {
  const mark = outcome.passed ? "ok  " : "FAIL"
  console.log(
    `${mark} ${outcome.step.name.padEnd(7)} ${String(outcome.elapsedMs).padStart(6)} ms  ${outcome.step.what}`,
  )
  if (!outcome.passed) console.log(`${outcome.output.replaceAll(/^/gm, "     ")}\n`)
}

async function runAll(steps: readonly Step[]): Promise<readonly Outcome[]> {
  const waiting = [...steps]
  const outcomes: Outcome[] = []
  const lane = async () => {
    for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
      const outcome = await runStep(step)
      report(outcome)
      outcomes.push(outcome)
    }
  }
  await Promise.all(Array.from({ length: PARALLEL_STEPS }, lane))
  return outcomes
}

const names = process.argv.slice(2)
const unknown = names.find(name => !STEPS.some(step => step.name === name))
if (unknown !== undefined) {
  console.error(`check: no step "${unknown}"; there are ${STEPS.map(step => step.name).join(", ")}`)
  process.exit(2)
}
const startedAtNs = Bun.nanoseconds()
const outcomes = await runAll(names.length === 0 ? STEPS : STEPS.filter(step => names.includes(step.name)))
const failed = outcomes.filter(outcome => !outcome.passed)
const seconds = ((Bun.nanoseconds() - startedAtNs) / 1e9).toFixed(1)
const verdict = failed.length === 0 ? "all green" : `failed: ${failed.map(one => one.step.name).join(", ")}`
console.log(`check: ${outcomes.length - failed.length} of ${outcomes.length} steps passed in ${seconds} s, ${verdict}`)
process.exitCode = failed.length === 0 ? 0 : 1
