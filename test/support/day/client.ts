/** A client of the day: sends one request as the Codex CLI does, reads the answer to its end, and says what came of it. */

import type { Clock, Timers } from "#core/clock.ts"
import { toGatewayError } from "#core/errors.ts"
import type { RequestId } from "#core/ids.ts"
import { arrayAt, isJsonObject, type JsonObject, objectAt, parseJsonObject, stringAt } from "#core/json.ts"
import type { ClientCall } from "#core/request.ts"
import type { ModelCalls } from "#gateway/calls/model-calls.ts"

import { type Asked, textOf } from "./asked.ts"

/** What a client sends besides what {@link Asked} says. */
export type Errand = {
  readonly keyId: string
  /** The client's own name of the conversation; undefined = the request stands alone and is not streamed. */
  readonly session: string | undefined
  /** What was said before, oldest first. */
  readonly history: readonly JsonObject[]
}

/** What clients work with. */
export type ClientParts = { readonly clock: Clock; readonly timers: Timers; readonly calls: ModelCalls }

const INSTRUCTIONS = "You are a careful engineer. Answer in few words."

/** The user's own words of a request. */
export function userItem(number: number): JsonObject {
  return { type: "message", role: "user", content: [{ type: "input_text", text: textOf(number) }] }
}

/** Sends the request and writes its outcome down. Resolves with the output items of an answer that was served whole. */
export async function send(asked: Asked, errand: Errand, parts: ClientParts): Promise<readonly JsonObject[]> {
  const leave = new AbortController()
  const cancelLeaving =
    asked.leavesAfterMs === undefined ? () => {} : parts.timers.after(asked.leavesAfterMs, () => leave.abort())
  try {
    const { body } = await parts.calls.turn(callOf(asked, errand, leave.signal))
    const read = typeof body === "string" ? readBody(body) : readStream(await readAll(body, leave.signal))
    asked.outcome = read.failure === undefined ? "served" : "failed"
    asked.code = read.failure ?? ""
    return read.items
  } catch (cause) {
    const error = toGatewayError(cause)
    if (error.kind === "internal") throw cause
    asked.outcome = "failed"
    asked.code = `${error.kind} ${error.code ?? ""}`.trim()
    return []
  } finally {
    if (leave.signal.aborted) asked.outcome = "left"
    asked.endedAtMs = parts.clock()
    cancelLeaving()
  }
}

function callOf(asked: Asked, { keyId, session, history }: Errand, signal: AbortSignal): ClientCall {
  const input = [...history, userItem(asked.number)]
  const named = session === undefined ? {} : { prompt_cache_key: session }
  const json: JsonObject = {
    model: asked.model,
    instructions: INSTRUCTIONS,
    input,
    stream: session !== undefined,
    store: false,
    include: ["reasoning.encrypted_content"],
    ...named,
  }
  return {
    id: `req_${asked.number}` as RequestId,
    protocol: "openai-responses",
    json,
    headers: new Headers(session === undefined ? {} : { session_id: session }),
    principal: { keyId },
    signal,
    startedAtMs: asked.startedAtMs,
  }
}

/** A reader that leaves cancels, as a closed connection does. */
async function readAll(body: ReadableStream<Uint8Array>, signal: AbortSignal): Promise<string> {
  const reader = body.getReader()
  const onAbort = () => {
    // What a cancelled answer does afterwards is nobody's concern.
    reader.cancel().catch(() => {})
  }
  signal.addEventListener("abort", onAbort, { once: true })
  const decoder = new TextDecoder()
  let text = ""
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return text
      text += decoder.decode(value, { stream: true })
    }
  } catch {
    // A reset after a failure event: what was read says what it was.
    return text
  } finally {
    signal.removeEventListener("abort", onAbort)
  }
}

/** What an answer came to; `failure` is undefined only when it was completed. */
type Read = { readonly items: readonly JsonObject[]; readonly failure: string | undefined }

function readStream(text: string): Read {
  const items: JsonObject[] = []
  let failure: string | undefined = "broken off"
  for (const line of text.split("\n")) {
    // Most lines are of no interest, and every event begins with its type.
    const isOf = (type: string) => line.startsWith(`data: {"type":"${type}"`)
    if (isOf("response.completed")) failure = undefined
    // The gateway's own failures stand in an event of their own once the headers have gone out.
    if (isOf("response.failed") || isOf("error")) {
      failure = `in the answer: ${codeOf(parseJsonObject(line.slice(DATA_LENGTH)) ?? {})}`
    }
    if (!isOf("response.output_item.done")) continue
    const item = objectAt(parseJsonObject(line.slice(DATA_LENGTH)) ?? {}, "item")
    if (item !== undefined) items.push(item)
  }
  return { items, failure }
}

const DATA_LENGTH = "data: ".length

function codeOf(event: JsonObject): string {
  return stringAt(objectAt(objectAt(event, "response") ?? {}, "error") ?? event, "code") ?? "no code"
}

function readBody(body: string): Read {
  const response = parseJsonObject(body) ?? {}
  const status = stringAt(response, "status")
  const items = (arrayAt(response, "output") ?? []).filter(isJsonObject)
  return { items, failure: status === "completed" ? undefined : `status ${status}` }
}
