/**
 * What the request log costs: recording on the request's path beside the log line that every request writes anyway, and how
 * long the event loop is held while 2,000 requests a second are written behind it. `./dev bench log`; `--rows N` for a larger log.
 */

import { mkdtempSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"

import { systemClock, systemTimers } from "#core/clock.ts"
import type { AccountId } from "#core/ids.ts"
import type { Outcome } from "#core/outcome.ts"
import { makeJournal } from "#gateway/journal/journal.ts"
import { makeScheduler } from "#scheduler/scheduler.ts"
import { openLogStore } from "#store/log/log-store.ts"
import { makeCounters } from "#telemetry/counters.ts"
import { makeLog } from "#telemetry/log.ts"
import { makeRequestLine } from "#telemetry/request-line.ts"

import { outcomeOf } from "../support/journal/outcomes.ts"

const { values } = parseArgs({ options: { rows: { type: "string", default: "200000" } } })
const FILL_ROWS = Number(values.rows)
const RATE_A_SEC = 2_000
const LOAD_SEC = 8
const TICK_MS = 5
const SAMPLES = 15
const CALLS = 5_000

const folder = mkdtempSync(join(tmpdir(), "sluice-log-bench-"))
const path = join(folder, "log.db")
const journal = makeJournal({
  clock: systemClock,
  timers: systemTimers,
  open: nowMs => openLogStore(path, nowMs),
  warn: (fields, message) => console.log(`warning: ${message} ${JSON.stringify(fields)}`),
  isOn: () => true,
  keepDays: () => ({ requests: 30, details: 7, events: 90 }),
})
const stop = journal.start()

function median(numbers: readonly number[]): number {
  return numbers.toSorted((left, right) => left - right)[Math.floor(numbers.length / 2)] ?? Number.NaN
}

function quantile(numbers: readonly number[], share: number): number {
  return numbers.toSorted((left, right) => left - right)[Math.floor((numbers.length - 1) * share)] ?? Number.NaN
}

const outcomes = Array.from({ length: CALLS }, (_, number) => outcomeOf(number, Date.now()))

/** Microseconds a call of CPU time, the middle of samples taken in turns. */
function cost(run: (outcome: Outcome) => void): number {
  const before = process.cpuUsage()
  for (const outcome of outcomes) run(outcome)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / CALLS
}

const log = await makeLog({ level: "info", format: "json", destination: { write: () => {} } })
const writeLine = makeRequestLine({ log, labelOf: () => "someone@example.com" })
const counters = makeCounters()
const [lineCosts, recordCosts]: [number[], number[]] = [[], []]
for (let sample = 0; sample < SAMPLES; sample += 1) {
  lineCosts.push(
    cost(outcome => {
      counters.recordOutcome(outcome)
      writeLine(outcome)
    }),
  )
  recordCosts.push(cost(journal.record))
  // Written here and not within a sample: this is what happens behind the requests.
  journal.read(store => store.lastRequestId())
}
const [line, record] = [median(lineCosts), median(recordCosts)]
console.log(
  `on the request's path   ${record.toFixed(2)} µs, beside ${line.toFixed(2)} µs for its log line and counts (${(record / line).toFixed(4)} ×)`,
)

const startedNs = Bun.nanoseconds()
const cpuBefore = process.cpuUsage()
for (let written = 0; written < FILL_ROWS; written += 500) {
  for (let number = written; number < written + 500; number += 1) journal.record(outcomeOf(number, Date.now()))
  journal.read(store => store.lastRequestId())
}
const fillSec = (Bun.nanoseconds() - startedNs) / 1e9
const { user, system } = process.cpuUsage(cpuBefore)
console.log(
  `written behind          ${Math.round(FILL_ROWS / fillSec).toLocaleString("en")} rows/s in batches of 500, ${((user + system) / FILL_ROWS).toFixed(1)} µs CPU a row, ${(statSync(path).size / FILL_ROWS).toFixed(0)} bytes a row`,
)

/** Milliseconds by which a timer of 5 ms comes late, while `each` runs at every tick. */
async function lags(each: () => void): Promise<readonly number[]> {
  const late: number[] = []
  let lastMs = performance.now()
  const endMs = lastMs + LOAD_SEC * 1000
  while (lastMs < endMs) {
    await Bun.sleep(TICK_MS)
    const nowMs = performance.now()
    late.push(Math.max(0, nowMs - lastMs - TICK_MS))
    lastMs = nowMs
    each()
  }
  return late
}

let number = 0
const idle = await lags(() => {})
const busy = await lags(() => {
  for (let count = 0; count < (RATE_A_SEC * TICK_MS) / 1000; count += 1) {
    journal.record(outcomeOf(number, Date.now()))
    number += 1
  }
})
const show = (late: readonly number[]) =>
  `p50 ${quantile(late, 0.5).toFixed(2)}, p99 ${quantile(late, 0.99).toFixed(2)}, max ${Math.max(...late).toFixed(1)} ms`
console.log(`event loop, idle        ${show(idle)}`)
console.log(`event loop, 2,000/s     ${show(busy)}`)

/** Milliseconds of the middle of several reads. */
function timed(run: () => unknown): string {
  const times = Array.from({ length: 9 }, () => {
    const fromNs = Bun.nanoseconds()
    run()
    return (Bun.nanoseconds() - fromNs) / 1e6
  })
  return `${median(times).toFixed(2)} ms`
}

const account = `acc_${"1".padStart(16, "0")}`
const day = { sinceMs: 0, untilMs: Date.now() + 86_400_000, spanMs: 86_400_000 }
journal.read(store => {
  console.log(`a page of 50            ${timed(() => store.listRequests({ limit: 50 }))}`)
  console.log(`of one account          ${timed(() => store.listRequests({ accountId: account, limit: 50 }))}`)
  console.log(
    `one that is not there   ${timed(() => store.findRequest("req_none", { fromId: 0, maxRows: 100_000 }))} (100,000 rows searched)`,
  )
  console.log(
    `usage by key and day    ${timed(() => store.readUsage({ ...day, grain: "day", dimension: "key", by: "name" }))}`,
  )
  console.log(
    `a piece of old rows     ${timed(() => store.deleteRequestsBefore(Number.MAX_SAFE_INTEGER, 1_000))} for 1,000`,
  )
})

/** Microseconds for the scheduler's reasons in a pool of this size. */
function explanationCost(accounts: number): number {
  const limits = { accountConcurrency: 4, queueMax: 0, queueTimeoutMs: 0 }
  const scheduler = makeScheduler({
    clock: systemClock,
    timers: systemTimers,
    random: Math.random,
    limits: () => limits,
  })
  for (let index = 0; index < accounts; index += 1) {
    // Only a bench invents ids; the brand keeps plain text out of production code.
    const id = `acc_${index}` as AccountId
    scheduler.upsert({ id, provider: "codex", plan: "plus", lifecycle: "enabled", credential: "fresh" })
  }
  const times = Array.from({ length: 31 }, () => {
    let micros = 0
    const acquired = scheduler.acquire({
      model: "gpt-5",
      exclude: new Set<AccountId>(),
      keyId: "bench",
      deadlineMs: Number.MAX_SAFE_INTEGER,
      explain: (_, write) => {
        const fromNs = Bun.nanoseconds()
        JSON.stringify(write())
        micros = (Bun.nanoseconds() - fromNs) / 1000
      },
    })
    if (acquired.type === "lease") acquired.lease.release()
    return micros
  })
  return median(times)
}

for (const size of [10, 1_000, 10_000]) {
  const micros = explanationCost(size)
  console.log(
    `one explanation         ${micros.toFixed(0)} µs with ${size.toLocaleString("en")} accounts (${(micros / size).toFixed(2)} µs each)`,
  )
}
stop()
journal.close()
rmSync(folder, { recursive: true, force: true })
