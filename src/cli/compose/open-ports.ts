/** Opens the gateway's ports: its own, and Ollama's where that is wanted. */

import type { Config } from "#config/config.ts"
import { systemClock, systemTimers } from "#core/clock.ts"
import { endRunning } from "#http/drain.ts"
import { makeOllamaApplication } from "#http/ollama/application.ts"
import { makeOllamaBridge, type OllamaBridge } from "#http/ollama/bridge.ts"
import { type RunningServer, startServer } from "#http/server.ts"
import type { Log } from "#telemetry/log.ts"

import type { Bricks } from "./lay-bricks.ts"
import type { OpenRelaysParts } from "./open-relays.ts"
import { relayCount } from "./relay-count.ts"
import { serveParts } from "./serve-parts.ts"

/** What opening needs. */
export type OpenPortsParts = {
  /** The configuration in force; read again at each use. */
  readonly config: () => Config
  readonly log: Log
  readonly bricks: Pick<Bricks, "gateway" | "keys" | "record" | "reportFailure">
  /** How a relay thread is started; for tests that end one. */
  readonly openWorker?: (() => Worker) | undefined
}

/** Ports that are open. */
export type OpenPorts = {
  readonly url: URL
  /** Brings Ollama's port in line with the configuration. */
  readonly follow: () => void
  /** Stops accepting on all of them, lets running answers finish up to `shutdown-timeout`, and closes them. */
  readonly stop: () => Promise<void>
}

/** Opens them. Rejects with `invalid-request` when the gateway's own address cannot be taken; Ollama's is tried again. */
export async function openPorts({ config, log, bricks, openWorker }: OpenPortsParts): Promise<OpenPorts> {
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
  const { count, warning } = relayCount(config().workers)
  if (warning !== undefined) log.warn({}, warning)
  const server =
    count === 0
      ? alone(startServer(config().listen, gateway, serving))
      : await shared({ config, log, gateway, serving, count, ...(openWorker !== undefined && { openWorker }) })
  gateway.showRelays(server.view)
  bridge.follow()
  return {
    url: server.url,
    follow: () => {
      bridge.follow()
      server.follow()
    },
    stop: async () => {
      await Promise.all([server.stop(graceMs()), bridge.stop(() => endRunning(gateway, systemTimers))])
    },
  }
}

/** The port of a gateway without relays. */
function alone(server: RunningServer) {
  return { ...server, follow: () => {}, view: undefined }
}

async function shared(parts: OpenRelaysParts) {
  // A gateway without relays loads nothing of them.
  const { openRelays } = await import("./open-relays.ts")
  return openRelays(parts)
}
