/** The gateway of the day: the bricks that `serve` lays, on virtual time and over the day's upstream. Nothing of them is copied. */

import { OPENAI_TOKEN_ENDPOINT } from "#accounts/refresh/refresh-token.ts"
import type { RefresherEvent } from "#accounts/refresh/refresh-types.ts"
import { makeRefresher } from "#accounts/refresh/refresher.ts"
import type { Account } from "#core/account.ts"
import type { Clock, Timers } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"
import type { AccountId, RandomBytes } from "#core/ids.ts"
import type { Outcome } from "#core/outcome.ts"
import type { SendUpstream } from "#core/upstream.ts"
import { makeAffinity } from "#gateway/affinity/affinity.ts"
import { makeHeartbeat } from "#gateway/answer/heartbeat.ts"
import { type ModelCalls, makeModelCalls } from "#gateway/calls/model-calls.ts"
import { makeResponseMemory } from "#gateway/memory/response-memory.ts"
import { makeCatalogue } from "#gateway/models/catalogue.ts"
import { planModel } from "#gateway/models/plan-model.ts"
import { startHealthCheck } from "#gateway/pool/health-check.ts"
import { makePool, type Pool } from "#gateway/pool/pool.ts"
import { checkQuota } from "#gateway/pool/quota-check.ts"
import { makeQuotaHistory } from "#gateway/quota/quota-history.ts"
import { makeRetryBudget } from "#gateway/turn/retry-budget.ts"
import { upstreamProtocols } from "#protocols/registry.ts"
import { makeProviders } from "#providers/registry.ts"
import type { Strategy } from "#scheduler/pick/strategies.ts"
import { makeScheduler, type Scheduler } from "#scheduler/scheduler.ts"

import type { Chance } from "./chance.ts"

/** What the gateway is built from. */
export type DayBricksParts = {
  readonly clock: Clock
  readonly timers: Timers
  readonly chance: Chance
  readonly send: SendUpstream
  readonly strategy: Strategy
  readonly record: (outcome: Outcome) => void
}

/** The gateway as the day uses it. */
export type DayBricks = {
  readonly calls: ModelCalls
  readonly scheduler: Scheduler
  readonly put: (account: Account) => void
  readonly alarms: readonly string[]
  /** Ends what runs by itself. */
  readonly stop: () => Promise<void>
}

/** As `upstream-identity` is by default: newer models are for Codex clients only. */
const IDENTITY = {
  originator: "codex_cli_rs",
  userAgent: "codex_cli_rs/0.155.0 (Linux; x86_64)",
  clientVersion: "0.155.0",
}

/** More than some accounts bear, so that it has to be learned; everything else is as in `config/default.yaml`. */
export const ACCOUNT_CONCURRENCY = 6
const QUEUE_TIMEOUT_MS = 30_000
const QUEUE_MAX = 1_000
const TURN_LIMITS = {
  maxAccounts: 3,
  firstByteTimeoutMs: 120_000,
  queueTimeoutMs: QUEUE_TIMEOUT_MS,
  maxFrameBytes: 8 * 1024 * 1024,
}
const STREAM_LIMITS = { idleTimeoutMs: 300_000, clientKeepaliveMs: 15_000 }

/** Looks at every account's usage this often, as an operator with a large pool may set `health-check-interval`. */
const HEALTH_CHECK = { intervalMs: 3_600_000, maxFailures: 3, concurrency: 8 }

const MODELS = { aliases: {}, effortPrecedence: "suffix", legacyModels: "map" } as const

