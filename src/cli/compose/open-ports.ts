/** Opens the gateway's ports: its own, and Ollama's where that is wanted. */

import type { Config } from "#config/config.ts"
import { systemClock, systemTimers } from "#core/clock.ts"
import { endRunning } from "#http/drain.ts"
import { makeOllamaApplication } from "#http/ollama/application.ts"
import { makeOllamaBridge, type OllamaBridge } from "#http/ollama/bridge.ts"
import { startServer } from "#http/server.ts"
import type { Log } from "#telemetry/log.ts"

import type { Bricks } from "./lay-bricks.ts"
import { serveParts } from "./serve-parts.ts"

/** What opening needs. */
export type OpenPortsParts = {
  /** The configuration in force; read again at each use. */
  readonly config: () => Config
  readonly log: Log
  readonly bricks: Pick<Bricks, "gateway" | "keys" | "record" | "reportFailure">
}

/** Ports that are open. */
export type OpenPorts = {
  readonly url: URL
  /** Brings Ollama's port in line with the configuration. */
  readonly follow: () => void
  /** Stops accepting on all of them, lets running answers finish up to `shutdown-timeout`, and closes them. */
  readonly stop: () => Promise<void>
}

/** Opens them. Throws `invalid-request` when the gateway's own address cannot be taken; Ollama's is tried again. */
export function openPorts({ config, log, bricks }: OpenPortsParts): OpenPorts {
  const { gateway, keys, record, reportFailure } = bricks
  const graceMs = () => config().shutdownTimeoutMs
  const serving = serveParts(config, { stored: keys.stored, record, ollamaStatus: () => bridge.status() })
  const bridge: OllamaBridge = makeOllamaBridge({
    config: () => config().ollama,
    makeApplication: () => makeOllamaApplication(gateway, serving, () => config().ollama),
    clock: systemClock,
    timers: systemTimers,
    log,
    graceMs,
    reportFailure,
  })
  const server = startServer(config().listen, gateway, serving)
  bridge.follow()
  return {
    url: server.url,
    follow: bridge.follow,
    stop: async () => {
      await Promise.all([server.stop(graceMs()), bridge.stop(() => endRunning(gateway, systemTimers))])
    },
  }
}
