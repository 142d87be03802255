/** `contents` → neutral input: messages, calls, answers and sealed reasoning in the order they were said. */

import { isJsonObject, type Json, type JsonObject } from "#core/json.ts"
import type { ContentPart, InputItem } from "#core/request.ts"
import { type CallLinks, makeCallLinks } from "#protocols/call-links.ts"
import { invalidRequest } from "#protocols/check-body.ts"
import { itemOfSignature } from "#protocols/gemini/signature.ts"

import { decodeFileData, decodeInlineData, detailOf, type ImageDetail } from "./media.ts"
import { member, objectMember, objectsMember, stringMember } from "./members.ts"
import { decodeToolAnswer } from "./tool-answer.ts"

type Role = "user" | "assistant" | "developer"

type State = {
  readonly items: InputItem[]
  readonly links: CallLinks
  /** Signatures already replayed: clients repeat them. */
  readonly replayed: Set<string>
  role: Role
  readonly detail: ImageDetail | undefined
  /** The message under way. */
  parts: ContentPart[]
}

/** Returns the input; `detail` counts for images that say nothing themselves. Throws `invalid-request` when nothing is left to answer. */
export function decodeContents(contents: Json | undefined, detail?: ImageDetail): readonly InputItem[] {
  const state: State = {
    items: [],
    links: makeCallLinks("call_gm_"),
    replayed: new Set(),
    role: "user",
    parts: [],
    detail,
  }
  for (const [index, content] of listOf(contents).entries()) {
    enter(state, roleOf(content))
    for (const [at, part] of partsOf(content).entries()) onPart(state, part, `contents[${index}].parts[${at}]`)
  }
  flush(state)
  if (state.items.length === 0) {
    throw invalidRequest("'contents' must hold at least one part to answer.", "contents", "missing_required_parameter")
  }
  return state.items
}

/** The parts of a content, which may also be a bare text, one part, or a list of parts. */
function partsOf(content: JsonObject): readonly JsonObject[] {
  const { parts } = content
  if (typeof parts === "string") return [{ text: parts }]
  if (Array.isArray(parts))
    return parts.map(part => (typeof part === "string" ? { text: part } : part)).filter(isJsonObject)
  return isJsonObject(parts) ? [parts] : []
}

function listOf(contents: Json | undefined): readonly JsonObject[] {
  const list: readonly (Json | undefined)[] = Array.isArray(contents) ? contents : [contents]
  return list.flatMap(content => {
    if (typeof content === "string") return [{ role: "user", parts: [{ text: content }] }]
    return isJsonObject(content) ? [content] : []
  })
}

/** Chats keep each chunk of a streamed answer as a content of its own: together they are one message. */
function enter(state: State, role: Role): void {
  if (role !== "assistant" || state.role !== "assistant") flush(state)
  state.role = role
}

function roleOf(content: JsonObject): Role {
  const role = stringMember(content, "role")?.trim().toLowerCase()
  if (role === "model" || role === "assistant") return "assistant"
  return role === "system" ? "developer" : "user"
}

function onPart(state: State, part: JsonObject, place: string): void {
  const call = objectMember(part, "functionCall")
  replaySignature(state, part, call)
  // What the model thought comes back sealed only.
  if (part["thought"] === true) return
  const answer = objectMember(part, "functionResponse")
  if (call !== undefined) onCall(state, call)
  else if (answer !== undefined) onAnswer(state, answer, place)
  else if (state.role === "assistant") onModelPart(state, part)
  else state.parts.push(...shownParts(part, place).map(shown => withDetail(shown, detailOf(part) ?? state.detail)))
}

function onCall(state: State, call: JsonObject): void {
  flush(state)
  const name = stringMember(call, "name") ?? ""
  const args = member(call, "args")
  state.items.push({
    type: "tool-call",
    callId: state.links.call(stringMember(call, "id") ?? "", name),
    name,
    kind: "function",
    input: typeof args === "string" ? args : JSON.stringify(args ?? {}),
  })
}

