/**
 * A day of simulated traffic in virtual time through the real scheduler, affinity, retry rules and quota code, once for every
 * policy: 1,000 accounts of several plans with quota windows of 5 hours and a week, load that follows the hour, bursts, two
 * outages and a brownout of the upstream, accounts that bear only so much at a time, slow ones, tokens that run out or are taken
 * back, two proxies that die, and conversations whose prompt the upstream caches for ten minutes. The parts are in
 * test/support/day; what a serviceable request is, `oracle.ts` there says. Exit code 1 when the default policy misses a target.
 * Run: `./dev bench day`; `--seed N` for the same day again, `--strategy NAME` for one policy, `--smoke` for a short day,
 * `--accounts N`, `--requests N` (in an average hour), `--jobs N` days at a time (2 otherwise), `--json`.
 */

import { parseArgs } from "node:util"

import { STRATEGIES, type Strategy } from "#scheduler/pick/strategies.ts"

import type { DayRow } from "../support/day/day-row.ts"
import { renderRows, TARGETS } from "../support/day/day-table.ts"
import { FULL_DAY, SHORT_DAY } from "../support/day/plans.ts"
import { runDay } from "../support/day/run-day.ts"

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    strategy: { type: "string" },
    smoke: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    accounts: { type: "string" },
    requests: { type: "string" },
    jobs: { type: "string", default: "2" },
    /** For the processes that this one starts: one day, its row as JSON. */
    child: { type: "boolean", default: false },
  },
})

function wholeNumber(name: string, text: string, least: number): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value >= least) return value
  console.error(`day: --${name} takes a whole number from ${least} on, not ${text}`)
  process.exit(2)
}

function strategiesAsked(): readonly Strategy[] {
  if (values.strategy === undefined) return STRATEGIES
  const asked = STRATEGIES.find(strategy => strategy === values.strategy)
  if (asked !== undefined) return [asked]
  console.error(`day: there is no policy ${values.strategy}; there are ${STRATEGIES.join(", ")}`)
  process.exit(2)
}

const strategies = strategiesAsked()
const base = values.smoke ? SHORT_DAY : FULL_DAY
const plan = {
  ...base,
  seed: wholeNumber("seed", values.seed, 0),
  accounts: wholeNumber("accounts", values.accounts ?? String(base.accounts), 50),
  requestsPerHour: wholeNumber("requests", values.requests ?? String(base.requestsPerHour), 1),
}
const jobs = wholeNumber("jobs", values.jobs, 1)
const startedAtMs = performance.now()
const tookSec = () => Math.round((performance.now() - startedAtMs) / 1000)

/** A process a day: the days share nothing, and two processors do two of them at a time. */
async function runChild(strategy: Strategy): Promise<DayRow> {
  const flags = ["--child", "--strategy", strategy, "--seed", String(plan.seed), ...(values.smoke ? ["--smoke"] : [])]
  const size = ["--accounts", String(plan.accounts), "--requests", String(plan.requestsPerHour)]
  const child = Bun.spawn([process.execPath, import.meta.path, ...flags, ...size], {
    stdout: "pipe",
    stderr: "inherit",
  })
  const text = await new Response(child.stdout).text()
  if ((await child.exited) !== 0) throw new Error(`the day under ${strategy} broke off; what it said stands above`)
  return JSON.parse(text)
}

async function runAll(): Promise<readonly DayRow[]> {
  const waiting = [...strategies]
  const rows = new Map<Strategy, DayRow>()
  const lane = async () => {
    for (let strategy = waiting.shift(); strategy !== undefined; strategy = waiting.shift()) {
      const row = await runChild(strategy)
      rows.set(strategy, row)
      // A run that is broken off has shown what it had.
      console.error(`${renderRows([row])}\n… ${strategy} took until ${tookSec()} s`)
    }
  }
  await Promise.all(Array.from({ length: Math.min(jobs, strategies.length) }, lane))
  return strategies.flatMap(strategy => rows.get(strategy) ?? [])
}

if (values.child) {
  const [strategy = "least-loaded"] = strategies
  const progress = (hour: number, requests: number) => {
    if (hour % 4 === 0) console.error(`… ${strategy}: ${hour} h, ${requests} requests, ${tookSec()} s`)
  }
  console.log(JSON.stringify(await runDay({ ...plan, strategy, progress })))
} else {
  console.error(
    `day: ${plan.accounts} accounts, hours ${plan.fromHour} to ${plan.toHour}, about ${plan.requestsPerHour} requests an hour, seed ${plan.seed}`,
  )
  const rows = await runAll()
  const missed = TARGETS.filter(({ holds }) => rows.some(row => row.strategy === "least-loaded" && !holds(row)))
  const facts = { plan, tookSec: tookSec(), rows, missed: missed.map(({ name }) => name) }
  console.log(values.json ? JSON.stringify(facts) : `${renderRows(rows)}\n\ntook ${facts.tookSec} s, seed ${plan.seed}`)
  for (const { name } of missed) console.error(`MISSED under the default policy: ${name}`)
  process.exitCode = missed.length === 0 ? 0 : 1
}
