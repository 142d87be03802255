/** The checks of the operators' proxies, with the settings of the configuration in force. */

import { systemClock, systemTimers } from "#core/clock.ts"
import { makeProxyChecks, type ProxyChecks } from "#gateway/egress/check-proxies.ts"
import { askOnce, probeTarget } from "#gateway/egress/probe-way.ts"
import type { ProxyBook } from "#gateway/egress/proxy-book.ts"
import { makeExitWatch } from "#gateway/egress/shared-exits.ts"
import type { Log } from "#telemetry/log.ts"
import { type Egress, parseEgress } from "#transport/egress.ts"

import type { GatewayContext } from "./gateway-context.ts"

/** Builds them; `afterRound` is called after every round and must not throw. */
export function buildProxyChecks(
  {
    config,
    accounts,
    log,
    reportFailure,
  }: Pick<GatewayContext, "config" | "accounts" | "reportFailure"> & { log: Log },
  { book, afterRound }: { readonly book: ProxyBook; readonly afterRound: () => void },
): ProxyChecks {
  let standardExit: string | undefined
  const watchExits = makeExitWatch({ book, accounts, standardExit: () => standardExit, warn: log.warn })
  return makeProxyChecks({
    clock: systemClock,
    timers: systemTimers,
    book,
    probe: (way, signal) =>
      probeTarget(way, { ...config().proxyChecks, clock: systemClock, timers: systemTimers, signal }),
    lookAtStandard: async signal => {
      const { echoUrl } = config().proxyChecks
      // Without a service that tells it there is nothing to find out.
      if (echoUrl !== "") standardExit = await exitOf(parseEgress(config().proxyUrl), echoUrl, signal)
    },
    intervalMs: () => config().proxyChecks.intervalMs,
    turned: ({ id, name, health: { state, failure } }) => {
      const fields = { proxy: id, name, ...(failure !== undefined && { reason: failure }) }
      if (state === "down") log.warn(fields, "a proxy is down; its accounts wait")
      else log.info(fields, "a proxy works")
    },
    checked: () => {
      afterRound()
      watchExits()
    },
    reportFailure,
  })
}

async function exitOf(way: Egress, echoUrl: string, signal: AbortSignal): Promise<string | undefined> {
  const report = await askOnce(way, { url: echoUrl, clock: systemClock, timers: systemTimers, signal })
  return report.type === "works" ? report.exitAddress : undefined
}
