/** Messages → neutral input items, order kept. */

import { isJsonObject, type Json, type JsonObject, stringAt } from "#core/json.ts"
import type { ContentPart, InputItem } from "#core/request.ts"
import { unsealSignature } from "#protocols/seal-signature.ts"

import { withoutAttribution } from "./attribution.ts"
import { type CallBook, makeCallBook } from "./call-book.ts"
import { decodeContent, decodePart } from "./content-parts.ts"
import { type HostedHistory, makeHostedHistory } from "./hosted-history.ts"
import { decodeToolOutput } from "./tool-result.ts"

type Role = "developer" | "user" | "assistant"
type Result = Extract<InputItem, { type: "tool-result" }>

/** What later messages need to know of earlier ones. */
type History = {
  readonly items: InputItem[]
  readonly calls: CallBook
  /** Ids of all calls, to tell a result that comes too early from one whose call is gone. */
  readonly callIds: ReadonlySet<string>
  /** Results that came before their call, by the client's id. */
  readonly early: Map<string, Result>
  /** Where the results of the present round stand: the last one under an id counts. */
  resultAt: Map<string, number>
}

/** One message being read. */
type Turn = {
  readonly role: Role
  readonly history: History
  readonly hosted: HostedHistory
  /** Encrypted reasoning seen in this message: some clients repeat it. */
  readonly seals: Set<string>
  /** Parts of the message item that is being put together. */
  parts: ContentPart[]
}

/** Roles of the dialect, and one that clients of the other family send. */
const ROLES: ReadonlyMap<string, Role> = new Map<string, Role>([
  ["assistant", "assistant"],
  ["system", "developer"],
  ["developer", "developer"],
])

/**
 * Decodes the conversation. Calls and results leave with ids that are legal upstream and pair up; what is missing
 * between them is for the upstream's encoder to repair. Throws `invalid-request` for images nobody can read.
 */
export function decodeMessages(messages: readonly JsonObject[]): readonly InputItem[] {
  const history: History = {
    items: [],
    calls: makeCallBook(),
    callIds: new Set(messages.flatMap(callIdsOf)),
    early: new Map(),
    resultAt: new Map(),
  }
  for (const [index, message] of messages.entries()) decodeMessage(message, index, history)
  return history.items
}

function blocksOf(message: JsonObject): readonly JsonObject[] {
  const content: Json | undefined = message["content"]
  if (!Array.isArray(content)) return []
  const blocks: readonly Json[] = content
  return blocks.filter(isJsonObject)
}

function callIdsOf(message: JsonObject): readonly string[] {
  return blocksOf(message).flatMap(block => (block["type"] === "tool_use" ? (stringAt(block, "id") ?? []) : []))
}

function decodeMessage(message: JsonObject, index: number, history: History): void {
  const role = ROLES.get(stringAt(message, "role") ?? "") ?? "user"
  const turn: Turn = { role, history, hosted: makeHostedHistory(), seals: new Set(), parts: [] }
  const first = history.items.length
  if (role === "assistant") beginRound(history)
  if (typeof message["content"] === "string") turn.parts.push(...partsFor(role, decodeContent(message["content"], "")))
  for (const [at, block] of blocksOf(message).entries()) decodeBlock(block, `messages.${index}.content.${at}`, turn)
  flush(turn)
  dropLoneReasoning(history.items, first)
  if (role === "assistant") answerEarly(message, history)
}

function beginRound(history: History): void {
  // Several assistant messages in a row are one round: their results all come behind them.
  if (isAssistantSide(history.items.at(-1))) return
  history.calls.beginRound()
  history.resultAt = new Map()
}

function isAssistantSide(item: InputItem | undefined): boolean {
  return (
    item?.type === "tool-call" ||
    item?.type === "native-item" ||
    (item?.type === "message" && item.role === "assistant")
  )
}

