/** Cold start and idle memory of the compiled binary with 1,000 account files. Goals: ready in 100 ms, 80 MB resident. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import { compiledBinary, freePort, startGateway } from "../support/binary.ts"

const ACCOUNTS = 1000
const RUNS = 7
/** The collector and the first background work have settled by then. */
const SETTLE_MS = 2000
const GOAL_READY_MS = 100
const GOAL_RESIDENT_MB = 80

type Sample = { readonly readyMs: number; readonly answeredMs: number; readonly residentMb: number }

/** A token whose only readable part is its expiry, far enough away that nothing is refreshed. */
function makeToken(index: number): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url")
  const claims = {
    exp: 4_000_000_000,
    sub: `user-${index}`,
    "https://api.openai.com/auth": { chatgpt_account_id: `workspace-${index}` },
  }
  return `${encode({ alg: "none" })}.${encode(claims)}.c2lnbmF0dXJl`
}

function writeAccounts(folder: string): void {
  mkdirSync(folder, { recursive: true })
  for (let index = 0; index < ACCOUNTS; index++) {
    const file = {
      type: "codex",
      email: `account-${index}@example.com`,
      account_id: `workspace-${index}`,
      access_token: makeToken(index),
      refresh_token: `refresh-${index}`,
    }
    writeFileSync(join(folder, `account-${index}.json`), JSON.stringify(file), { mode: 0o600 })
  }
}

function residentMb(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]
  return Number(kilobytes) / 1024
}

async function measure(binary: string, folder: string, run: number): Promise<Sample> {
  const address = `127.0.0.1:${freePort()}`
  const config = join(folder, `run-${run}.yaml`)
  // Nothing may call out: the upstream is a closed port, and all background work is off.
  const lines = [
    `listen: ${address}`,
    `auth-dir: ${join(folder, "auths")}`,
    `data-dir: ${join(folder, `data-${run}`)}`,
    "base-url: http://127.0.0.1:9/backend-api/codex",
    "health-check-interval: 0",
    "keepalive-interval: 0",
  ]
  writeFileSync(config, `${lines.join("\n")}\n`)
  const startedAtMs = performance.now()
  const gateway = await startGateway({
    command: [binary, "serve", "--config", config],
    url: `http://${address}`,
    cwd: folder,
    env: { HOME: folder, PATH: "/usr/bin:/bin" },
  })
  const live = await fetch(`${gateway.url}/health/live`)
  const answeredMs = performance.now() - startedAtMs
  if (live.status !== 200) throw new Error(`/health/live answered ${live.status}:\n${gateway.output()}`)
  await Bun.sleep(SETTLE_MS)
  const sample = { readyMs: gateway.readyMs, answeredMs, residentMb: residentMb(gateway.pid) }
  await gateway.stop()
  return sample
}

function report(name: string, values: readonly number[], goal: number, unit: string): void {
  const sorted = values.toSorted((a, b) => a - b)
  const median = sorted[sorted.length >> 1] ?? Number.NaN
  const verdict = median <= goal ? "within" : "OVER"
  const range = `${sorted[0]?.toFixed(1)}–${sorted.at(-1)?.toFixed(1)}`
  console.log(
    `${name.padEnd(24)} median ${median.toFixed(1)} ${unit} (${range}), ${verdict} the goal of ${goal} ${unit}`,
  )
}

const folder = mkdtempSync(join(tmpdir(), "sluice-start-"))
try {
  writeAccounts(join(folder, "auths"))
  const binary = await compiledBinary()
  const samples: Sample[] = []
  for (let run = 0; run < RUNS; run++) samples.push(await measure(binary, folder, run))
  console.log(`${ACCOUNTS} account files, ${RUNS} starts with a new data folder each`)
  report(
    "listening after",
    samples.map(sample => sample.readyMs),
    GOAL_READY_MS,
    "ms",
  )
  report(
    "first answer after",
    samples.map(sample => sample.answeredMs),
    GOAL_READY_MS,
    "ms",
  )
  report(
    "resident, idle",
    samples.map(sample => sample.residentMb),
    GOAL_RESIDENT_MB,
    "MB",
  )
} finally {
  rmSync(folder, { recursive: true, force: true })
}
