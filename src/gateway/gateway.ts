/** The gateway: every way in, put together from the bricks. */

import type { Account } from "#core/account.ts"
import type { Outcome } from "#core/outcome.ts"
import type { ClientCall } from "#core/request.ts"

import type { GatewayAnswer } from "./answer.ts"
import { type CompactMode, makeCompact } from "./compact.ts"
import { mapLimited } from "./map-limited.ts"
import type { Catalogue } from "./models/catalogue.ts"
import { type ModelEndpoints, makeModelEndpoints } from "./models/endpoints.ts"
import type { QuotaReport } from "./quota-check.ts"
import { serveTurn } from "./serve-turn.ts"
import type { ServeTurnParts } from "./serve-turn-parts.ts"
import type { HealthReport, Readiness, Stats } from "./status.ts"

/** One account's part of `POST /refresh`. */
export type RefreshReport = {
  readonly account: string
  /** Masked. */
  readonly label: string
  readonly status: "refreshed" | "current" | "failed" | "not-refreshable"
  readonly error?: string
}

/** Told about each step of a long operation. */
export type OnProgress = (step: unknown) => void

/** What HTTP and the commands can ask of the gateway. */
export type Gateway = {
  /** Serves a model call; rejects with the `GatewayError` the client gets. */
  readonly turn: (call: ClientCall) => Promise<GatewayAnswer>
  readonly compact: (call: ClientCall) => Promise<GatewayAnswer>
  readonly models: ModelEndpoints
  readonly health: () => HealthReport
  readonly readiness: () => Readiness
  readonly stats: () => Stats
  readonly refreshAll: (onProgress: OnProgress) => Promise<{ readonly accounts: readonly RefreshReport[] }>
  readonly checkQuota: (onProgress: OnProgress) => Promise<{ readonly accounts: readonly QuotaReport[] }>
  /** Counts and logs a request that was turned away before the gateway saw it. */
  readonly record: (outcome: Outcome) => void
}

/** What the gateway is made of. */
export type GatewayParts = {
  readonly serving: ServeTurnParts
  readonly catalogue: Catalogue
  /** Resolves a client's model name; throws `model-not-found`. */
  readonly slugOf: (name: string) => string
  readonly compactMode: () => CompactMode
  readonly status: {
    readonly health: () => HealthReport
    readonly readiness: () => Readiness
    readonly stats: () => Stats
  }
  readonly accounts: () => readonly Account[]
  readonly refresh: (account: Account) => Promise<RefreshReport>
  readonly checkQuota: (account: Account) => Promise<QuotaReport>
  /** Accounts asked at a time by the operators' routes. */
  readonly concurrency: () => number
}

/** Puts the gateway together. */
export function makeGateway(parts: GatewayParts): Gateway {
  const { serving } = parts
  const serve = (call: ClientCall, kind: Parameters<typeof serveTurn>[1]) => serveTurn(call, kind, serving)
  const ordinary = { endpoint: "turn", encode: serving.turn.upstream.encodeRequest } as const
  const compact = makeCompact({ clock: serving.turn.clock, mode: parts.compactMode, serve })

  async function forEachAccount<Report>(ask: (account: Account) => Promise<Report>, onProgress: OnProgress) {
    const enabled = parts.accounts().filter(account => !account.disabled)
    let done = 0
    const accounts = await mapLimited(enabled, parts.concurrency(), async account => {
      const report = await ask(account)
      done += 1
      onProgress({ done, total: enabled.length, ...report })
      return report
    })
    return { accounts }
  }

  return {
    turn: call => serve(call, ordinary),
    compact,
    models: makeModelEndpoints(parts.catalogue, parts.slugOf),
    ...parts.status,
    refreshAll: onProgress => forEachAccount(parts.refresh, onProgress),
    checkQuota: onProgress => forEachAccount(parts.checkQuota, onProgress),
    record: serving.record,
  }
}
