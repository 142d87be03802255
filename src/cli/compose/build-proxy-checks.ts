/** The checks of the operators' proxies, with the settings of the configuration in force. */

import { systemClock, systemTimers } from "#core/clock.ts"
import { makeProxyChecks, type ProxyChecks } from "#gateway/egress/check-proxies.ts"
import { probeTarget } from "#gateway/egress/probe-way.ts"
import type { ProxyBook } from "#gateway/egress/proxy-book.ts"
import { makeExitWatch } from "#gateway/egress/shared-exits.ts"
import type { Log } from "#telemetry/log.ts"

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
  const watchExits = makeExitWatch({ book, accounts, warn: log.warn })
  return makeProxyChecks({
    clock: systemClock,
    timers: systemTimers,
    book,
    probe: (way, signal) =>
      probeTarget(way, { ...config().proxyChecks, clock: systemClock, timers: systemTimers, signal }),
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
