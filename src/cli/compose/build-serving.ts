/** The parts that serve a model turn. */

import type { Config } from "#config/config.ts"
import { systemClock, systemTimers } from "#core/clock.ts"
import type { Outcome } from "#core/outcome.ts"
import { type Heartbeat, makeHeartbeat } from "#gateway/answer/heartbeat.ts"
import type { ServeTurnParts } from "#gateway/calls/serve-turn-parts.ts"
import { type ModelsConfig, type ModelWish, planModel } from "#gateway/models/plan-model.ts"
import { makeRetryBudget } from "#gateway/turn/retry-budget.ts"
import { upstreamProtocols } from "#protocols/registry.ts"

import { type BuiltAffinity, buildAffinity } from "./build-affinity.ts"
import type { BuiltPool } from "./build-pool.ts"
import { buildTokens } from "./build-tokens.ts"
import type { GatewayContext } from "./gateway-context.ts"

/** What serving is built from. */
export type BuildServingParts = Pick<GatewayContext, "config" | "send" | "store"> & {
  readonly built: BuiltPool
  readonly record: (outcome: Outcome) => void
  readonly explain: NonNullable<ServeTurnParts["turn"]["explain"]>
}

/** A setting of 0 means "no limit"; one that never ends is as good. */
const FOR_EVER_MS = 2 ** 31 - 1

/** The parts, the ticker they share, what keeps their memory over a restart, and how a model's name is resolved. */
export type BuiltServing = {
  readonly bindings: BuiltAffinity["bindings"]
  readonly serving: ServeTurnParts
  readonly tokens: ReturnType<typeof buildTokens>
  readonly heartbeat: Heartbeat
  /** Throws `model-not-found`. */
  readonly slugOf: (name: string) => string
}

/** Builds the parts and the ticker they share. */
export function buildServing(parts: BuildServingParts): BuiltServing {
  const { config, built } = parts
  const { scheduler, pool, providers, catalogue } = built
  const { affinity, bindings, standingOf } = buildAffinity(parts.store, scheduler)
  const heartbeat = makeHeartbeat({ clock: systemClock, timers: systemTimers })
  const plan = (wish: Pick<ModelWish, "name" | "bodyEffort" | "bodyTier">) =>
    planModel({ ...wish, config: modelsConfig(config()), catalogue })
  const serving: ServeTurnParts = {
    heartbeat,
    turn: {
      clock: systemClock,
      timers: systemTimers,
      random: Math.random,
      scheduler,
      pool,
      providers,
      upstream: upstreamProtocols["openai-responses"],
      send: parts.send,
      budget: makeRetryBudget({ clock: systemClock }),
      affinity,
      standingOf,
      explain: parts.explain,
      limits: () => turnLimits(config()),
    },
    planModel: request => plan({ name: request.model, bodyEffort: request.effort, bodyTier: request.serviceTier }),
    streamLimits: () => ({
      idleTimeoutMs: config().idleTimeoutMs || FOR_EVER_MS,
      clientKeepaliveMs: config().clientKeepaliveMs || FOR_EVER_MS,
    }),
    exposeCodexHeaders: () => config().exposeCodexHeaders,
    record: parts.record,
  }
  return { serving, tokens: buildTokens(), heartbeat, bindings, slugOf: name => plan({ name }).slug }
}

function modelsConfig(config: Config): ModelsConfig {
  const { aliases, legacyNames } = config.model
  return { aliases, effortPrecedence: config.effortPrecedence, legacyModels: legacyNames }
}

function turnLimits(config: Config) {
  return {
    maxAccounts: config.maxRetry + 1,
    firstByteTimeoutMs: config.firstByteTimeoutMs || FOR_EVER_MS,
    queueTimeoutMs: config.queue.timeoutMs,
    maxFrameBytes: config.maxStreamBufferBytes,
  }
}