/** Outputs stand before what else their content says: the upstream wants them right behind the calls. */
function onAnswer(state: State, answer: JsonObject, place: string): void {
  const name = stringMember(answer, "name") ?? ""
  const decoded = decodeToolAnswer(answer, `${place}.functionResponse`)
  const callId = state.links.answer(stringMember(answer, "id") ?? "", name)
  if (callId !== undefined) {
    state.items.push({ type: "tool-result", callId, kind: "function", ...decoded })
    return
  }
  // The client has dropped the call; what came of it is still worth knowing.
  const { output } = decoded
  const title = `Result of an earlier call of the tool ${JSON.stringify(name)}:`
  state.parts.push({ type: "text", text: title })
  if (typeof output === "string") state.parts.push({ type: "text", text: output })
  else state.parts.push(...output)
}

/** An assistant's message holds text only: images it made are shown again by the user. */
function onModelPart(state: State, part: JsonObject): void {
  const inline = objectMember(part, "inlineData")
  const type = inline === undefined ? "" : (stringMember(inline, "mimeType") ?? "")
  if (inline !== undefined && type.startsWith("image/")) {
    flush(state)
    const image = decodeInlineData(inline, "contents")
    const label: ContentPart = { type: "text", text: "[The image the assistant made:]" }
    state.items.push({ type: "message", role: "user", parts: [label, image] })
    return
  }
  if (inline !== undefined) state.parts.push({ type: "text", text: `[A file of type ${type || "unknown"}.]` })
  else if (objectMember(part, "fileData") !== undefined) state.parts.push({ type: "text", text: "[A file.]" })
  else state.parts.push(...textParts(part))
}

function shownParts(part: JsonObject, place: string): readonly ContentPart[] {
  const inline = objectMember(part, "inlineData")
  if (inline !== undefined) return [decodeInlineData(inline, place)]
  const file = objectMember(part, "fileData")
  return file === undefined ? textParts(part) : [decodeFileData(file, place)]
}

function withDetail(part: ContentPart, detail: ImageDetail | undefined): ContentPart {
  return part.type === "image" && detail !== undefined ? { ...part, detail } : part
}

/** Empty texts are our own heartbeats and closing parts come back. */
function textParts(part: JsonObject): readonly ContentPart[] {
  const text = stringMember(part, "text") ?? codeText(part)
  return text === "" ? [] : [{ type: "text", text }]
}

function codeText(part: JsonObject): string {
  const code = objectMember(part, "executableCode")
  if (code !== undefined) {
    const language = stringMember(code, "language")?.toLowerCase() ?? ""
    return `\`\`\`${language}\n${stringMember(code, "code") ?? ""}\n\`\`\``
  }
  const result = objectMember(part, "codeExecutionResult")
  if (result === undefined) return ""
  return [stringMember(result, "outcome"), stringMember(result, "output")].filter(Boolean).join("\n")
}

function replaySignature(state: State, part: JsonObject, call: JsonObject | undefined): void {
  const signature = stringMember(part, "thoughtSignature") ?? stringMember(call ?? {}, "thoughtSignature")
  if (!signature || state.role !== "assistant") return
  const item = itemOfSignature(signature)
  if (item === undefined || state.replayed.has(item.json)) return
  state.replayed.add(item.json)
  flush(state)
  state.items.push({ type: "native-item", item })
}

function flush(state: State): void {
  if (state.parts.length > 0) state.items.push({ type: "message", role: state.role, parts: state.parts })
  state.parts = []
}

/** The instructions: the texts of a content, of a list of parts, or a bare text. */
export function decodeInstructions(body: JsonObject): string | undefined {
  const instruction = member(body, "systemInstruction")
  if (typeof instruction === "string") return instruction === "" ? undefined : instruction
  const single = objectMember(body, "systemInstruction")
  const parts =
    single !== undefined && single["parts"] !== undefined ? partsOf(single) : objectsMember(body, "systemInstruction")
  const texts = parts.map(part => stringMember(part, "text") ?? "").filter(text => text !== "")
  return texts.length === 0 ? undefined : texts.join("\n\n")
}
