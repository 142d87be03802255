/** Puts the gateway together over a built pool: turns, model endpoints, status, operators' routes. */

import { type Gateway, makeGateway } from "#gateway/gateway.ts"

import { buildDesk } from "./build-desk.ts"
import { buildExplainer } from "./build-journal.ts"
import { type BuildKeysParts, type BuiltKeys, buildKeys } from "./build-keys.ts"
import { buildOrders } from "./build-orders.ts"
import type { BuiltPool } from "./build-pool.ts"
import type { BuiltProxies } from "./build-proxies.ts"
import { type BuiltServing, buildServing } from "./build-serving.ts"
import { buildStatus } from "./build-status.ts"
import type { GatewayContext } from "./gateway-context.ts"
import type { Recorder } from "./make-record.ts"
import { startProbing } from "./start-probing.ts"

/** What the gateway is built from. */
export type BuildGatewayParts = GatewayContext &
  Pick<BuildKeysParts, "sealer" | "carriesReservations"> &
  Recorder & {
    readonly built: BuiltPool
    readonly proxies: BuiltProxies
    readonly version: string
  }

/** The gateway and its background work. */
export type BuiltGateway = {
  readonly gateway: Gateway
  readonly bindings: BuiltServing["bindings"]
  readonly affinity: BuiltServing["affinity"]
  readonly memory: BuiltServing["memory"]
  readonly keys: BuiltKeys
  /** Starts probing; the returned function ends it. */
  readonly startProbing: () => () => void
  /** Ends the shared ticker and the thread that counts tokens. */
  readonly stopTicking: () => void
}

/** Builds the gateway. */
export function buildGateway(parts: BuildGatewayParts): BuiltGateway {
  const { config, built } = parts
  const { pool, scheduler, catalogue } = built
  const keys = buildKeys(parts)
  const { serving, tokens, heartbeat, bindings, affinity, memory, slugOf } = buildServing({
    ...parts,
    keys: keys.gate,
    explain: buildExplainer(config, () => scheduler.counts().total),
  })
  const orders = buildOrders(parts)
  const gateway = makeGateway({
    serving,
    tokens,
    catalogue,
    slugOf,
    aliases: () => config().model.aliases,
    compactMode: () => config().compact,
    status: buildStatus(parts),
    accounts: pool.accounts,
    ...orders,
    desk: buildDesk({ ...parts, orders, keys }),
  })
  return {
    gateway,
    bindings,
    affinity,
    memory,
    keys,
    startProbing: () => startProbing({ config, built, probe: orders.checkQuota, reportFailure: parts.reportFailure }),
    stopTicking: () => {
      heartbeat.stop()
      tokens.stop()
    },
  }
}
