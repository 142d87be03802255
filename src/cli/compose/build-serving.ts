/** The parts that serve a model turn. */

import { tellingTurn } from "#cli/takeover/telling.ts"
import { systemClock, systemTimers } from "#core/clock.ts"
import type { Outcome } from "#core/outcome.ts"
import { type Heartbeat, makeHeartbeat } from "#gateway/answer/heartbeat.ts"
import type { ServeTurnParts } from "#gateway/calls/serve-turn-parts.ts"
import { makeRetryBudget } from "#gateway/turn/retry-budget.ts"
import { upstreamProtocols } from "#protocols/registry.ts"

import { type BuiltAffinity, buildAffinity } from "./build-affinity.ts"
import { buildImages, buildPlanning } from "./build-planning.ts"
import type { BuiltPool } from "./build-pool.ts"
import { buildTokens } from "./build-tokens.ts"
import type { GatewayContext } from "./gateway-context.ts"

/** What serving is built from. */
export type BuildServingParts = Pick<GatewayContext, "config" | "send" | "store" | "tenure"> & {
  readonly keys: ServeTurnParts["keys"]
  readonly built: BuiltPool
  readonly record: (outcome: Outcome) => void
  readonly explain: NonNullable<ServeTurnParts["turn"]["explain"]>
}

/** A setting of 0 means "no limit"; one that never ends is as good. */
const FOR_EVER_MS = 2 ** 31 - 1

/** The parts, the ticker they share, what keeps their memory over a restart, and how a model's name is resolved. */
export type BuiltServing = {
  readonly bindings: BuiltAffinity["bindings"]
  readonly affinity: BuiltAffinity["affinity"]
  readonly memory: BuiltAffinity["memory"]
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
  const { affinity, bindings, memory } = buildAffinity(parts)
  const heartbeat = makeHeartbeat({ clock: systemClock, timers: systemTimers })
  const plan = buildPlanning({ config, catalogue })
  const serving: ServeTurnParts = {
    heartbeat,
    turn: {
      clock: systemClock,
      timers: systemTimers,
      random: Math.random,
      ...tellingTurn({ scheduler, pool }, parts.tenure),
      providers,
      upstream: upstreamProtocols["openai-responses"],
      send: parts.send,
      upstreamTransport: () => config().upstreamTransport,
      budget: makeRetryBudget({ clock: systemClock }),
      affinity,
      memory,
      explain: parts.explain,
      limits: () => turnLimits(config()),
    },
    images: buildImages({ config, catalogue, pool }),
    planModel: request => plan({ name: request.model, bodyEffort: request.effort, bodyTier: request.serviceTier }),
    streamLimits: () => ({
      idleTimeoutMs: config().idleTimeoutMs || FOR_EVER_MS,
      clientKeepaliveMs: config().clientKeepaliveMs || FOR_EVER_MS,
    }),
    exposeCodexHeaders: () => config().exposeCodexHeaders,
    record: parts.record,
    keys: parts.keys,
  }
  return { serving, tokens: buildTokens(), heartbeat, bindings, affinity, memory, slugOf: name => plan({ name }).slug }
}

function turnLimits(config: ReturnType<GatewayContext["config"]>) {
  return {
    maxAccounts: config.maxRetry + 1,
    firstByteTimeoutMs: config.firstByteTimeoutMs || FOR_EVER_MS,
    queueTimeoutMs: config.queue.timeoutMs,
    maxFrameBytes: config.maxStreamBufferBytes,
  }
}