/** Lays them. */
export function layDayBricks(parts: DayBricksParts): DayBricks {
  const { clock, timers, chance, send } = parts
  const alarms: string[] = []
  const providers = makeProviders({ identity: IDENTITY })
  const limits = {
    accountConcurrency: ACCOUNT_CONCURRENCY,
    queueMax: QUEUE_MAX,
    queueTimeoutMs: QUEUE_TIMEOUT_MS,
    strategy: parts.strategy,
  }
  const scheduler = makeScheduler({
    clock,
    timers,
    random: chance.next,
    limits: () => limits,
    alarm: text => alarms.push(text),
  })
  const catalogue = makeCatalogue({ clock })
  const history = makeQuotaHistory({ clock })
  const { refresher, refreshOrThrow } = makeSignIns(
    parts,
    event => pool !== undefined && pass(event, { pool, scheduler, clock }),
  )
  const pool: Pool = makePool({
    clock,
    random: chance.next,
    scheduler,
    providers,
    baseUrl: "https://upstream.invalid/backend-api/codex",
    refresh: refreshOrThrow,
    watch: { heard: (account, quota) => history.heard(account.id, quota), forget: history.forget },
    skipsExhausted: () => true,
    modelsChanged: () => {},
  })
  const heartbeat = makeHeartbeat({ clock, timers })
  const calls = makeModelCalls(
    {
      heartbeat,
      turn: {
        clock,
        timers,
        random: chance.next,
        scheduler,
        pool,
        providers,
        upstream: upstreamProtocols["openai-responses"],
        send,
        budget: makeRetryBudget({ clock }),
        affinity: makeAffinity({ clock }),
        memory: makeResponseMemory(clock, () => ({ isOn: false, maxBytes: 0, ttlMs: 0 })),
        upstreamTransport: () => "http",
        limits: () => TURN_LIMITS,
      },
      keys: { open: () => ({ admit: () => undefined, scope: undefined, settle: () => {} }) },
      images: { hostModel: () => "gpt-5.5", withoutImages: () => ({ accounts: new Set(), total: 0 }) },
      planModel: ({ model }) => planModel({ name: model, config: MODELS, catalogue }),
      streamLimits: () => STREAM_LIMITS,
      exposeCodexHeaders: () => false,
      record: parts.record,
    },
    { count: () => Promise.reject(new Error("nobody counts tokens on this day")), stop: () => {} },
    () => "auto",
  )
  const stopProbing = startHealthCheck({
    timers,
    clock,
    scheduler,
    accounts: pool.accounts,
    heardAtMs: id => pool.quotaOf(id)?.observedAtMs,
    probe: account => checkQuota(account, { clock, timers, pool, providers, send, usageUrl: "" }),
    settings: () => HEALTH_CHECK,
    reportFailure: (name, cause) => {
      throw new Error(`${name}: ${cause}`)
    },
  })
  return {
    calls,
    scheduler,
    put: account => {
      refresher.put(account)
      pool.put(account)
    },
    alarms,
    stop: async () => {
      stopProbing()
      heartbeat.stop()
      await refresher.close()
    },
  }
}

/** The refresher over memory in place of a disk. */
function makeSignIns({ clock, timers, chance, send }: DayBricksParts, emit: (event: RefresherEvent) => void) {
  const random: RandomBytes = bytes => {
    for (let index = 0; index < bytes.length; index++) bytes[index] = chance.below(256)
    return bytes
  }
  const stored = new Map<AccountId, Account>()
  const refresher = makeRefresher({
    send,
    endpoint: OPENAI_TOKEN_ENDPOINT,
    clock,
    timers,
    random,
    commit: rotations => {
      for (const { account } of rotations) stored.set(account.id, account)
      return Promise.resolve("durable")
    },
    reload: account => Promise.resolve(stored.get(account.id) ?? account),
    intents: { begin: () => {}, end: () => {}, leftOver: () => [] },
    emit,
  })
  const refreshOrThrow = async ({ id }: Account, refused: string | undefined): Promise<void> => {
    const outcome = await refresher.refresh(id, refused === undefined ? {} : { rejectedToken: refused })
    if (outcome.type === "fresh") return
    throw new GatewayError("credential-rejected", "The account could not be refreshed.", { code: outcome.failure.code })
  }
  return { refresher, refreshOrThrow }
}

type Listening = { readonly pool: Pool; readonly scheduler: Scheduler; readonly clock: Clock }

/** What the refresher has found out, to whom it concerns; as `cli/compose` passes it on. */
function pass(event: RefresherEvent, { pool, scheduler, clock }: Listening): void {
  switch (event.type) {
    case "credential-renewed":
      pool.renew(event.account)
      return
    case "credential-uncertain":
      pool.doubt(event.accountId)
      return
    case "account-effect": {
      const { accountId, effect, detail } = event
      pool.endDoubt(accountId)
      scheduler.report(accountId, { effect, startedAtMs: clock(), model: "", detail })
      return
    }
    case "refresh-failed":
      return
    case "refresh-crashed":
      throw event.error
  }
}
