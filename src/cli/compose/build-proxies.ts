/** The operators' proxies: their book, what follows from it for sender and scheduler, and the checks. */

import type { Sealer } from "#accounts/secrets/seal.ts"
import { systemClock } from "#core/clock.ts"
import { proxyEgressName, UNCHOSEN_EGRESS_NAME } from "#core/egress-names.ts"
import { settlePoolMembers } from "#gateway/egress/pool-members.ts"
import { makeProxyBook } from "#gateway/egress/proxy-book.ts"
import type { Scheduler } from "#scheduler/scheduler.ts"
import type { Log } from "#telemetry/log.ts"

import type { BuiltEgress } from "./build-egress.ts"
import { buildProxyChecks } from "./build-proxy-checks.ts"
import { configuredWays } from "./configured-ways.ts"
import type { GatewayContext } from "./gateway-context.ts"
import { randomBytes } from "./random-bytes.ts"

/** What the proxies are built from. */
export type BuildProxiesParts = Pick<GatewayContext, "config" | "accounts" | "store" | "reportFailure"> & {
  readonly sealer: Sealer
  readonly egress: Pick<BuiltEgress, "setWay">
  readonly scheduler: Pick<Scheduler, "setEgress">
  readonly log: Log
}

/** The proxies at work. */
export type BuiltProxies = ReturnType<typeof buildProxies>

const PASSWORDS_SHOWN = "proxy-passwords-exported-at"

/** Builds them. Every proxy has its way, or its fault, before an account is read. */
export function buildProxies(parts: BuildProxiesParts) {
  const { config, egress, scheduler, log, reportFailure } = parts
  const clock = systemClock

  function apply(id: string): void {
    const name = proxyEgressName(id)
    const way = book.wayOf(name)
    egress.setWay(name, way && { egress: way, maxConcurrent: book.get(id)?.maxConcurrent ?? 0 })
    scheduler.setEgress(name, book.faultOf(name))
  }

  const book = makeProxyBook({
    rows: parts.store,
    sealer: parts.sealer,
    clock,
    random: randomBytes,
    changed: apply,
    reportFailure,
  })
  for (const { id } of book.list()) apply(id)
  scheduler.setEgress(UNCHOSEN_EGRESS_NAME, "proxy-missing")

  const settle = (): void => {
    for (const { account, from, to } of settlePoolMembers({ book, accounts: parts.accounts, clock })) {
      log.warn({ account, from, to }, "the account goes out through another proxy from now on")
    }
  }
  const settleQuietly = (): void => {
    try {
      settle()
    } catch (cause) {
      // The store may be busy or full for a while only; the next round tries again.
      reportFailure("choosing proxies anew", cause)
    }
  }
  const checks = buildProxyChecks(parts, { book, afterRound: settleQuietly })
  const desk = {
    book,
    checks,
    configuredWays: () => configuredWays(config()),
    settle,
    passwordsShown: (count: number) => {
      log.warn({ proxies: count }, "proxies were exported with their passwords")
      // A command without a gateway has no log that stays.
      parts.store.writeMeta(PASSWORDS_SHOWN, new Date(clock()).toISOString())
    },
    passwordsShownAt: () => parts.store.readMeta(PASSWORDS_SHOWN) ?? null,
  }
  return { book, checks, settle: settleQuietly, desk }
}
