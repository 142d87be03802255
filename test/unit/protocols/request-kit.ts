/** Shared parts of the request tests: calls, plans and the checks every upstream body must pass. */

import { GatewayError } from "#core/errors.ts"
import type { ProtocolId, RequestId } from "#core/ids.ts"
import type { Json, JsonObject } from "#core/json.ts"
import type { ModelInfo } from "#core/model-info.ts"
import type { ClientCall } from "#core/request.ts"
import { decodeChatRequest } from "#protocols/openai-chat/decode-request.ts"
import { decodeCompletionsRequest } from "#protocols/openai-completions/decode-request.ts"
import { decodeResponsesRequest } from "#protocols/openai-responses/decode-request.ts"
import { encodeResponsesRequest } from "#protocols/openai-responses/encode-request.ts"
import type { EncodePlan } from "#protocols/protocol.ts"

export const CODEX_KEYS: ReadonlySet<string> = new Set([
  "model",
  "instructions",
  "input",
  "tools",
  "tool_choice",
  "parallel_tool_calls",
  "reasoning",
  "text",
  "include",
  "store",
  "stream",
  "prompt_cache_key",
  "service_tier",
  "client_metadata",
  "stream_options",
])

export const CODEX_HEADERS = { "user-agent": "codex_exec/0.169.0 (Linux)", originator: "codex_exec" }

function makeCall(protocol: ProtocolId, json: JsonObject, headers: Record<string, string> = {}): ClientCall {
  return {
    id: "req_1" as RequestId,
    protocol,
    json,
    headers: new Headers(headers),
    principal: { keyId: "anonymous" },
    signal: new AbortController().signal,
    startedAtMs: 0,
  }
}

export function makePlan(changes: Partial<EncodePlan> = {}): EncodePlan {
  return {
    model: "gpt-5.5",
    rules: { allowedKeys: CODEX_KEYS, codexBackend: true },
    stripEncrypted: false,
    ...changes,
  }
}

export function makeModelInfo(changes: Partial<ModelInfo> = {}): ModelInfo {
  return {
    slug: "gpt-5.5",
    visibility: "list",
    priority: 1,
    efforts: [],
    serviceTiers: [],
    inputModalities: ["text", "image"],
    supportsSummary: true,
    supportsVerbosity: true,
    supportsImageTool: true,
    plans: [],
    ...changes,
  }
}

export function decodeChat(json: JsonObject, headers: Record<string, string> = {}) {
  return decodeChatRequest(makeCall("openai-chat", { model: "m", ...json }, headers))
}

export function decodeCompletions(json: JsonObject) {
  return decodeCompletionsRequest(makeCall("openai-completions", json))
}

export function decodeResponses(json: JsonObject, headers: Record<string, string> = {}) {
  return decodeResponsesRequest(makeCall("openai-responses", { model: "m", ...json }, headers))
}

/** The upstream body of a chat body. */
export function chatToUpstream(
  json: JsonObject,
  plan: Partial<EncodePlan> = {},
  headers: Record<string, string> = {},
): JsonObject {
  return encodeResponsesRequest(decodeChat(json, headers), makePlan(plan)).body
}

/** The upstream body of a Responses body. */
export function responsesToUpstream(
  json: JsonObject,
  plan: Partial<EncodePlan> = {},
  headers: Record<string, string> = {},
): JsonObject {
  return encodeResponsesRequest(decodeResponses(json, headers), makePlan(plan)).body
}

/** Upstream `input` of chat messages. */
export function inputOfMessages(messages: readonly Json[], others: JsonObject = {}): readonly JsonObject[] {
  return itemsOf(chatToUpstream({ messages, ...others }))
}

/** Upstream `input` of Responses items. */
export function inputOfItems(items: readonly Json[], plan: Partial<EncodePlan> = {}): readonly JsonObject[] {
  return itemsOf(responsesToUpstream({ input: items }, plan))
}

export function itemsOf(body: JsonObject): readonly JsonObject[] {
  return body["input"] as readonly JsonObject[]
}

/** The error `run` throws; fails when it throws none. */
export function failureOf(run: () => unknown): GatewayError {
  try {
    run()
  } catch (error) {
    if (error instanceof GatewayError) return error
    throw error
  }
  throw new Error("nothing was thrown")
}

export function userText(text: string): JsonObject {
  return { type: "message", role: "user", content: [{ type: "input_text", text }] }
}

export function assistantText(text: string): JsonObject {
  return { type: "message", role: "assistant", content: [{ type: "output_text", text }] }
}

export function functionCall(callId: string, name = "f", args = "{}"): JsonObject {
  return { type: "function_call", call_id: callId, name, arguments: args }
}

export function functionOutput(callId: string, output: Json = "ok"): JsonObject {
  return { type: "function_call_output", call_id: callId, output }
}
