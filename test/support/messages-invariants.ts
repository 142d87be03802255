/** What every Messages stream must hold, and the message a client folds from it. */

import {
  arrayAt,
  isJsonObject,
  type Json,
  type JsonObject,
  type MutableJsonObject,
  objectAt,
  stringAt,
} from "#core/json.ts"

import { readEvents } from "./sse.ts"

/** One content block as it went over the wire. */
type SentBlock = {
  readonly index: number
  readonly start: JsonObject
  readonly deltas: readonly JsonObject[]
  readonly closed: boolean
}

const DELTAS_OF: Readonly<Record<string, readonly string[]>> = {
  text: ["text_delta", "citations_delta"],
  thinking: ["thinking_delta", "signature_delta"],
  tool_use: ["input_json_delta"],
  server_tool_use: ["input_json_delta"],
  web_search_tool_result: [],
}

const STOP_REASONS = new Set(["end_turn", "max_tokens", "tool_use", "refusal"])

/** Collects the statements that do not hold. */
function makeChecks() {
  const wrong: string[] = []
  const check = (holds: boolean, text: string) => {
    if (!holds) wrong.push(text)
  }
  return { wrong, check }
}

/** Returns the data of all events, and what is wrong with their framing (I1). */
function readFrames(stream: string): { readonly all: readonly JsonObject[]; readonly wrong: readonly string[] } {
  const { wrong, check } = makeChecks()
  const all = readEvents(stream).map(({ event, data }) => {
    check(!data.includes("\n"), "I1 data is one line")
    const json: unknown = JSON.parse(data)
    const object = isJsonObject(json) ? json : {}
    check(
      event !== "" && object["type"] === event,
      `I1 the event line says ${event}, the data ${String(object["type"])}`,
    )
    return object
  })
  return { all, wrong }
}

/** Returns what is wrong with a stream; empty when nothing is. The numbers are those of the invariants. */
export function brokenMessagesInvariants(stream: string): readonly string[] {
  const { all, wrong } = readFrames(stream)
  const events = all.filter(event => event["type"] !== "ping")
  const { blocks, wrong: misplaced } = readBlocks(events)
  return [
    ...wrong,
    ...brokenLifecycle(events),
    ...misplaced,
    ...blocks.flatMap(block => brokenBlock(block)),
    ...brokenSearches(blocks),
    ...brokenEnd(events, blocks),
    ...brokenUsage(events),
    ...leaks(stream),
  ]
}

function brokenLifecycle(events: readonly JsonObject[]): readonly string[] {
  const { wrong, check } = makeChecks()
  const types = events.map(event => stringAt(event, "type"))
  const isFailed = types.at(-1) === "error"
  const starts = types.filter(type => type === "message_start").length
  if (!isFailed || starts > 0) {
    check(types[0] === "message_start" && starts === 1, "I2 message_start is first and alone")
    const message = objectAt(events[0] ?? {}, "message") ?? {}
    check(Array.isArray(message["content"]) && message["content"].length === 0, "I2 content is empty at the start")
    check(message["stop_reason"] === null, "I2 stop_reason is null at the start")
  }
  const ends = types.filter(type => type === "message_stop" || type === "error")
  check(ends.length === 1 && types.at(-1) === ends[0], "I3 one end, and nothing after it")
  const deltas = types.filter(type => type === "message_delta").length
  check(deltas === (isFailed ? 0 : 1), "I4 one message_delta, none in a failure")
  check(isFailed || types.at(-2) === "message_delta", "I4 message_delta stands before message_stop")
  return wrong
}

function readBlocks(events: readonly JsonObject[]) {
  const { wrong, check } = makeChecks()
  const blocks: { index: number; start: JsonObject; deltas: JsonObject[]; closed: boolean }[] = []
  for (const event of events) {
    const last = blocks.at(-1)
    const index = event["index"]
    switch (stringAt(event, "type") ?? "") {
      case "content_block_start":
        check(index === blocks.length, "I5 indexes ascend from 0")
        check(last === undefined || last.closed, "I5 one block is open at a time")
        blocks.push({ index: blocks.length, start: objectAt(event, "content_block") ?? {}, deltas: [], closed: false })
        break
      case "content_block_delta":
        check(last !== undefined && !last.closed && last.index === index, "I6 a delta belongs to the open block")
        last?.deltas.push(objectAt(event, "delta") ?? {})
        break
      case "content_block_stop":
        check(last !== undefined && !last.closed && last.index === index, "I5 a stop belongs to the open block")
        if (last !== undefined) last.closed = true
        break
      case "message_delta":
        check(last === undefined || last.closed, "I4 no block is open at the end")
        break
      default:
    }
  }
  return { blocks: blocks as readonly SentBlock[], wrong }
}

function brokenBlock({ start, deltas }: SentBlock): readonly string[] {
  const { wrong, check } = makeChecks()
  const type = stringAt(start, "type") ?? ""
  const legal = DELTAS_OF[type]
  check(legal !== undefined, `I6 block type ${type}`)
  const types = deltas.map(delta => stringAt(delta, "type") ?? "")
  check(
    types.every(delta => legal?.includes(delta)),
    `I6 deltas of ${type}: ${types.join()}`,
  )
  if (type !== "thinking") return wrong
  const signatures = deltas.filter(delta => delta["type"] === "signature_delta")
  check(signatures.length <= 1, "I7 one signature a block")
  check(signatures.length === 0 || types.at(-1) === "signature_delta", "I7 the signature is last")
  check(
    signatures.every(delta => stringAt(delta, "signature") !== ""),
    "I7 no empty signature",
  )
  return wrong
}

