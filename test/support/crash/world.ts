/** A gateway to be killed: its folders, its simulated upstream in another process, and how it is started. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import type { AccountId } from "#core/ids.ts"

import { compiledBinary, freePort, type LaunchedGateway, launchGateway } from "../binary.ts"
import { type SimulatorProcess, startSimulatorProcess } from "../simulator-process.ts"
import { populate } from "./population.ts"

/** The surroundings of one crash run. */
export type CrashWorld = {
  /** The simulator's names of all accounts. */
  readonly names: readonly string[]
  /** Simulator name of each account that came in as a bare refresh token, by the id that such a token gives. */
  readonly pasted: Map<AccountId, string>
  readonly authDir: string
  readonly dataDir: string
  /** Holds everything, the gateway's working folder included. */
  readonly folder: string
  readonly url: string
  /** The client key. */
  readonly key: string
  readonly simulator: SimulatorProcess
  readonly launch: () => LaunchedGateway
  readonly stop: () => Promise<void>
}

/** The way to the token endpoint and the way back: four exchanges at a time then make about fifty a second. */
const WAY_IN_MS = 20
const WAY_BACK_MS = 15

/** Seconds that the access tokens of every third account live: it needs a new one at almost every use. */
const SHORT_LIFE_SEC = 2

const KEY = "sk-sluice-crash-run-key"

/** Starts the simulator and writes the settings; no gateway runs yet. */
export async function makeCrashWorld(accounts: number): Promise<CrashWorld> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-crash-"))
  const authDir = join(folder, "auths")
  const dataDir = join(folder, "data")
  const simulator = await startSimulatorProcess({ accounts, authDir, cwd: folder })
  await script(simulator, accounts)
  const url = `http://127.0.0.1:${freePort()}`
  const settings = {
    listen: url.slice("http://".length),
    "auth-dir": authDir,
    "data-dir": dataDir,
    "base-url": `${simulator.url}/backend-api/codex`,
    "log-format": "json",
    "keepalive-interval": 0,
    "health-check-interval": 0,
    "health-check-concurrency": 8,
    "api-keys": [KEY],
    oauth: { issuer: simulator.url },
  }
  const config = join(folder, "sluice.yaml")
  writeFileSync(config, JSON.stringify(settings))
  const binary = await compiledBinary()
  const start = { url, cwd: folder, env: { HOME: folder, PATH: "/usr/bin:/bin" } }
  const importer = async (args: readonly string[]) => {
    const command = [binary, "accounts", "import", ...args, "--config", config]
    const child = Bun.spawn(command, { ...start, stdin: "ignore", stdout: "pipe", stderr: "pipe" })
    const [said, code] = await Promise.all([new Response(child.stderr).text(), child.exited])
    if (code !== 0) throw new Error(`the import failed: ${said}`)
  }
  const names = Array.from({ length: accounts }, (_, index) => `account-${index + 1}`)
  const pasted = await populate({ names, authDir, lists: join(folder, "lists"), importer })
  const running = new Set<LaunchedGateway>()
  // Whoever is interrupted leaves nothing running: children outlive their parent.
  const killAll = () => {
    // The signal is sent at once; there is no time to wait for the end.
    for (const gateway of running) void gateway.kill()
    simulator.kill()
    rmSync(folder, { recursive: true, force: true })
  }
  process.on("exit", killAll)
  return {
    names,
    pasted,
    authDir,
    dataDir,
    folder,
    url,
    key: KEY,
    simulator,
    launch: () => {
      const gateway = launchGateway({ ...start, command: [binary, "serve", "--config", config] })
      running.add(gateway)
      void gateway.ended.then(() => running.delete(gateway))
      return gateway
    },
    stop: async () => {
      process.off("exit", killAll)
      await Promise.all([...running].map(gateway => gateway.kill()))
      await simulator.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function script({ control }: SimulatorProcess, accounts: number): Promise<void> {
  await control("script", { endpoint: "token", settings: { headersDelayMs: WAY_IN_MS } })
  await control("script", { scenario: "text", settings: { text: "ok" } })
  for (let number = 1; number <= accounts; number += 1) {
    const name = `account-${number}`
    await control("sign-in", { name, switches: { answerDelayMs: WAY_BACK_MS } })
    if (number % 3 === 0) await control("update-account", { name, account: { accessLifetimeSec: SHORT_LIFE_SEC } })
  }
}
