/** A whole gateway in this process over a simulator, with a port of its own, for tests of the operators' surface. */

import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"

import { runGateway } from "#cli/compose/run-gateway.ts"
import { demoConfig } from "#cli/demo-config.ts"
import type { Config } from "#config/config.ts"
import { type Simulator, startSimulator } from "#simulator/simulator.ts"
import { makeLog } from "#telemetry/log.ts"

import { refuseClearSecrets } from "./clear-text.ts"

/** How to start. */
export type InProcessOptions = {
  /** Accounts of the simulator; default 3. */
  readonly accounts?: number
  /** How many of them have a file at the start; default none. */
  readonly files?: number
  readonly config?: Partial<Config>
  /** How a relay thread is started, for tests that end one. */
  readonly openWorker?: () => Worker
}

/** One answer, its body read; `json` is undefined when the body is none. */
export type Answered = {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly json: ReturnType<typeof JSON.parse>
}

/** A gateway that is up. */
export type InProcessGateway = {
  readonly url: string
  readonly simulator: Simulator
  readonly folder: string
  readonly clientKey: string
  /** Everything logged so far. */
  readonly log: () => string
  /** Asks; an object as `body` goes as JSON. */
  readonly ask: (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answered>
  /** Stops the gateway and starts it again over the same folder; `between` runs while it is down. */
  readonly restart: (between?: () => Promise<void>) => Promise<void>
  /** Throws when a secret stands in clear in the folder, the log or an answer, exports and account files apart. */
  readonly stop: () => Promise<void>
}

function bodyOf(body: unknown): { readonly body?: BodyInit; readonly headers: Record<string, string> } {
  if (body === undefined) return { headers: {} }
  if (typeof body === "string" || body instanceof FormData) return { body, headers: {} }
  return { body: JSON.stringify(body), headers: { "content-type": "application/json" } }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Starts simulator and gateway. */
export async function startInProcessGateway(options: InProcessOptions = {}): Promise<InProcessGateway> {
  const simulator = startSimulator({ accounts: options.accounts ?? 3 })
  const folder = await mkdtemp(join(tmpdir(), "sluice-admin-"))
  for (const { name } of simulator.control.accounts().slice(0, options.files ?? 0)) {
    await Bun.write(join(folder, "auths", `${name}.json`), JSON.stringify(simulator.control.accountFile(name)))
  }
  const clientKey = "sk-client-of-the-test"
  const config: Config = {
    ...(await demoConfig({ folder, port: 0, key: clientKey, upstream: simulator.url })),
    ...options.config,
  }
  const lines: string[] = []
  const bodies: string[] = []
  const log = await makeLog({ level: "debug", format: "json", destination: { write: line => lines.push(line) } })
  const { openWorker } = options
  const start = () =>
    runGateway({
      config: () => config,
      log,
      env: {},
      version: "0.0.0-test",
      ...(openWorker !== undefined && { openWorker }),
    })
  let running = await start()
  return {
    get url() {
      return running.url.origin
    },
    simulator,
    folder,
    clientKey,
    log: () => lines.join(""),
    ask: async (method, path, body, headers = {}) => {
      const sent = bodyOf(body)
      const init = {
        method,
        headers: { ...sent.headers, ...headers },
        ...(sent.body !== undefined && { body: sent.body }),
      }
      const answer = await fetch(`${running.url.origin}${path}`, init)
      const text = await answer.text()
      if (!path.includes("/export")) bodies.push(text)
      return { status: answer.status, headers: answer.headers, text, json: parsed(text) }
    },
    restart: async between => {
      await running.stop()
      await between?.()
      running = await start()
    },
    stop: async () => {
      await running.stop()
      await simulator.stop()
      const secrets = [clientKey, config.adminKey, ...simulator.control.issuedTokens()].filter(text => text !== "")
      try {
        refuseClearSecrets({ secrets, outputs: [lines.join("")], bodies, folder })
      } finally {
        await rm(folder, { recursive: true, force: true })
      }
    },
  }
}
