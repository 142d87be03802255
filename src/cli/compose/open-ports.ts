/** Opens the gateway's ports: its own, and Ollama's where that is wanted. */

import type { HeldPort } from "#cli/takeover/messages.ts"
import type { Config } from "#config/config.ts"
import { systemClock, systemTimers } from "#core/clock.ts"
import { endRunning } from "#http/drain.ts"
import { makeOllamaApplication } from "#http/ollama/application.ts"
import { makeOllamaBridge, type OllamaBridge } from "#http/ollama/bridge.ts"
import { type Diversion, type RunningServer, startServer } from "#http/server.ts"
import type { Log } from "#telemetry/log.ts"

import type { Bricks } from "./lay-bricks.ts"
import { serveParts } from "./serve-parts.ts"

/** What opening needs. */
export type OpenPortsParts = {
  /** The configuration in force; read again at each use. */
  readonly config: () => Config
  readonly log: Log
  readonly bricks: Pick<Bricks, "gateway" | "keys" | "record" | "reportFailure">
  /** How this process stands to the one before it and the one after it; default: there are none. */
  readonly between?: {
    readonly isJoined: (address: HeldPort) => boolean
    readonly divert: Diversion
    /** Resolves with the time of grace, or what is left of it when clients have gone over to another process. */
    readonly deserted: (server: Pick<RunningServer, "pending">) => Promise<number>
  }
}

/** Ports that are open. */
export type OpenPorts = {
  readonly url: URL
  readonly serve: RunningServer["serve"]
  /** Brings Ollama's port in line with the configuration. */
  readonly follow: () => void
  /** Stops accepting on all of them, lets running answers finish up to `shutdown-timeout`, and closes them. */
  readonly stop: () => Promise<void>
}

/** Opens them. Throws `invalid-request` when the gateway's own address cannot be taken; Ollama's is tried again. */
export function openPorts({ config, log, bricks, between }: OpenPortsParts): OpenPorts {
  const { gateway, keys, record, reportFailure } = bricks
  const graceMs = () => config().shutdownTimeoutMs
  const serving = serveParts(config, { stored: keys.stored, record, ollamaStatus: () => bridge.status() })
  const bridge: OllamaBridge = makeOllamaBridge({
    config: () => config().ollama,
    isJoined: between?.isJoined ?? (() => false),
    makeApplication: () => makeOllamaApplication(gateway, serving, () => config().ollama),
    clock: systemClock,
    timers: systemTimers,
    log,
    graceMs,
    reportFailure,
  })
  const { listen } = config()
  const address = { ...listen, isJoined: between?.isJoined(listen) ?? false }
  const server = startServer(address, gateway, { ...serving, ...(between !== undefined && { divert: between.divert }) })
  bridge.follow()
  return {
    url: server.url,
    serve: server.serve,
    follow: bridge.follow,
    stop: async () => {
      const graceLeftMs = (await between?.deserted(server)) ?? graceMs()
      await Promise.all([server.stop(graceLeftMs), bridge.stop(() => endRunning(gateway, systemTimers))])
    },
  }
}
