/**
 * Taking in 10,000 accounts with tokens of real size, from NDJSON and from one JSON array: time until every account is
 * sealed and on the disk and serves, and the longest time the event loop stood still. Goals: 2 s and 50 ms, by the median round.
 * Then the same database opened again: time until all accounts are there; goal 1 s.
 * Beside it, in the same run, what the plain cryptography and the plain inserts of the same bytes take.
 * Run: `bun test/bench/import.bench.ts`.
 */

import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import { type AccountPool, makeAccountPool } from "#accounts/account-pool.ts"
import { makeMasterKey } from "#accounts/secrets/master-key.ts"
import { makeSealer } from "#accounts/secrets/seal.ts"
import { systemClock, systemTimers } from "#core/clock.ts"
import { makeIntake } from "#gateway/desk/intake.ts"
import { makeStore } from "#store/store.ts"

const IS_SMOKE = process.argv.includes("--smoke")
const ACCOUNTS = IS_SMOKE ? 200 : 10_000
const ROUNDS = IS_SMOKE ? 1 : 3
const GOAL_MS = 2000
const GOAL_STANDSTILL_MS = 50
const GOAL_START_MS = 1000

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

const random = (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes)
const sealer = makeSealer({ key: makeMasterKey(random), random })

/** A pool on its own folder; nothing is ever sent. */
function openPool(folder: string): { readonly pool: AccountPool; readonly close: () => Promise<void> } {
  const dataDir = join(folder, "data")
  const store = makeStore({ path: join(dataDir, "core.db"), pid: process.pid })
  const pool = makeAccountPool({
    authDir: join(folder, "auths"),
    dataDir,
    rows: store,
    sealer,
    send: () => Promise.reject(new Error("nothing is sent")),
    clock: systemClock,
    timers: systemTimers,
    random,
    isPlanning: false,
    emit: () => {},
  })
  return {
    pool,
    close: async () => {
      await pool.close()
      store.close()
    },
  }
}

async function measure(text: string) {
  const folder = mkdtempSync(join(tmpdir(), "sluice-import-"))
  try {
    const first = openPool(folder)
    await first.pool.start()
    const intake = makeIntake({ accounts: () => first.pool, clock: systemClock, pause })
    const startedAtMs = performance.now()
    const standstillMs = await longestStandstillMs(async () => {
      await intake.importTexts({ sources: [{ name: "in", text }], signal: new AbortController().signal })
    })
    const totalMs = performance.now() - startedAtMs
    await first.close()
    const openedAtMs = performance.now()
    const second = openPool(folder)
    await second.pool.start()
    const startMs = performance.now() - openedAtMs
    const count = second.pool.accounts().length
    await second.close()
    if (count !== ACCOUNTS) throw new Error(`${count} accounts are there`)
    return { totalMs, standstillMs, startMs }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What sealing the same texts takes, without anything around it. */
function measureSealingMs(secrets: readonly string[]): number {
  const startedAtMs = performance.now()
  for (const text of secrets) sealer.seal(text, { table: "credentials", accountId: "", field: "secret_json" })
  return performance.now() - startedAtMs
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
  const rounds: (Awaited<ReturnType<typeof measure>> & { readonly sealingMs: number })[] = []
  for (let round = 0; round < ROUNDS; round++)
    rounds.push({ sealingMs: measureSealingMs(singles), ...(await measure(text)) })
  const spread = (pick: (round: (typeof rounds)[number]) => number) => spreadOf(rounds.map(pick))
  const total = spread(round => round.totalMs)
  const standstill = spread(round => round.standstillMs)
  const start = spread(round => round.startMs)
  console.log(`${name.padEnd(6)} import:     ${describe(total)} (goal ${GOAL_MS})`)
  console.log(`${name.padEnd(6)} standstill: ${describe(standstill)} (goal ${GOAL_STANDSTILL_MS})`)
  console.log(`${name.padEnd(6)} next start: ${describe(start)} (goal ${GOAL_START_MS})`)
  console.log(`${name.padEnd(6)} sealing the same texts alone: ${describe(spread(round => round.sealingMs))}`)
  isMet &&= total.median <= GOAL_MS && standstill.median <= GOAL_STANDSTILL_MS && start.median <= GOAL_START_MS
}
console.log(`goals: ${isMet ? "met" : "missed"}`)
process.exit(isMet ? 0 : 1)
