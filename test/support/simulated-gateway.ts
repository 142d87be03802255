/** The compiled gateway over an in-process simulator, for tests that act as a client. */

import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"

import type { SimulatorControl } from "#simulator/control.ts"
import { startSimulator } from "#simulator/simulator.ts"

import { compiledBinary, freePort, type StartedGateway, startGateway } from "./binary.ts"
import { refuseClearSecrets } from "./clear-text.ts"

/** A gateway that is up, with its simulated upstream. */
export type SimulatedGateway = {
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  readonly key: string
  /** The simulator's origin. */
  readonly upstream: string
  readonly control: SimulatorControl
  readonly process: StartedGateway
  /** An empty folder of this gateway's own; removed at the end. */
  readonly folder: string
  readonly stop: () => Promise<void>
}

/** How to start: number of accounts, and further settings as kebab-case keys. */
export type SimulatedGatewayOptions = {
  readonly accounts?: number
  readonly settings?: Readonly<Record<string, unknown>>
}

/** Starts simulator and binary. */
export async function startSimulatedGateway(options: SimulatedGatewayOptions = {}): Promise<SimulatedGateway> {
  const simulator = startSimulator({ accounts: options.accounts ?? 2 })
  const folder = await mkdtemp(join(tmpdir(), "sluice-test-"))
  const key = "sk-sluice-test-key"
  const authDir = join(folder, "auths")
  for (const { name } of simulator.control.accounts()) {
    await Bun.write(join(authDir, `${name}.json`), JSON.stringify(simulator.control.accountFile(name)))
  }
  const url = `http://127.0.0.1:${freePort()}`
  const settings = {
    listen: url.slice("http://".length),
    "auth-dir": authDir,
    "data-dir": join(folder, "data"),
    "base-url": `${simulator.url}/backend-api/codex`,
    "log-format": "json",
    ...options.settings,
  }
  const config = join(folder, "sluice.yaml")
  const lines = Object.entries(settings).map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
  await writeFile(config, [...lines, `api-keys: ["${key}"]`, `oauth: { issuer: "${simulator.url}" }`, ""].join("\n"))
  const binary = await compiledBinary()
  const process = await startGateway({
    command: [binary, "serve", "--config", config],
    url,
    cwd: folder,
    env: { HOME: folder, PATH: "/usr/bin:/bin" },
  }).catch(async (cause: unknown) => {
    // Nobody will stop what has no handle.
    await simulator.stop()
    await rm(folder, { recursive: true, force: true })
    throw cause
  })
  return {
    url,
    key,
    upstream: simulator.url,
    control: simulator.control,
    process,
    folder,
    stop: async () => {
      await process.stop()
      await simulator.stop()
      const { control } = simulator
      const secrets = [...control.accounts().map(({ apiKey }) => apiKey), ...control.issuedTokens()]
      try {
        refuseClearSecrets({ secrets, outputs: [process.output()], bodies: [], folder })
      } finally {
        await rm(folder, { recursive: true, force: true })
      }
    },
  }
}
