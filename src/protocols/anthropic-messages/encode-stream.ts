/** Turns neutral events into the named events of a Messages stream. */

import type { JsonText } from "#core/json.ts"
import type { ReplyContext, StreamEncoder } from "#protocols/protocol.ts"
import { preparePrefix, sseEvent } from "#wire/sse-writer.ts"

import { makeMessageSteps } from "./answer/message-steps.ts"
import type { DeltaKind, MessageEnd, MessagesSink } from "./answer/messages-sink.ts"
import { messagesUsageText, openingUsageText } from "./answer/messages-usage.ts"
import type { OpenBlock } from "./answer/open-block.ts"
import { stopDetailsText } from "./answer/stop-reason.ts"
import { anthropicErrorText } from "./encode-error.ts"

/** Counted by watchdogs that look at events, which comments are not. */
const PING = sseEvent("ping", '{"type":"ping"}')

/** Type and member of each kind of delta. */
const DELTAS: Readonly<Record<DeltaKind, readonly [type: string, member: string]>> = {
  text: ["text_delta", "text"],
  thinking: ["thinking_delta", "thinking"],
  signature: ["signature_delta", "signature"],
  input: ["input_json_delta", "partial_json"],
}

type State = {
  readonly context: ReplyContext
  /** Everything before the literal of a delta of the open block, by kind. */
  prefixes: Partial<Record<DeltaKind, string>>
  out: string
}

/** Makes an encoder for one answer. */
export function makeMessagesEncoder(context: ReplyContext): StreamEncoder {
  const state: State = { context, prefixes: {}, out: "" }
  const step = makeMessageSteps(context, makeSink(state))
  return {
    encode: event => {
      state.out = ""
      step(event)
      return state.out
    },
    keepAlive: () => PING,
  }
}

function makeSink(state: State): MessagesSink {
  return {
    start: ({ id, inputTokens }) => {
      const message =
        `{"id":${JSON.stringify(id)},"type":"message","role":"assistant","model":${JSON.stringify(state.context.model)},` +
        `"content":[],"stop_reason":null,"stop_sequence":null,"stop_details":null,"usage":${openingUsageText(inputTokens)}}`
      write(state, "message_start", `{"type":"message_start","message":${message}}`)
      state.out += PING
    },
    open: (index, block) => {
      state.prefixes = {}
      const start = `{"type":"content_block_start","index":${index},"content_block":${openBlockText(block)}}`
      write(state, "content_block_start", start)
    },
    delta: (index, kind, literal) => writeDelta(state, index, kind, literal),
    cite: (index, citation) => {
      const delta = `{"type":"citations_delta","citation":${citation}}`
      write(state, "content_block_delta", `{"type":"content_block_delta","index":${index},"delta":${delta}}`)
    },
    close: index => write(state, "content_block_stop", `{"type":"content_block_stop","index":${index}}`),
    finish: end => writeEnd(state, end),
    error: error => write(state, "error", anthropicErrorText(error, state.context.requestId)),
  }
}

/** Three pieces appended one by one: no object and no serialiser on the hot path. */
function writeDelta(state: State, index: number, kind: DeltaKind, literal: JsonText): void {
  state.out += state.prefixes[kind] ?? prepareDelta(state, index, kind)
  state.out += literal
  state.out += "}}\n\n"
}

function prepareDelta(state: State, index: number, kind: DeltaKind): string {
  const [type, member] = DELTAS[kind]
  const head = `event: content_block_delta\ndata: {"type":"content_block_delta","index":${index},`
  const prefix = preparePrefix(head, `"delta":{"type":"${type}","${member}":`)
  state.prefixes[kind] = prefix
  return prefix
}

function openBlockText(block: OpenBlock): string {
  switch (block.type) {
    case "text":
      return block.cites ? '{"type":"text","text":"","citations":[]}' : '{"type":"text","text":""}'
    case "thinking":
      return '{"type":"thinking","thinking":"","signature":""}'
    case "tool_use":
    case "server_tool_use":
      return `{"type":"${block.type}","id":${JSON.stringify(block.id)},"name":${JSON.stringify(block.name)},"input":{}}`
    case "web_search_tool_result":
      return `{"type":"${block.type}","tool_use_id":${JSON.stringify(block.toolUseId)},"content":${block.content}}`
  }
}

function writeEnd(state: State, end: MessageEnd): void {
  const delta = `{"stop_reason":"${end.stopReason}","stop_sequence":null,"stop_details":${stopDetailsText(end.stopReason)}}`
  write(state, "message_delta", `{"type":"message_delta","delta":${delta},"usage":${messagesUsageText(end)}}`)
  write(state, "message_stop", '{"type":"message_stop"}')
}

function write(state: State, event: string, data: string): void {
  state.out += sseEvent(event, data)
}
