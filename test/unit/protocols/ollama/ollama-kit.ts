/** Shared parts of the Ollama tests: bodies on their way up, and neutral events on their way down. */

import { GatewayError } from "#core/errors.ts"
import type { StreamEvent } from "#core/events.ts"
import type { RequestId } from "#core/ids.ts"
import { arrayAt, isJsonObject, type Json, type JsonObject, jsonTextOf } from "#core/json.ts"
import type { ModelRequest, ReplyOptions } from "#core/request.ts"
import { decodeOllamaRequest } from "#protocols/ollama/decode-request.ts"
import { makeOllamaEncoder } from "#protocols/ollama/encode-stream.ts"
import { makeOllamaFolder } from "#protocols/ollama/fold.ts"
import { encodeResponsesRequest } from "#protocols/openai-responses/encode-request.ts"

import { ollamaLines } from "../../../support/ollama-invariants.ts"
import { makeContext } from "../../../support/scenarios.ts"
import { makePlan } from "../request-kit.ts"

function decode(endpoint: "chat" | "generate", json: JsonObject): ModelRequest {
  return decodeOllamaRequest({
    id: "req_1" as RequestId,
    protocol: "ollama",
    json: { model: "m", ...json, endpoint },
    headers: new Headers(),
    principal: { keyId: "ollama" },
    signal: new AbortController().signal,
    startedAtMs: 0,
  })
}

export const decodeChat = (json: JsonObject): ModelRequest => decode("chat", { messages: [user("hi")], ...json })
export const decodeGenerate = (json: JsonObject): ModelRequest => decode("generate", { prompt: "hi", ...json })

/** The error that a body is refused with. */
export function refusalOf(read: () => unknown): GatewayError {
  try {
    read()
  } catch (cause) {
    if (cause instanceof GatewayError) return cause
    throw cause
  }
  throw new Error("the body was not refused")
}

/** The upstream body. */
export const upstreamOf = (request: ModelRequest): JsonObject => encodeResponsesRequest(request, makePlan()).body

/** Upstream `input` of messages. */
export function inputOf(...messages: readonly JsonObject[]): readonly JsonObject[] {
  return (arrayAt(upstreamOf(decodeChat({ messages })), "input") ?? []).filter(isJsonObject)
}

export const user = (content: Json, more: JsonObject = {}): JsonObject => ({ role: "user", content, ...more })
export const assistant = (content: Json, ...calls: readonly JsonObject[]): JsonObject => ({
  role: "assistant",
  content,
  ...(calls.length > 0 && { tool_calls: calls }),
})
export const call = (name: string, args: Json = {}, id?: string): JsonObject => ({
  ...(id !== undefined && { id }),
  function: { name, arguments: args },
})
export const tool = (content: Json, more: JsonObject = {}): JsonObject => ({ role: "tool", content, ...more })

const START: StreamEvent = { type: "response-start", id: "resp_1", model: "gpt-5.5", createdAtSec: 1 }

/** An answer's events, with how it is to look and what the clock says from event to event. */
export type AnsweredOptions = {
  readonly reply?: Partial<ReplyOptions>
  readonly toolNames?: Readonly<Record<string, string>>
  readonly clock?: () => number
}

/** The lines of an answer, and the same answer folded. */
export function answered(events: readonly StreamEvent[], { reply, toolNames, clock }: AnsweredOptions = {}) {
  const made = makeContext({ thinking: "shown", ...reply }, toolNames)
  const context = clock === undefined ? made : { ...made, clock, startedAtMs: clock() }
  const encoder = makeOllamaEncoder(context)
  let sent = ""
  for (const event of [START, ...events]) sent += encoder.encode(event)
  const folded = (): JsonObject => {
    const folder = makeOllamaFolder(context)
    for (const event of [START, ...events]) folder.add(event)
    return JSON.parse(folder.finish())
  }
  return { sent, lines: ollamaLines(sent), folded }
}

/** A message of these deltas. */
export function says(...deltas: readonly string[]): readonly StreamEvent[] {
  return [
    { type: "text-start", block: 0 },
    ...deltas.map(delta => ({ type: "text-delta", block: 0, text: jsonTextOf(delta) }) as const),
    { type: "text-end", block: 0 },
  ]
}

/** A thought of these deltas. */
export function thinks(block: number, ...deltas: readonly string[]): readonly StreamEvent[] {
  return [
    { type: "reasoning-start", block },
    ...deltas.map(delta => ({ type: "reasoning-delta", block, text: jsonTextOf(delta) }) as const),
    { type: "reasoning-end", block },
  ]
}

/** A call of a function. */
export function calls(args: string, name = "f", block = 0): readonly StreamEvent[] {
  return [
    { type: "tool-start", block, callId: `c${block}`, name, kind: "function" },
    { type: "tool-delta", block, text: jsonTextOf(args) },
    { type: "tool-end", block },
  ]
}

export const FINISH: StreamEvent = { type: "finish", reason: "stop" }
