/** The way out: one sender for everything that goes upstream, kept warm at the configured pace. */

import type { Config } from "#config/config.ts"
import { systemClock, systemTimers } from "#core/clock.ts"
import type { SendUpstream } from "#core/upstream.ts"
import type { Log } from "#telemetry/log.ts"
import { parseEgress } from "#transport/egress.ts"
import { startKeepWarm } from "#transport/keep-warm.ts"
import { makeRoutedSender, type RoutedSender } from "#transport/routed-sender.ts"

import { buildSockets } from "./build-sockets.ts"
import { poolEgresses } from "./pool-egresses.ts"

/** The ways out and their upkeep. */
export type BuiltEgress = Pick<RoutedSender, "setWay" | "proxyOf"> & {
  readonly send: SendUpstream
  /** Opens connections ahead of the first request; the returned function ends the upkeep. */
  readonly keepWarm: () => () => void
  readonly close: () => void
}

/** Connections opened at start and kept warm. */
const WARM_CONNECTIONS = 4

/** Builds the ways out. Throws for a proxy that cannot be used: requests never go around it. */
export function buildEgress(live: () => Config, log: Log): BuiltEgress {
  const config = live()
  const sender = makeRoutedSender({
    standard: parseEgress(config.proxyUrl),
    others: [...poolEgresses(config.credentialPool).values()],
    clock: systemClock,
  })
  const sockets = buildSockets(live, log, sender)
  return {
    send: sockets.send,
    setWay: sender.setWay,
    proxyOf: sender.proxyOf,
    close: () => {
      sockets.close()
      sender.close()
    },
    keepWarm: () =>
      startKeepWarm(
        {
          clock: systemClock,
          timers: systemTimers,
          send: sender.send,
          lastActivityAtMs: sender.lastActivityAtMs,
          onFailure: cause => log.debug({ reason: String(cause) }, "keep-alive request failed"),
        },
        {
          url: new URL("/favicon.ico", config.baseUrl).href,
          intervalSec: config.keepaliveIntervalMs / 1000,
          connections: WARM_CONNECTIONS,
        },
      ),
  }
}
