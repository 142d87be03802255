/** A gateway over a simulated upstream, with throw-away folders and key. */

import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"

import { GatewayError } from "#core/errors.ts"
import { makeId } from "#core/ids.ts"
import { type Simulator, startSimulator } from "#simulator/simulator.ts"
import type { Log } from "#telemetry/log.ts"

import { type RunningGateway, runGateway } from "./compose/run-gateway.ts"
import { demoConfig } from "./demo-config.ts"
import { VERSION } from "./version.ts"

/** A demonstration that is up. */
export type DemoGateway = {
  readonly origin: string
  readonly key: string
  readonly accounts: number
  readonly stop: () => Promise<void>
}

/** Where and how to start. Port 0 takes a free one; another port that is taken is replaced by a free one. */
export type DemoOptions = { readonly folder: string; readonly port: number; readonly log: Log }

const ACCOUNTS = 3

/** Starts the simulator and the gateway. Everything they write lies in `folder`. */
export async function startDemo(options: DemoOptions): Promise<DemoGateway> {
  const simulator = startSimulator({ accounts: ACCOUNTS, usePercentPerRequest: 0.2 })
  const key = makeId("sk-demo-", bytes => crypto.getRandomValues(bytes))
  try {
    await writeAccounts(simulator, join(options.folder, "auths"))
    const running = await startOnFreePort(simulator, key, options)
    return {
      origin: running.url.origin,
      key,
      accounts: ACCOUNTS,
      stop: async () => {
        await running.stop()
        await simulator.stop()
      },
    }
  } catch (cause) {
    await simulator.stop()
    throw cause
  }
}

async function writeAccounts(simulator: Simulator, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  for (const { name } of simulator.control.accounts()) {
    await writeFile(join(folder, `${name}.json`), JSON.stringify(simulator.control.accountFile(name)), { mode: 0o600 })
  }
}

async function startOnFreePort(simulator: Simulator, key: string, options: DemoOptions): Promise<RunningGateway> {
  try {
    return await start(simulator, key, options)
  } catch (cause) {
    const taken = cause instanceof GatewayError && cause.message.startsWith("Cannot listen")
    if (!taken || options.port === 0) throw cause
    return start(simulator, key, { ...options, port: 0 })
  }
}

async function start(simulator: Simulator, key: string, options: DemoOptions): Promise<RunningGateway> {
  const config = await demoConfig({ ...options, key, upstream: simulator.url })
  return runGateway({ config: () => config, log: options.log, env: {}, version: VERSION })
}
