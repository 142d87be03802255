/** Folds neutral events into the message of a client that does not stream. */

import type { GatewayError } from "#core/errors.ts"
import { readJsonText } from "#core/json.ts"
import type { Folder, ReplyContext } from "#protocols/protocol.ts"
import { streamBreak } from "#protocols/stream-break.ts"
import { literalBody, literalOfBody } from "#wire/json-literal.ts"

import { makeMessageSteps } from "./answer/message-steps.ts"
import type { DeltaKind, MessageEnd, MessagesSink } from "./answer/messages-sink.ts"
import { messagesUsageText } from "./answer/messages-usage.ts"
import type { OpenBlock } from "./answer/open-block.ts"
import { stopDetailsText } from "./answer/stop-reason.ts"

/** A block and what it was given: bodies of literals, joined without decoding them. */
type FoldedBlock = {
  readonly block: OpenBlock
  readonly bodies: Record<DeltaKind, string>
  readonly citations: string[]
  cut: boolean
}

type State = {
  readonly context: ReplyContext
  readonly blocks: FoldedBlock[]
  id: string
  end: MessageEnd | undefined
  error: GatewayError | undefined
}

/** Makes a folder for one answer. */
export function makeMessagesFolder(context: ReplyContext): Folder {
  const state: State = { context, blocks: [], id: "", end: undefined, error: undefined }
  return {
    add: makeMessageSteps(context, makeSink(state)),
    finish: () => {
      if (state.error !== undefined) throw state.error
      if (state.end === undefined) {
        throw streamBreak()
      }
      return messageText(state, state.end)
    },
  }
}

function makeSink(state: State): MessagesSink {
  return {
    start: ({ id }) => {
      state.id = id
    },
    open: (_index, block) => {
      state.blocks.push({
        block,
        bodies: { text: "", thinking: "", signature: "", input: "" },
        citations: [],
        cut: false,
      })
    },
    delta: (index, kind, literal) => {
      const folded = state.blocks[index]
      if (folded !== undefined) folded.bodies[kind] += literalBody(literal)
    },
    cite: (index, citation) => state.blocks[index]?.citations.push(citation),
    close: (index, cut) => {
      const folded = state.blocks[index]
      if (folded !== undefined) folded.cut = cut
    },
    finish: end => {
      state.end = end
    },
    error: error => {
      state.error = error
    },
  }
}

/** A call without whole arguments is left out: nobody may run it. */
function messageText({ context, blocks, id }: State, end: MessageEnd): string {
  const content = blocks.filter(({ cut }) => !cut).map(blockText)
  return (
    `{"id":${JSON.stringify(id)},"type":"message","role":"assistant","model":${JSON.stringify(context.model)},` +
    `"content":[${content.join(",")}],"stop_reason":"${end.stopReason}","stop_sequence":null,` +
    `"stop_details":${stopDetailsText(end.stopReason)},"usage":${messagesUsageText(end)}}`
  )
}

function blockText({ block, bodies, citations }: FoldedBlock): string {
  switch (block.type) {
    case "text":
      return `{"type":"text","text":"${bodies.text}"${block.cites ? `,"citations":[${citations.join(",")}]` : ""}}`
    case "thinking":
      return `{"type":"thinking","thinking":"${bodies.thinking}","signature":"${bodies.signature}"}`
    case "tool_use":
    case "server_tool_use":
      return (
        `{"type":"${block.type}","id":${JSON.stringify(block.id)},"name":${JSON.stringify(block.name)},` +
        `"input":${inputText(bodies.input)}}`
      )
    case "web_search_tool_result":
      return `{"type":"${block.type}","tool_use_id":${JSON.stringify(block.toolUseId)},"content":${block.content}}`
  }
}

/** The steps have seen that it is the text of an object: it is spliced in, so that no number is rewritten. */
function inputText(body: string): string {
  const text = readJsonText(literalOfBody(body)).trim()
  return text === "" || text === "null" ? "{}" : text
}
