/** Bodies that ask the upstream to compact a conversation, in both generations. */

import { arrayAt, type JsonObject } from "#core/json.ts"
import type { ModelRequest } from "#core/request.ts"
import { invalidRequest } from "#protocols/check-body.ts"
import type { EncodedRequest, EncodePlan } from "#protocols/protocol.ts"

import { COMPACTION_TRIGGER } from "./encode/encode-input.ts"
import { encodeResponsesRequest } from "./encode-request.ts"

/**
 * Keys of the dedicated compaction call; any other is refused as an unknown parameter.
 * @see https://github.com/openai/codex `codex-rs/codex-api/src/common.rs`
 */
const DEDICATED_KEYS: ReadonlySet<string> = new Set([
  "model",
  "input",
  "instructions",
  "tools",
  "parallel_tool_calls",
  "reasoning",
  "service_tier",
  "prompt_cache_key",
  "text",
])

/**
 * Body of `POST …/responses/compact`: JSON in, JSON out. Throws `invalid-request` (`stream`) for a client that wants
 * a stream, and whatever {@link encodeResponsesRequest} throws.
 */
export function encodeDedicatedCompaction(request: ModelRequest, plan: EncodePlan): EncodedRequest {
  refuseStream(request)
  const { body, toolNames } = encodeResponsesRequest(request, plan)
  const kept = Object.entries(body).filter(([key, value]) => {
    if (key === "instructions" && value === "") return false
    return DEDICATED_KEYS.has(key)
  })
  const input = (arrayAt(body, "input") ?? []).filter(item => item !== COMPACTION_TRIGGER)
  return { body: { ...Object.fromEntries(kept), input }, toolNames }
}

/**
 * Body of an ordinary streamed call that ends in a `compaction_trigger`; its answer holds one `compaction` item.
 * Throws like {@link encodeDedicatedCompaction}.
 */
export function encodeTriggeredCompaction(request: ModelRequest, plan: EncodePlan): EncodedRequest {
  refuseStream(request)
  const { body, toolNames } = encodeResponsesRequest(request, plan)
  const input = arrayAt(body, "input") ?? []
  const triggered: JsonObject = {
    ...body,
    input: input.at(-1) === COMPACTION_TRIGGER ? input : [...input, COMPACTION_TRIGGER],
  }
  return { body: triggered, toolNames }
}

function refuseStream(request: ModelRequest): void {
  if (request.stream) throw invalidRequest("A compaction is not streamed.", "stream", "unsupported_value")
}
