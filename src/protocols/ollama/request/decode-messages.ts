/** `messages` → instructions and neutral input. */

import { arrayAt, isJsonObject, type Json, type JsonObject, objectAt, stringAt } from "#core/json.ts"
import type { ContentPart, InputItem } from "#core/request.ts"
import { type CallLinks, makeCallLinks } from "#protocols/call-links.ts"
import { invalidRequest } from "#protocols/check-body.ts"

import { decodeImages } from "./decode-images.ts"

/** A conversation, and what stands above it. */
export type Conversation = { readonly instructions?: string; readonly input: readonly InputItem[] }

type State = {
  readonly items: InputItem[]
  readonly links: CallLinks
  /** Texts of the system messages that lead the list. */
  readonly above: string[]
  isLeading: boolean
}

/** Reads the messages; `images` are those that stand beside them. Throws `invalid-request` when there is nothing to answer. */
export function decodeMessages(messages: readonly JsonObject[], images: readonly ContentPart[]): Conversation {
  const state: State = { items: [], links: makeCallLinks("call_ol_"), above: [], isLeading: true }
  const lastUser = messages.findLastIndex(message => roleOf(message) === "user")
  for (const [index, message] of messages.entries()) {
    onMessage(state, message, { place: `messages[${index}]`, images: index === lastUser ? images : [] })
  }
  if (lastUser === -1) say(state, "user", images)
  return conversationOf(state)
}

function conversationOf({ items, above }: State): Conversation {
  const text = above.join("\n\n")
  if (items.length > 0) return text === "" ? { input: items } : { instructions: text, input: items }
  if (text !== "") return { input: [{ type: "message", role: "developer", parts: [{ type: "text", text }] }] }
  throw invalidRequest("'messages' must hold something to answer.", "messages", "missing_required_parameter")
}

type Place = { readonly place: string; readonly images: readonly ContentPart[] }

function onMessage(state: State, message: JsonObject, { place, images }: Place): void {
  const role = roleOf(message)
  const isAbove = role === "system" || role === "developer"
  if (!isAbove) state.isLeading = false
  switch (role) {
    case "system":
    case "developer":
      onSystem(state, message, place)
      return
    case "user":
      say(state, "user", [
        ...contentOf(message, place),
        ...decodeImages(message["images"], `${place}.images`),
        ...images,
      ])
      return
    case "assistant":
      say(state, "assistant", contentOf(message, place).filter(isText))
      for (const call of (arrayAt(message, "tool_calls") ?? []).filter(isJsonObject)) onCall(state, call)
      return
    case "tool":
      onToolAnswer(state, message, place)
      return
    default:
      throw invalidRequest(
        `'${place}.role' must be one of system, user, assistant and tool.`,
        `${place}.role`,
        "invalid_value",
      )
  }
}

function roleOf(message: JsonObject): string {
  return stringAt(message, "role")?.trim().toLowerCase() ?? ""
}

/** What leads the list are instructions; what is said later stays where it was said. */
function onSystem(state: State, message: JsonObject, place: string): void {
  const parts = contentOf(message, place).filter(isText)
  if (state.isLeading) state.above.push(...parts.map(part => part.text))
  else say(state, "developer", parts)
}

function say(state: State, role: "user" | "assistant" | "developer", parts: readonly ContentPart[]): void {
  if (parts.length > 0) state.items.push({ type: "message", role, parts })
}

function onCall(state: State, call: JsonObject): void {
  const source = objectAt(call, "function") ?? call
  const name = stringAt(source, "name") ?? ""
  const args = source["arguments"]
  state.items.push({
    type: "tool-call",
    callId: state.links.call(stringAt(call, "id") ?? "", name),
    name,
    kind: "function",
    // Some clients send back the text they have put together: it must not become a text inside of a text.
    input: typeof args === "string" ? args : JSON.stringify(args ?? {}),
  })
}

function onToolAnswer(state: State, message: JsonObject, place: string): void {
  const name = stringAt(message, "tool_name") ?? stringAt(message, "name") ?? ""
  const images = decodeImages(message["images"], `${place}.images`)
  const parts = [...contentOf(message, place), ...images]
  const callId = state.links.answer(stringAt(message, "tool_call_id") ?? "", name)
  if (callId !== undefined) {
    const output = parts.every(isText) ? parts.map(part => part.text).join("\n") : parts
    state.items.push({ type: "tool-result", callId, kind: "function", output })
    return
  }
  // The client has dropped the call; what came of it is still worth knowing.
  const title = `Result of an earlier call of the tool ${JSON.stringify(name)}:`
  say(state, "user", [{ type: "text", text: title }, ...parts])
}

/** A text; some clients send the parts that they know from the Chat dialect. */
function contentOf(message: JsonObject, place: string): readonly ContentPart[] {
  const { content } = message
  if (Array.isArray(content)) return content.flatMap((part, index) => partOf(part, `${place}.content[${index}]`))
  return typeof content === "string" && content !== "" ? [{ type: "text", text: content }] : []
}

function partOf(part: Json, place: string): readonly ContentPart[] {
  if (typeof part === "string") return part === "" ? [] : [{ type: "text", text: part }]
  if (!isJsonObject(part)) return []
  const text = stringAt(part, "text")
  if (text !== undefined) return text === "" ? [] : [{ type: "text", text }]
  const image = stringAt(part, "image_url") ?? stringAt(objectAt(part, "image_url") ?? {}, "url")
  return image === undefined ? [] : decodeImages([image], place)
}

function isText(part: ContentPart): part is Extract<ContentPart, { type: "text" }> {
  return part.type === "text"
}
