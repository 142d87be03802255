/** Chat messages → neutral input items, order kept. */

import type { ToolKind } from "#core/events.ts"
import { arrayAt, isJsonObject, type Json, type JsonObject, objectAt, stringAt } from "#core/json.ts"
import type { ContentPart, InputItem } from "#core/request.ts"
import { invalidRequest } from "#protocols/check-body.ts"

import { decodeChatContent } from "./decode-parts.ts"
import { decodeChatToolOutput } from "./decode-tool-output.ts"

/** What later messages need to know of earlier ones. Lives inside one {@link decodeChatMessages} call. */
type History = {
  readonly items: InputItem[]
  readonly customNames: ReadonlySet<string>
  /** Kind of the latest call under each id: a tool message does not say what it answers. */
  readonly kinds: Map<string, ToolKind>
  /** Legacy calls without a result yet, oldest first; legacy results name only the function. */
  readonly openLegacyCalls: { readonly name: string; readonly callId: string }[]
}

type Place = { readonly index: number; readonly isLast: boolean }

/**
 * Decodes the conversation. A call or result without an id keeps `callId: ""`: the upstream encoder pairs it by
 * position. `customNames` are the tools declared as custom; a function entry under such a name becomes a custom call.
 * Throws `invalid-request` for unknown roles and unsupported parts.
 */
export function decodeChatMessages(messages: readonly Json[], customNames: ReadonlySet<string>): readonly InputItem[] {
  const history: History = { items: [], customNames, kinds: new Map(), openLegacyCalls: [] }
  for (const [index, message] of messages.entries()) {
    if (isJsonObject(message)) decodeMessage(message, { index, isLast: index === messages.length - 1 }, history)
  }
  return history.items
}

function decodeMessage(message: JsonObject, place: Place, history: History): void {
  switch (stringAt(message, "role") ?? "") {
    case "system":
    case "developer":
      decodeDeveloper(message, place, history)
      break
    case "user":
      decodeUser(message, place, history)
      break
    case "assistant":
      decodeAssistant(message, place, history)
      break
    case "tool":
      decodeToolResult(message, place, history)
      break
    case "function":
      decodeLegacyResult(message, place, history)
      break
    default: {
      const param = `messages[${place.index}].role`
      const roles = "'system', 'developer', 'user', 'assistant', 'tool' or 'function'"
      throw invalidRequest(`'${param}' must be ${roles}.`, param, "invalid_value")
    }
  }
}

function decodeDeveloper(message: JsonObject, place: Place, history: History): void {
  const parts = decodeChatContent(message["content"], { role: "developer", messageIndex: place.index })
  if (parts.length > 0) history.items.push({ type: "message", role: "developer", parts })
}

function decodeUser(message: JsonObject, place: Place, history: History): void {
  const parts = decodeChatContent(message["content"], { role: "user", messageIndex: place.index })
  if (parts.length > 0) history.items.push({ type: "message", role: "user", parts })
  // The turn to answer must exist, even when it is empty.
  else if (place.isLast) history.items.push({ type: "message", role: "user", parts: [{ type: "text", text: "" }] })
}

/** Text first, then calls: the order in which the model produced them. Reasoning text cannot be replayed: dropped. */
function decodeAssistant(message: JsonObject, place: Place, history: History): void {
  const parts: ContentPart[] = [
    ...decodeChatContent(message["content"], { role: "assistant", messageIndex: place.index }),
  ]
  const refusal = stringAt(message, "refusal")
  if (refusal) parts.push({ type: "refusal", text: refusal })
  if (parts.length > 0) history.items.push({ type: "message", role: "assistant", parts })
  for (const call of arrayAt(message, "tool_calls") ?? []) if (isJsonObject(call)) decodeCall(call, history)
  const legacy = objectAt(message, "function_call")
  if (legacy !== undefined) decodeLegacyCall(legacy, place, history)
}

function decodeCall(call: JsonObject, history: History): void {
  const callId = stringAt(call, "id") ?? ""
  const custom = objectAt(call, "custom")
  const source = custom ?? objectAt(call, "function") ?? call
  const name = stringAt(source, "name") ?? ""
  const isCustom = call["type"] === "custom" || custom !== undefined || history.customNames.has(name)
  const kind: ToolKind = isCustom ? "custom" : "function"
  if (callId !== "") history.kinds.set(callId, kind)
  const input = isCustom ? customInput(source) : argumentText(source["arguments"])
  history.items.push({ type: "tool-call", callId, name, kind, input })
}

/** Cursor keeps custom calls in the function envelope: the raw text then stands in `arguments`. */
function customInput(source: JsonObject): string {
  return stringAt(source, "input") ?? stringAt(source, "arguments") ?? ""
}

function argumentText(value: Json | undefined): string {
  if (typeof value === "string") return value === "" ? "{}" : value
  return value === undefined || value === null ? "{}" : JSON.stringify(value)
}

/** The id comes from the position, so that one function called twice keeps two ids and caches stay warm. */
function decodeLegacyCall(call: JsonObject, place: Place, history: History): void {
  const name = stringAt(call, "name") ?? ""
  const callId = `call_function_${place.index}`
  history.openLegacyCalls.push({ name, callId })
  history.items.push({
    type: "tool-call",
    callId,
    name,
    kind: "function",
    input: argumentText(call["arguments"]),
  })
}

function decodeToolResult(message: JsonObject, place: Place, history: History): void {
  const callId = stringAt(message, "tool_call_id") ?? ""
  const output = decodeChatToolOutput(message["content"], place.index)
  history.items.push({ type: "tool-result", callId, kind: history.kinds.get(callId) ?? "function", output })
}

function decodeLegacyResult(message: JsonObject, place: Place, history: History): void {
  const name = stringAt(message, "name")
  const open = history.openLegacyCalls.findIndex(call => call.name === name)
  const call = open === -1 ? undefined : history.openLegacyCalls.splice(open, 1)[0]
  const output = decodeChatToolOutput(message["content"], place.index)
  history.items.push({ type: "tool-result", callId: call?.callId ?? "", kind: "function", output })
}
