/** Takes recorded mends out of a copy of the checkout, one at a time, and expects their tests to fail: `./dev mends [number|area …]`. */

import { readFaultTests } from "../test/support/faults/fault-tests.ts"
import { faultOfRecord, loadMends, type RecordedMend } from "../test/support/faults/mends.ts"
import { type FaultRun, runFaults } from "./mends/run-faults.ts"
import { makeScratchCheckout, type ScratchCheckout } from "./mends/scratch-checkout.ts"

const HELP = `Usage: ./dev mends [number|area …] [--json] [--list]

Takes each recorded mend out of a copy of this checkout, runs the tests of its fault there, and expects them to fail.
Nothing in the checkout itself is touched. A mend takes a few seconds where a unit test holds the fault, and about ten where
the binary has to be compiled again.

  number    only mends of these faults, e.g. 5 12
  area      only mends of these files of test/faults/mends, e.g. quota
  --list    name the mends and stop
  --json    the result as JSON on the standard output; progress goes to the other one

Verdicts: red (as it should be), green (the tests do not notice), red-before (they fail with the mend in place as well),
stale (the place in the source is not found once), broken (the source does not build without it), hung (no end within five
minutes), skipped (the tests do not run on this machine).
Exit code 0 when every mend is red or skipped, 1 otherwise, 2 for names that do not exist.
`

type Verdict = "red" | "green" | "red-before" | "stale" | "broken" | "hung" | "skipped"

type Result = {
  readonly fault: number
  readonly area: string
  readonly file: string
  readonly test: string
  readonly verdict: Verdict
  readonly detail?: string
  readonly elapsedMs: number
}

const args = process.argv.slice(2)
const isJson = args.includes("--json")
const tests = readFaultTests()

/** Progress, out of the way of JSON. */
function say(text: string): void {
  if (isJson) console.error(text)
  else console.log(text)
}

/** Picks by number and area. Ends the process for a name that fits nothing. */
function chooseMends(all: readonly RecordedMend[], names: readonly string[]): readonly RecordedMend[] {
  const fits = (mend: RecordedMend, name: string) => String(mend.fault) === name || mend.area === name
  const unknown = names.find(name => !all.some(mend => fits(mend, name)))
  if (unknown !== undefined) {
    const areas = [...new Set(all.map(({ area }) => area))].join(", ")
    const numbers = [...new Set(all.map(({ fault }) => fault))].join(" ")
    console.error(`mends: nothing is recorded for "${unknown}"; there are the areas ${areas} and the faults ${numbers}`)
    process.exit(2)
  }
  return names.length === 0 ? all : all.filter(mend => names.some(name => fits(mend, name)))
}

/** Runs each test file once with every mend in place: tests that fail then prove nothing. */
async function runUnchanged(chosen: readonly RecordedMend[], scratch: ScratchCheckout) {
  const runs = new Map<string, FaultRun>()
  for (const file of new Set(chosen.map(({ test }) => test))) {
    const faults = chosen.filter(({ test }) => test === file).map(({ fault }) => fault)
    say(`unchanged: ${file}, faults ${[...new Set(faults)].join(", ")}`)
    runs.set(file, await runFaults(scratch, file, faults))
  }
  return runs
}

async function tryMend(
  mend: RecordedMend,
  unchanged: FaultRun | undefined,
  scratch: ScratchCheckout,
): Promise<Omit<Result, "elapsedMs">> {
  const { fault, area, file, test } = mend
  const result = (verdict: Verdict, detail?: string) => ({
    fault,
    area,
    file,
    test,
    verdict,
    ...(detail && { detail }),
  })
  const stale = faultOfRecord(mend, tests)
  if (stale !== undefined) return result("stale", stale)
  const before = unchanged?.of(fault) ?? "absent"
  if (before === "skipped") return result("skipped")
  if (before !== "passed") return result("red-before", unchanged?.summary ?? "the tests did not run")
  const run = await scratch.without(mend, () => runFaults(scratch, test, [fault]))
  if (run.isBroken || run.of(fault) === "absent") return result("broken", run.summary)
  if (run.isHung) return result("hung", run.summary)
  return run.of(fault) === "failed" ? result("red") : result("green", run.summary)
}

function table(results: readonly Result[]): string {
  const rows = results.map(
    ({ fault, verdict, elapsedMs, file, detail }) =>
      `${String(fault).padStart(5)}  ${verdict.padEnd(10)}  ${(elapsedMs / 1000).toFixed(1).padStart(6)} s  ${file}${detail === undefined ? "" : `\n       ${detail}`}`,
  )
  return ["fault  verdict         time  without the mend in", ...rows].join("\n")
}

async function main(): Promise<number> {
  if (args.includes("--help") || args.includes("-h")) {
    console.log(HELP)
    return 0
  }
  const unknown = args.find(arg => arg.startsWith("-") && !["--json", "--list"].includes(arg))
  if (unknown !== undefined) {
    console.error(`mends: there is no flag ${unknown}; ./dev mends --help lists them`)
    return 2
  }
  const chosen = chooseMends(
    await loadMends(),
    args.filter(arg => !arg.startsWith("-")),
  )
  if (args.includes("--list")) {
    if (isJson) console.log(JSON.stringify(chosen, undefined, 2))
    else
      for (const { fault, area, file } of chosen)
        console.log(`${String(fault).padStart(3)}  ${area.padEnd(14)} ${file}`)
    return 0
  }
  await using scratch = await makeScratchCheckout()
  const unchanged = await runUnchanged(chosen, scratch)
  const results: Result[] = []
  for (const [index, mend] of chosen.entries()) {
    const startedAtNs = Bun.nanoseconds()
    const tried = await tryMend(mend, unchanged.get(mend.test), scratch)
    const result = { ...tried, elapsedMs: Math.round((Bun.nanoseconds() - startedAtNs) / 1e6) }
    results.push(result)
    say(`[${index + 1}/${chosen.length}] fault ${mend.fault}: ${result.verdict}`)
  }
  const isGood = results.every(({ verdict }) => verdict === "red" || verdict === "skipped")
  if (isJson) console.log(JSON.stringify(results, undefined, 2))
  else
    console.log(
      `\n${table(results)}\n\n${results.filter(({ verdict }) => verdict === "red").length} of ${results.length} red`,
    )
  return isGood ? 0 : 1
}

process.exitCode = await main()
