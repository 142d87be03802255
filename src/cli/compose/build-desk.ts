/** What the operators' desk works with. */

import { systemClock } from "#core/clock.ts"
import type { DeskParts } from "#gateway/desk/desk.ts"
import type { Journal } from "#gateway/journal/journal.ts"
import type { Counters } from "#telemetry/counters.ts"

import { buildBackup } from "./build-backup.ts"
import type { BuiltKeys } from "./build-keys.ts"
import type { BuiltOrders } from "./build-orders.ts"
import type { BuiltPool } from "./build-pool.ts"
import type { BuiltProxies } from "./build-proxies.ts"
import type { GatewayContext } from "./gateway-context.ts"
import { randomBytes } from "./random-bytes.ts"

/** What the desk is built from. */
export type BuildDeskParts = GatewayContext & {
  readonly built: BuiltPool
  readonly orders: BuiltOrders
  readonly proxies: Pick<BuiltProxies, "desk">
  readonly counters: Counters
  readonly keys: BuiltKeys
  readonly journal: Journal
}

/** Puts the desk's parts together. */
export function buildDesk(parts: BuildDeskParts): DeskParts {
  const { config, built, orders, send, cookies } = parts
  return {
    ...orders,
    clock: systemClock,
    accounts: parts.accounts,
    scheduler: built.scheduler,
    pool: built.pool,
    warnings: built.quota.warnings,
    history: built.quota.history,
    journal: parts.journal,
    backUp: buildBackup(() => config().dataDir),
    cookies,
    counters: parts.counters,
    proxies: parts.proxies.desk,
    pause: () => new Promise(done => setImmediate(done)),
    keys: { ...parts.keys, random: randomBytes, configured: () => config().apiKeys },
    signIn: {
      service: () => ({ ...config().oauth, send }),
      originator: () => config().upstreamIdentity.originator,
      random: randomBytes,
    },
  }
}
