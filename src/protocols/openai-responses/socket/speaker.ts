/** One socket's side of the conversation with a Responses upstream: turns out, frames in, and what a turn may build on. */

import { isJsonObject, type JsonObject, numberAt, objectAt, parseJsonObject, stringAt } from "#core/json.ts"
import type { HeardFrame, SocketSpeaker } from "#core/socket.ts"
import { isLifecycle, isPrivate, terminalKindOf } from "#protocols/openai-responses/read-response.ts"

import { makeChain } from "./chain.ts"
import { chainedFrame, wholeFrame } from "./create-frame.ts"
import { frameTypeOf, sseOfFrame } from "./frame-text.ts"
import { readHeaders, readWrappedError } from "./wrapped-error.ts"

/** The refusals after which the same turn goes out once more in full, on a new socket. */
const STALE_CODES: ReadonlySet<string | undefined> = new Set([
  "previous_response_not_found",
  "websocket_connection_limit_reached",
])

const NO_HEADERS = {}
const ID_MARK = '"response":{"id":"'
/** The id stands in front; a response that begins otherwise is parsed. */
const ID_WITHIN_CHARACTERS = 200

/** Makes the speaker of a new socket. */
export function makeResponsesSpeaker(): SocketSpeaker {
  const chain = makeChain()
  let turnId: string | undefined
  let lastTurnId: string | undefined

  /** Lifecycle events name their response: another turn's name among them means that frames have been mixed up. */
  const isForeign = (id: string | undefined) => {
    if (id === undefined) return false
    if (id === lastTurnId) return true
    turnId ??= id
    return turnId !== id
  }

  const hearEnd = (type: string, text: string): HeardFrame | undefined => {
    const event = parseJsonObject(text) ?? {}
    const response = objectAt(event, "response") ?? {}
    const kind = terminalKindOf(type, stringAt(response, "status"))
    if (kind === undefined) return undefined
    const id = stringAt(response, "id")
    if (isForeign(id)) return { type: "doubt" }
    const refusal = type === "error" ? readWrappedError(event) : undefined
    if (kind === "completed" && id !== undefined) chain.complete(id)
    else chain.forget()
    lastTurnId = id ?? lastTurnId
    const sse = sseOfFrame(type, text)
    if (refusal === undefined) return { type: "end", sse, isWell: kind !== "failed" }
    return { type: "refusal", sse, ...refusal, isStale: STALE_CODES.has(refusal.code) }
  }

  return {
    ask: turn => {
      turnId = undefined
      const link = chain.begin(turn.body)
      return link === undefined ? wholeFrame(turn) : chainedFrame(turn, link)
    },
    hear: text => {
      const type = frameTypeOf(text)
      if (type === undefined) return { type: "doubt" }
      if (isPrivate(type) || type === "keepalive") return aside(type, text)
      if (isLifecycle(type) && isForeign(responseIdOf(text))) return { type: "doubt" }
      if (type === "response.output_item.done") noteItem(parseJsonObject(text) ?? {}, chain.noteItem)
      return hearEndOf(type, text, hearEnd) ?? { type: "event", sse: sseOfFrame(type, text) }
    },
  }
}

/** Only frames whose type can end a turn are parsed. */
function hearEndOf(
  type: string,
  text: string,
  hearEnd: (type: string, text: string) => HeardFrame | undefined,
): HeardFrame | undefined {
  return terminalKindOf(type, undefined) === undefined ? undefined : hearEnd(type, text)
}

function aside(type: string, text: string): HeardFrame {
  const headers = type.endsWith("response.metadata") ? readHeaders(parseJsonObject(text) ?? {}) : NO_HEADERS
  return { type: "aside", sse: sseOfFrame(type, text), headers }
}

function noteItem(event: JsonObject, note: (outputIndex: number, item: JsonObject) => void): void {
  const item = event["item"]
  if (isJsonObject(item)) note(numberAt(event, "output_index") ?? Number.MAX_SAFE_INTEGER, item)
}

function responseIdOf(text: string): string | undefined {
  const at = text.indexOf(ID_MARK)
  if (at !== -1 && at < ID_WITHIN_CHARACTERS) {
    const start = at + ID_MARK.length
    return text.slice(start, text.indexOf('"', start))
  }
  return stringAt(objectAt(parseJsonObject(text) ?? {}, "response") ?? {}, "id")
}
