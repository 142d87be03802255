/** Shared parts of the Messages tests: bodies on their way up, and upstream answers on their way down. */

import { GatewayError } from "#core/errors.ts"
import type { RequestId } from "#core/ids.ts"
import { arrayAt, isJsonObject, type Json, type JsonObject } from "#core/json.ts"
import type { ModelRequest, ReplyOptions } from "#core/request.ts"
import { decodeMessagesRequest } from "#protocols/anthropic-messages/decode-request.ts"
import { makeMessagesEncoder } from "#protocols/anthropic-messages/encode-stream.ts"
import { makeMessagesFolder } from "#protocols/anthropic-messages/fold.ts"
import { makeResponsesDecoder } from "#protocols/openai-responses/decode-stream.ts"
import { encodeResponsesRequest } from "#protocols/openai-responses/encode-request.ts"
import type { EncodedRequest, EncodePlan, ReplyContext } from "#protocols/protocol.ts"
import { makeTranscodeCollector } from "#protocols/transcode-collector.ts"
import { makeTranscodePipe } from "#protocols/transcode-pipe.ts"

import { makeContext, readFailure } from "../../../support/scenarios.ts"
import { readEvents } from "../../../support/sse.ts"
import { makePlan } from "../request-kit.ts"

export function decodeMessagesBody(json: JsonObject, headers: Record<string, string> = {}): ModelRequest {
  return decodeMessagesRequest({
    id: "req_1" as RequestId,
    protocol: "anthropic-messages",
    json: { model: "m", max_tokens: 10, messages: [{ role: "user", content: "hi" }], ...json },
    headers: new Headers(headers),
    principal: { keyId: "anonymous" },
    signal: new AbortController().signal,
    startedAtMs: 0,
  })
}

export function encodeMessagesBody(json: JsonObject, plan: Partial<EncodePlan> = {}): EncodedRequest {
  return encodeResponsesRequest(decodeMessagesBody(json), makePlan(plan))
}

/** The upstream body of a Messages body. */
export function toUpstream(json: JsonObject, plan: Partial<EncodePlan> = {}): JsonObject {
  return encodeMessagesBody(json, plan).body
}

/** Upstream `input` of messages. */
export function inputOf(messages: readonly Json[], others: JsonObject = {}): readonly JsonObject[] {
  return (arrayAt(toUpstream({ messages, ...others }), "input") ?? []).filter(isJsonObject)
}

export const user = (content: Json): JsonObject => ({ role: "user", content })
export const assistant = (content: Json): JsonObject => ({ role: "assistant", content })
export const text = (value: string): JsonObject => ({ type: "text", text: value })
export const toolUse = (id: string, name = "f", input: Json = {}): JsonObject => ({ type: "tool_use", id, name, input })
export const toolResult = (id: string, content: Json = "ok", more: JsonObject = {}): JsonObject => ({
  type: "tool_result",
  tool_use_id: id,
  content,
  ...more,
})
export const tool = (name: string, schema: Json = { type: "object" }, more: JsonObject = {}): JsonObject => ({
  name,
  input_schema: schema,
  ...more,
})

/** An answer as both kinds of client get it; `json` is undefined for one that failed. */
export type Served = {
  readonly stream: string
  readonly events: readonly JsonObject[]
  readonly json: JsonObject | undefined
  readonly error: GatewayError | undefined
}

const upstream = { makeDecoder: makeResponsesDecoder }
const client = { makeEncoder: makeMessagesEncoder, makeFolder: makeMessagesFolder }

export function messagesContext(reply: Partial<ReplyOptions> = {}, more: Partial<ReplyContext> = {}): ReplyContext {
  return { ...makeContext({ thinking: "shown", ...reply }), ...more }
}

/** Serves upstream events to a client that streams and to one that does not. */
export function serveMessages(
  bytes: Uint8Array,
  context: ReplyContext = messagesContext(),
  declaredTools?: ReadonlySet<string>,
): Served {
  const parts = { upstream, client, context, readFailure, ...(declaredTools !== undefined && { declaredTools }) }
  const pipe = makeTranscodePipe(parts)
  const stream = attempt(
    () => Buffer.concat([pipe.feed(bytes).slice(), pipe.end().slice()]).toString("utf8"),
    error => Buffer.from(pipe.fail(error)).toString("utf8"),
  )
  let error: GatewayError | undefined
  const body = attempt(
    () => {
      const collector = makeTranscodeCollector(parts)
      collector.feed(bytes)
      return collector.finish()
    },
    cause => {
      error = cause
      return "null"
    },
  )
  const json: unknown = JSON.parse(body)
  const events = readEvents(stream).map(({ data }) => JSON.parse(data) as JsonObject)
  return {
    stream,
    events: events.filter(event => event["type"] !== "ping"),
    json: isJsonObject(json) ? json : undefined,
    error,
  }
}

function attempt(run: () => string, otherwise: (error: GatewayError) => string): string {
  try {
    return run()
  } catch (error) {
    if (error instanceof GatewayError) return otherwise(error)
    throw error
  }
}