function decodeBlock(block: JsonObject, place: string, turn: Turn): void {
  const type = stringAt(block, "type") ?? ""
  switch (type) {
    case "tool_use":
      decodeCall(block, turn)
      return
    case "tool_result":
      decodeResult(block, place, turn)
      return
    case "thinking":
      decodeThinking(stringAt(block, "signature"), turn)
      return
    case "redacted_thinking":
      decodeThinking(stringAt(block, "data"), turn)
      return
    case "server_tool_use":
    case "mcp_tool_use":
      turn.hosted.use(block)
      return
    default:
      if (type.endsWith("_tool_result")) addText(turn.hosted.result(block), turn)
      else turn.parts.push(...partsFor(turn.role, decodePart(block, place)))
  }
}

function addText(text: string | undefined, turn: Turn): void {
  if (text !== undefined && text !== "") turn.parts.push({ type: "text", text })
}

/** The assistant and the system speak in text only; prompts lose the line that changes from request to request. */
function partsFor(role: Role, parts: readonly ContentPart[]): readonly ContentPart[] {
  switch (role) {
    case "user":
      return parts
    case "assistant":
      return parts.map(part => (part.type === "text" ? part : { type: "text", text: `[${part.type}]` }))
    case "developer":
      return parts.flatMap(part => {
        const text = part.type === "text" ? withoutAttribution(part.text) : `[${part.type}]`
        return text.trim() === "" ? [] : [{ type: "text", text }]
      })
  }
}

function flush(turn: Turn): void {
  if (turn.parts.length === 0) return
  turn.history.items.push({ type: "message", role: turn.role, parts: turn.parts })
  turn.parts = []
}

function decodeCall(block: JsonObject, turn: Turn): void {
  flush(turn)
  const { items, calls } = turn.history
  items.push({
    type: "tool-call",
    callId: calls.call(stringAt(block, "id") ?? ""),
    name: stringAt(block, "name") ?? "",
    kind: "function",
    input: argumentText(block["input"]),
  })
}

/** Compact JSON of the input; a client that sends JSON text means the object in it. Anything else is no input. */
function argumentText(input: Json | undefined): string {
  const value = typeof input === "string" ? parseOrNothing(input) : input
  return isJsonObject(value) ? JSON.stringify(value) : "{}"
}

function parseOrNothing(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // No JSON, so no arguments: the call stands in the history all the same.
    return undefined
  }
}

function decodeResult(block: JsonObject, place: string, turn: Turn): void {
  flush(turn)
  const { history } = turn
  const id = stringAt(block, "tool_use_id") ?? ""
  const output = decodeToolOutput(block, place)
  const result: Result = {
    type: "tool-result",
    callId: "",
    kind: "function",
    output,
    ...(block["is_error"] === true && { isError: true }),
  }
  if (history.callIds.has(id) && !history.calls.knows(id)) history.early.set(id, result)
  else addResult({ ...result, callId: history.calls.result(id) }, history)
}

function addResult(result: Result, { items, resultAt }: History): void {
  const known = result.callId === "" ? undefined : resultAt.get(result.callId)
  if (known === undefined) {
    resultAt.set(result.callId, items.length)
    items.push(result)
  } else items[known] = result
}

function answerEarly(message: JsonObject, history: History): void {
  for (const id of callIdsOf(message)) {
    const result = history.early.get(id)
    if (result === undefined) continue
    history.early.delete(id)
    addResult({ ...result, callId: history.calls.result(id) }, history)
  }
}

/** Only our own signatures hold anything an upstream could read; the text of a thought is never sent as speech. */
function decodeThinking(signature: string | undefined, turn: Turn): void {
  if (turn.role !== "assistant" || signature === undefined) return
  const item = unsealSignature(signature)
  if (item === undefined || turn.seals.has(item.json)) return
  turn.seals.add(item.json)
  flush(turn)
  turn.history.items.push({ type: "native-item", item })
}

/** Reasoning that nothing follows was cut off, and some models refuse it. */
function dropLoneReasoning(items: InputItem[], first: number): void {
  const added = items.slice(first)
  if (added.length > 0 && added.every(item => item.type === "native-item")) items.length = first
}
