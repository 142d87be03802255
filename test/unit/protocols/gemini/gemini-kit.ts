/** Shared parts of the Gemini tests: bodies on their way up, and neutral events on their way down. */

import type { StreamEvent } from "#core/events.ts"
import type { RequestId } from "#core/ids.ts"
import { arrayAt, isJsonObject, type Json, type JsonObject, jsonTextOf } from "#core/json.ts"
import type { ModelRequest, ReplyOptions } from "#core/request.ts"
import { decodeGeminiRequest } from "#protocols/gemini/decode-request.ts"
import { makeGeminiEncoder } from "#protocols/gemini/encode-stream.ts"
import { makeGeminiFolder } from "#protocols/gemini/fold.ts"
import { encodeResponsesRequest } from "#protocols/openai-responses/encode-request.ts"
import type { EncodePlan, ReplyContext } from "#protocols/protocol.ts"

import { geminiChunks } from "../../../support/gemini-invariants.ts"
import { makeContext } from "../../../support/scenarios.ts"
import { makePlan } from "../request-kit.ts"

export function decodeGeminiBody(json: JsonObject): ModelRequest {
  return decodeGeminiRequest({
    id: "req_1" as RequestId,
    protocol: "gemini",
    json: { model: "m", stream: false, alt: "sse", contents: [user(text("hi"))], ...json },
    headers: new Headers(),
    principal: { keyId: "anonymous" },
    signal: new AbortController().signal,
    startedAtMs: 0,
  })
}

/** The upstream body of a Gemini body. */
export function toUpstream(json: JsonObject, plan: Partial<EncodePlan> = {}): JsonObject {
  return encodeResponsesRequest(decodeGeminiBody(json), makePlan(plan)).body
}

/** Upstream `input` of contents. */
export function inputOf(...contents: readonly Json[]): readonly JsonObject[] {
  return (arrayAt(toUpstream({ contents }), "input") ?? []).filter(isJsonObject)
}

export const user = (...parts: readonly Json[]): JsonObject => ({ role: "user", parts })
export const model = (...parts: readonly Json[]): JsonObject => ({ role: "model", parts })
export const text = (value: string): JsonObject => ({ text: value })
export const call = (name: string, id?: string, args: Json = {}): JsonObject => ({
  functionCall: { ...(id !== undefined && { id }), name, args },
})
export const answer = (name: string, id?: string, response: Json = { output: "ok" }): JsonObject => ({
  functionResponse: { ...(id !== undefined && { id }), name, response },
})

const START: StreamEvent = { type: "response-start", id: "resp_1", model: "gpt-5.5", createdAtSec: 1 }

function contextOf(reply: Partial<ReplyOptions>, toolNames: ReadonlyMap<string, string>): ReplyContext {
  const context = makeContext()
  return { ...context, toolNames, reply: { ...context.reply, ...reply } }
}

/** The chunks of an answer, and the same answer folded. */
export function answered(
  events: readonly StreamEvent[],
  reply: Partial<ReplyOptions> = {},
  toolNames: ReadonlyMap<string, string> = new Map(),
) {
  const context = contextOf(reply, toolNames)
  const encoder = makeGeminiEncoder(context)
  const folder = makeGeminiFolder(context)
  let sent = ""
  for (const event of [START, ...events]) {
    sent += encoder.encode(event)
    folder.add(event)
  }
  return { sent, chunks: geminiChunks(sent), folded: () => JSON.parse(folder.finish()) }
}

/** A message of these deltas. */
export function says(...deltas: readonly string[]): readonly StreamEvent[] {
  return [
    { type: "text-start", block: 0 },
    ...deltas.map(delta => ({ type: "text-delta", block: 0, text: jsonTextOf(delta) }) as const),
    { type: "text-end", block: 0 },
  ]
}

export const FINISH: StreamEvent = { type: "finish", reason: "stop" }