function brokenSearches(blocks: readonly SentBlock[]): readonly string[] {
  const { wrong, check } = makeChecks()
  for (const { index, start } of blocks) {
    if (start["type"] !== "server_tool_use") continue
    const id = stringAt(start, "id") ?? ""
    const result = blocks[index + 1]?.start ?? {}
    check(/^srvtoolu_./.test(id), "I12 ids of searches")
    check(result["type"] === "web_search_tool_result" && result["tool_use_id"] === id, "I12 the result follows")
    const content = result["content"]
    const pages = Array.isArray(content) ? content.filter(isJsonObject) : []
    for (const page of pages) {
      const texts = [page["url"], page["title"], page["encrypted_content"]]
      check(
        texts.every(text => typeof text === "string"),
        "I12 url, title and encrypted_content are strings",
      )
    }
  }
  return wrong
}

function inputOf({ deltas }: SentBlock): string {
  return deltas.map(delta => stringAt(delta, "partial_json") ?? "").join("")
}

function isObjectText(text: string): boolean {
  if (text === "") return true
  try {
    return isJsonObject(JSON.parse(text))
  } catch {
    return false
  }
}

function brokenEnd(events: readonly JsonObject[], blocks: readonly SentBlock[]): readonly string[] {
  const { wrong, check } = makeChecks()
  const isFailed = events.at(-1)?.["type"] === "error"
  const delta = objectAt(events.at(-2) ?? {}, "delta") ?? {}
  const reason = stringAt(delta, "stop_reason") ?? ""
  const tools = blocks.filter(({ start }) => start["type"] === "tool_use")
  const ids = tools.map(({ start }) => stringAt(start, "id") ?? "")
  check(new Set(ids).size === ids.length, "I8 ids of calls are unique")
  check(
    ids.every(id => /^[a-zA-Z0-9_-]+$/.test(id)),
    "I8 ids of calls are legal",
  )
  check(
    tools.every(({ start }) => (stringAt(start, "name") ?? "") !== ""),
    "I8 calls have names",
  )
  for (const tool of tools) {
    const mayBeCut = tool === blocks.at(-1) && (isFailed || reason === "max_tokens")
    check(mayBeCut || isObjectText(inputOf(tool)), "I8 the input of a call is an object")
  }
  if (isFailed) return wrong
  check(STOP_REASONS.has(reason), `I10 stop reason ${reason}`)
  check(delta["stop_sequence"] === null, "I10 no stop sequence")
  check((reason === "tool_use") === tools.length > 0 || reason === "max_tokens" || reason === "refusal", "I9 tool_use")
  check(blocks.length > 0 || reason === "refusal", "I11 a message has content")
  return wrong
}

function brokenUsage(events: readonly JsonObject[]): readonly string[] {
  const { wrong, check } = makeChecks()
  const start = objectAt(objectAt(events[0] ?? {}, "message") ?? {}, "usage")
  const end = objectAt(events.at(-2) ?? {}, "usage")
  const counters = [start, end].flatMap(usage => Object.entries(usage ?? {})).filter(([key]) => key.endsWith("_tokens"))
  check(
    counters.every(([, count]) => Number.isInteger(count) && Number(count) >= 0),
    "I13 counters are whole numbers",
  )
  check(start === undefined || Number(start["input_tokens"]) > 0, "I13 the input is estimated at the start")
  return wrong
}

/** Ids of the upstream's own items, as whole values: a model may say such words. */
function leaks(stream: string): readonly string[] {
  const found = /"(?:id|tool_use_id)":"(fc|rs|ws|resp)_[^"]*"/.exec(stream)
  return found === null ? [] : [`I16 ${found[0]} leaks`]
}

/** Adds up a stream by the rules of the official SDK. */
export function foldMessagesStream(stream: string): JsonObject {
  const events = readFrames(stream).all.filter(event => event["type"] !== "ping")
  const message = objectAt(events[0] ?? {}, "message") ?? {}
  const end = events.find(event => event["type"] === "message_delta") ?? {}
  return {
    ...message,
    ...objectAt(end, "delta"),
    content: readBlocks(events).blocks.map(foldBlock),
    usage: { ...objectAt(message, "usage"), ...objectAt(end, "usage") },
  }
}

const APPENDED: Readonly<Record<string, string>> = { text_delta: "text", thinking_delta: "thinking" }

function foldBlock(block: SentBlock): JsonObject {
  const folded: MutableJsonObject = { ...block.start }
  for (const delta of block.deltas) {
    const key = APPENDED[stringAt(delta, "type") ?? ""]
    if (key !== undefined) folded[key] = (stringAt(folded, key) ?? "") + (stringAt(delta, key) ?? "")
    if (delta["type"] === "signature_delta") folded["signature"] = delta["signature"] ?? ""
    if (delta["citation"] !== undefined)
      folded["citations"] = [...(arrayAt(folded, "citations") ?? []), delta["citation"]]
  }
  return block.start["input"] === undefined ? folded : { ...folded, input: readInput(inputOf(block)) }
}

function readInput(text: string): Json {
  return isObjectText(text) ? JSON.parse(text || "{}") : text
}
