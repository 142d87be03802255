/** WebSockets to the upstream, in front of the sender that everything else goes through. */

import type { Config } from "#config/config.ts"
import { systemClock, systemTimers } from "#core/clock.ts"
import { makeResponsesSpeaker } from "#protocols/openai-responses/socket/speaker.ts"
import type { Log } from "#telemetry/log.ts"
import type { RoutedSender } from "#transport/routed-sender.ts"
import { makeSocketSender, type SocketSender } from "#transport/socket/socket-sender.ts"

/** Builds the sender; whether a turn may take a socket is said by the turn. */
export function buildSockets(config: () => Config, log: Log, http: RoutedSender): SocketSender {
  return makeSocketSender({
    clock: systemClock,
    timers: systemTimers,
    http: http.send,
    proxyOf: http.proxyOf,
    // Bun reads these when a socket is opened, whatever was in force at the start.
    bypassesProxies: () => Boolean(process.env["NO_PROXY"] || process.env["no_proxy"]),
    makeSpeaker: makeResponsesSpeaker,
    maxPerAccount: () => config().upstreamSocketsPerAccount,
    onDetour: (reason, account) => log.debug({ reason, account }, "a turn goes over HTTP instead of a WebSocket"),
  })
}
