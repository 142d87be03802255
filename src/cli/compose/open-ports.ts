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
import type { OpenRelaysParts } from "./open-relays.ts"
import { relayCount } from "./relay-count.ts"
import { serveParts } from "./serve-parts.ts"

/** How a process stands to the one before it and the one after it. */
type Between = {
  readonly isJoined: (address: HeldPort) => boolean
  readonly divert: Diversion
  /** Another process is the gateway. */
  readonly hasLeft: () => boolean
  /** Resolves with the time of grace, or what is left of it when clients have gone over to another process. */
  readonly deserted: (server: Pick<RunningServer, "pending">) => Promise<number>
}

/** What opening needs. */
export type OpenPortsParts = {
  /** The configuration in force; read again at each use. */
  readonly config: () => Config
  readonly log: Log
  readonly bricks: Pick<Bricks, "gateway" | "keys" | "record" | "reportFailure">
  /** How a relay thread is started; for tests that end one. */
  readonly openWorker?: (() => Worker) | undefined
  /** How this process stands to the one before it and the one after it; default: there are none. */
  readonly between?: Between | undefined
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

/** Opens them. Rejects with `invalid-request` when the gateway's own address cannot be taken; Ollama's is tried again. */
export async function openPorts({ config, log, bricks, openWorker, between }: OpenPortsParts): Promise<OpenPorts> {
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
  const { count, warning } = relayCount(config().workers)
  if (warning !== undefined) log.warn({}, warning)
  const { listen } = config()
  const address = { ...listen, isJoined: between?.isJoined(listen) ?? false }
  const diverted = { ...serving, ...(between !== undefined && { divert: between.divert }) }
  const server =
    count === 0
      ? alone(startServer(address, gateway, diverted))
      : await shared({
          config,
          log,
          gateway,
          serving: diverted,
          count,
          address,
          hasLeft: between?.hasLeft ?? (() => false),
          ...(openWorker !== undefined && { openWorker }),
        })
  gateway.showRelays(server.view)
  bridge.follow()
  return {
    url: server.url,
    serve: server.serve,
    follow: () => {
      bridge.follow()
      server.follow()
    },
    stop: async () => {
      // Relays stop carrying turns when another process is the gateway.
      server.follow()
      const graceLeftMs = (await between?.deserted(server)) ?? graceMs()
      await Promise.all([server.stop(graceLeftMs), bridge.stop(() => endRunning(gateway, systemTimers))])
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
