/** History compaction: by the upstream's own endpoint where it still exists, otherwise as an ordinary turn. */

import type { Clock } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"
import type { ClientCall } from "#core/request.ts"
import { encodeDedicatedCompaction, encodeTriggeredCompaction } from "#protocols/openai-responses/compact-request.ts"

import type { GatewayAnswer } from "./answer.ts"
import { COMPACT_ENDPOINT_GONE } from "./attempt.ts"
import type { TurnKind } from "./turn-types.ts"

/** How compaction is served: see the setting `compact`. */
export type CompactMode = "auto" | "direct" | "trigger"

/** What compaction needs. */
export type CompactParts = {
  readonly clock: Clock
  readonly mode: () => CompactMode
  readonly serve: (call: ClientCall, kind: TurnKind) => Promise<GatewayAnswer>
}

const DEDICATED: TurnKind = { endpoint: "compact", encode: encodeDedicatedCompaction }
const TRIGGERED: TurnKind = { endpoint: "turn", encode: encodeTriggeredCompaction }

/** A missing endpoint is not asked for again before this time has passed. */
const GONE_MS = 60 * 60_000

/** Makes the handler of `POST /v1/responses/compact`. */
export function makeCompact(parts: CompactParts): (call: ClientCall) => Promise<GatewayAnswer> {
  let goneUntilMs = 0
  return async call => {
    const mode = parts.mode()
    const direct = mode === "direct" || (mode === "auto" && parts.clock() >= goneUntilMs)
    if (!direct) return parts.serve(call, TRIGGERED)
    try {
      return await parts.serve(call, DEDICATED)
    } catch (cause) {
      const gone = cause instanceof GatewayError && cause.code === COMPACT_ENDPOINT_GONE
      if (!gone || mode === "direct") throw cause
      goneUntilMs = parts.clock() + GONE_MS
      return parts.serve(call, TRIGGERED)
    }
  }
}
