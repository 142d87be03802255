/** History compaction: by the upstream's own endpoint where it still exists, otherwise as an ordinary turn. */

import type { Clock } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"
import type { ClientCall } from "#core/request.ts"
import type { GatewayAnswer } from "#gateway/answer/answer.ts"
import { COMPACT_ENDPOINT_GONE } from "#gateway/turn/attempt.ts"
import type { TurnKind } from "#gateway/turn/turn-types.ts"
import { encodeDedicatedCompaction, encodeTriggeredCompaction } from "#protocols/openai-responses/compact-request.ts"

import type { Run } from "./run-settled.ts"

/** How compaction is served: see the setting `compact`. */
export type CompactMode = "auto" | "direct" | "trigger"

/** What compaction needs. */
export type CompactParts = {
  readonly clock: Clock
  readonly mode: () => CompactMode
  readonly serve: (call: ClientCall, kind: TurnKind, run: Run) => Promise<GatewayAnswer>
}

const DEDICATED: TurnKind = { endpoint: "compact", encode: encodeDedicatedCompaction }
const TRIGGERED: TurnKind = { endpoint: "turn", encode: encodeTriggeredCompaction }

/** A missing endpoint is not asked for again before this time has passed. */
const GONE_MS = 60 * 60_000

/** Serves `POST /v1/responses/compact`. One request is settled once, whichever way it went. */
export function makeCompact(parts: CompactParts): (call: ClientCall, run: Run) => Promise<GatewayAnswer> {
  let goneUntilMs = 0
  return async (call, run) => {
    const mode = parts.mode()
    const direct = mode === "direct" || (mode === "auto" && parts.clock() >= goneUntilMs)
    if (!direct) return parts.serve(call, TRIGGERED, run)
    try {
      return await parts.serve(call, DEDICATED, run)
    } catch (cause) {
      const gone = cause instanceof GatewayError && cause.code === COMPACT_ENDPOINT_GONE
      if (!gone || mode === "direct") throw cause
      goneUntilMs = parts.clock() + GONE_MS
      return parts.serve(call, TRIGGERED, run)
    }
  }
}
