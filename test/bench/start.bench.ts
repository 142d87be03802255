/**
 * Cold start and idle memory of the compiled binary with 1,000 accounts, beside the smallest server the same runtime makes.
 * Goals: ready to listen in 100 ms from process start, 80 MB resident when idle. Run: `bun test/bench/start.bench.ts`.
 */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import { type Simulator, startSimulator } from "#simulator/simulator.ts"

import { compiledBinary, freePort, type StartedGateway, startGateway } from "../support/binary.ts"
import { ROOT } from "../support/source-tree.ts"
import { sized } from "./smoke.ts"

const ACCOUNTS = sized(1000, 20)
const ROUNDS = sized(9, 1)
/** The collector and the first background work have settled by then. */
const SETTLE_MS = sized(2000, 50)
const GOAL_READY_MS = 100
const GOAL_RESIDENT_MB = 80

/** The floor: a server without routes, compiled with the same settings, says `listening` as the gateway does. */
const SMALLEST_SERVER = `
const [hostname, port] = process.argv.at(-1).split(":")
Bun.serve({ hostname, port: Number(port), fetch: () => new Response("ok") })
console.error("listening")
process.on("SIGTERM", () => process.exit(0))
`

/** Milliseconds from process start; megabytes resident after {@link SETTLE_MS} without a request. */
type Sample = { readonly readyMs: number; readonly answerMs: number; readonly residentMb: number }

type Start = {
  readonly command: readonly string[]
  readonly address: string
  /** Asks for something that only a server that is really up can answer. */
  readonly ask: (origin: string) => Promise<Response>
}

async function measure(start: Start, cwd: string): Promise<Sample> {
  const startedAtMs = performance.now()
  const running = await startGateway({
    command: start.command,
    url: `http://${start.address}`,
    cwd,
    env: { HOME: cwd, PATH: "/usr/bin:/bin" },
  })
  const answer = await start.ask(running.url)
  const text = await answer.text()
  const answerMs = performance.now() - startedAtMs
  if (answer.status !== 200) throw new Error(`answered ${answer.status}: ${text}\n${running.output()}`)
  await Bun.sleep(SETTLE_MS)
  const residentMb = residentMbOf(running)
  await running.stop()
  return { readyMs: running.readyMs, answerMs, residentMb }
}

function residentMbOf({ pid }: StartedGateway): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]
  return Number(kilobytes) / 1024
}

async function buildSmallestServer(folder: string): Promise<string> {
  const entry = join(folder, "smallest-server.ts")
  writeFileSync(entry, SMALLEST_SERVER)
  const command = [process.execPath, "scripts/build-binary.ts", "--entry", entry, "--outdir", join(folder, "smallest")]
  const built = Bun.spawnSync(command, { cwd: ROOT, stdout: "ignore" })
  if (!built.success) throw new Error(built.stderr.toString())
  return join(folder, "smallest", "sluice")
}

/** Account files as people import them, with tokens the simulator accepts. */
function writeAccounts(simulator: Simulator, folder: string): void {
  mkdirSync(folder, { recursive: true })
  for (const { name } of simulator.control.accounts()) {
    writeFileSync(join(folder, `${name}.json`), JSON.stringify(simulator.control.accountFile(name)), { mode: 0o600 })
  }
}

/** Nothing may run beside the start that is measured, so the work in the background is off. */
function writeConfig(file: string, settings: Readonly<Record<string, string>>): void {
  const quiet = { "health-check-interval": 0, "keepalive-interval": 0 }
  const lines = Object.entries({ ...settings, ...quiet }).map(([name, value]) => `${name}: ${value}`)
  writeFileSync(file, `${lines.join("\n")}\n`)
}

function askModel(origin: string): Promise<Response> {
  const messages = [{ role: "user", content: "Say hello." }]
  return fetch(`${origin}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: "gpt-5.5", messages }),
  })
}

type Bench = { readonly folder: string; readonly binary: string; readonly smallest: string; readonly upstream: string }

/** One round: the floor, a first start with an empty data folder, and a second one with what the first has kept. */
async function runRound(bench: Bench, round: number): Promise<readonly Sample[]> {
  const { folder, binary, smallest, upstream } = bench
  const address = `127.0.0.1:${freePort()}`
  const config = join(folder, `round-${round}.yaml`)
  writeConfig(config, {
    listen: address,
    "auth-dir": join(folder, "auths"),
    "data-dir": join(folder, `data-${round}`),
    "base-url": `${upstream}/backend-api/codex`,
  })
  const gateway = { command: [binary, "serve", "--config", config], address, ask: askModel }
  return [
    await measure({ command: [smallest, address], address, ask: origin => fetch(origin) }, folder),
    await measure(gateway, folder),
    await measure(gateway, folder),
  ]
}

function describe(values: readonly number[], unit: string): string {
  const sorted = values.toSorted((left, right) => left - right)
  const [least, median, most] = [sorted[0], sorted[sorted.length >> 1], sorted.at(-1)].map(value => value?.toFixed(1))
  return `median ${median} ${unit} (${least}–${most})`
}

function report(name: string, samples: readonly Sample[]): void {
  console.log(name)
  console.log(
    `  listening after    ${describe(
      samples.map(one => one.readyMs),
      "ms",
    )}`,
  )
  console.log(
    `  first answer after ${describe(
      samples.map(one => one.answerMs),
      "ms",
    )}`,
  )
  console.log(
    `  resident, idle     ${describe(
      samples.map(one => one.residentMb),
      "MB",
    )}`,
  )
}

function medianOf(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[values.length >> 1] ?? Number.NaN
}

function judge(name: string, value: number, goal: { readonly most: number; readonly unit: string }): void {
  const verdict = value <= goal.most ? "within" : "OVER"
  console.log(`${name}: ${value.toFixed(1)} ${goal.unit}, ${verdict} the goal of ${goal.most} ${goal.unit}`)
}

const folder = mkdtempSync(join(tmpdir(), "sluice-start-"))
const simulator = startSimulator({ accounts: ACCOUNTS })
try {
  writeAccounts(simulator, join(folder, "auths"))
  const [binary, smallest] = await Promise.all([compiledBinary(), buildSmallestServer(folder)])
  const rounds: (readonly Sample[])[] = []
  for (let round = 0; round < ROUNDS; round++) {
    rounds.push(await runRound({ folder, binary, smallest, upstream: simulator.url }, round))
  }
  const column = (index: number) => rounds.flatMap(round => round[index] ?? [])
  console.log(`${ACCOUNTS} accounts, ${ROUNDS} rounds; an answer of the gateway is a model's, through the simulator`)
  report("baseline: a server without routes, same runtime", column(0))
  report("first start, empty data folder", column(1))
  report("next start, data folder of the first", column(2))
  judge("ready to listen, first start", medianOf(column(1).map(one => one.readyMs)), {
    most: GOAL_READY_MS,
    unit: "ms",
  })
  judge("resident, idle", medianOf(column(1).map(one => one.residentMb)), { most: GOAL_RESIDENT_MB, unit: "MB" })
} finally {
  await simulator.stop()
  rmSync(folder, { recursive: true, force: true })
}
