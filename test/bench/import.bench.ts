/**
 * Taking in 10,000 accounts with tokens of real size, from NDJSON and from one JSON array: time until every file is
 * written, and the longest time the event loop stood still, beside plain writes of the same files in the same run.
 * Goals: 2 s and 50 ms, by the median round; the plain writes tell how much of a miss is the disk's.
 * Run: `bun test/bench/import.bench.ts`.
 */

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import { NO_MEMORY } from "#accounts/account-from-draft.ts"
import { applyImport } from "#accounts/import-accounts.ts"
import { planImport } from "#accounts/import-plan.ts"
import { systemClock } from "#core/clock.ts"

const ACCOUNTS = 10_000
const ROUNDS = 3
const GOAL_MS = 2000
const GOAL_STANDSTILL_MS = 50

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url")
}

/** Real access tokens are about 2,000 characters long. */
function entryOf(index: number): object {
  const auth = { chatgpt_user_id: `user-${index}`, chatgpt_account_id: `ws-${index % 100}`, chatgpt_plan_type: "plus" }
  const claims = {
    iss: "https://auth.openai.com",
    iat: 1_800_000_000,
    exp: 1_800_864_000,
    "https://api.openai.com/auth": auth,
  }
  const access = `${encode({ alg: "RS256" })}.${encode({ ...claims, email: `u${index}@example.com` })}.${"s".repeat(1500)}`
  return { type: "codex", access_token: access, refresh_token: `rt_${index}`, account_id: `ws-${index % 100}` }
}

function pause(): Promise<void> {
  return new Promise(done => setImmediate(done))
}

/** Measures the longest gap between two turns of the event loop while `work` runs. */
async function longestStandstillMs(work: () => Promise<void>): Promise<number> {
  let longest = 0
  let last = performance.now()
  const timer = setInterval(() => {
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
  }, 1)
  await work()
  longest = Math.max(longest, performance.now() - last)
  clearInterval(timer)
  return longest
}

async function measure(text: string) {
  const authDir = mkdtempSync(join(tmpdir(), "sluice-import-"))
  const parts = { authDir, clock: systemClock, pause, signal: new AbortController().signal }
  let planMs = 0
  const startedAtMs = performance.now()
  try {
    const standstillMs = await longestStandstillMs(async () => {
      const plan = await planImport({ ...parts, memory: NO_MEMORY, present: [], fileNames: [] }, [{ name: "in", text }])
      planMs = performance.now() - startedAtMs
      await applyImport(plan, parts)
    })
    const totalMs = performance.now() - startedAtMs
    if (readdirSync(authDir).length !== ACCOUNTS) throw new Error("not every account was written")
    return { planMs, totalMs, standstillMs }
  } finally {
    rmSync(authDir, { recursive: true, force: true })
  }
}

/** What the disk takes for as many files of that size, written in the simplest way. */
function measurePlainWritesMs(texts: readonly string[]): number {
  const folder = mkdtempSync(join(tmpdir(), "sluice-import-"))
  try {
    const startedAtMs = performance.now()
    for (const [index, text] of texts.entries())
      writeFileSync(join(folder, `${index}.json`), text, { mode: 0o600, flag: "wx" })
    return performance.now() - startedAtMs
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

type Spread = { readonly best: number; readonly median: number; readonly worst: number }

function spreadOf(figures: readonly number[]): Spread {
  const sorted = figures.toSorted((left, right) => left - right)
  const at = (index: number) => sorted[index] ?? Number.NaN
  return { best: at(0), median: at(Math.floor(sorted.length / 2)), worst: at(sorted.length - 1) }
}

function describe({ best, median, worst }: Spread): string {
  return `median ${median.toFixed(0)} ms, best ${best.toFixed(0)} ms, worst ${worst.toFixed(0)} ms`
}

const entries = Array.from({ length: ACCOUNTS }, (_, index) => entryOf(index))
const texts = { ndjson: entries.map(entry => JSON.stringify(entry)).join("\n"), array: JSON.stringify(entries) }
const singles = entries.map(entry => JSON.stringify(entry))
let isMet = true
for (const [name, text] of Object.entries(texts)) {
  const rounds: (Awaited<ReturnType<typeof measure>> & { readonly plainMs: number })[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const plainMs = measurePlainWritesMs(singles)
    rounds.push({ plainMs, ...(await measure(text)) })
  }
  for (const { plainMs, planMs, totalMs, standstillMs } of rounds) {
    const [plain, plan, total, standstill] = [plainMs, planMs, totalMs, standstillMs].map(figure => figure.toFixed(0))
    console.log(
      `${name.padEnd(6)} plain writes ${plain} ms, plan ${plan} ms, all ${total} ms, longest standstill ${standstill} ms`,
    )
  }
  const total = spreadOf(rounds.map(round => round.totalMs))
  const standstill = spreadOf(rounds.map(round => round.standstillMs))
  console.log(
    `${name.padEnd(6)} all: ${describe(total)} (goal ${GOAL_MS}); standstill: ${describe(standstill)} (goal ${GOAL_STANDSTILL_MS})`,
  )
  isMet &&= total.median <= GOAL_MS && standstill.median <= GOAL_STANDSTILL_MS
}
console.log(`goals: ${isMet ? "met" : "missed"}`)
process.exit(isMet ? 0 : 1)
