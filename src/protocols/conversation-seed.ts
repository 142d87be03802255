/** What identifies a conversation: the text it is recognised by, and the cache key made from that text. */

import { arrayAt, isJsonObject, type Json, type JsonObject, objectAt, stringAt } from "#core/json.ts"
import type { ContentPart, ModelRequest, NeutralBody } from "#core/request.ts"

/** The head of a conversation, which all its turns share. */
type Head = { readonly guidance: string; readonly toolNames: string; readonly firstTurn: string }

/** Long enough to tell prompts apart, short enough to cost nothing. */
const MAX_PREFIX_CHARS = 1024

/** Volatile lines are removed before the cut, so that their length does not move it. */
const MAX_SCANNED_CHARS = 4096

/** How much of each end of a URL goes into the seed: data URLs can be megabytes. */
const URL_SAMPLE_CHARS = 128

/** Models of one family share instructions, and read each other's reasoning: `gpt-5.6-sol` and `gpt-5.6-luna`. */
const FAMILY = /^[a-z]+-\d+(\.\d+)?/

/** Lines that change from turn to turn or from day to day. */
const VOLATILE_LINE = /\d{4}-\d{2}-\d{2}|\d{1,2}:\d{2}|\b(today|current date|date:|time:|now is)\b|reminder/i

/** Blocks that agents put in front of the user's own words and renew each turn. */
const REMINDER_BLOCK = /^\s*<(system-reminder|system_reminder|environment_context)>[\s\S]*?<\/\1>/

/**
 * Returns text that is the same for every turn of one conversation and differs between conversations: the client's
 * own key if it gave one, otherwise its hint joined with the family of `model` (the slug, once it is known), the first
 * instructions, the names of the tools and the first user turn.
 * It holds prompt text: hash it ({@link conversationKey}), never log it.
 */
export function conversationSeed(request: ModelRequest, model = request.model): string {
  if (request.cacheKey) return `key\n${request.cacheKey}`
  const { guidance, toolNames, firstTurn } =
    request.body.type === "neutral" ? neutralHead(request.body) : nativeHead(request.body.json)
  const family = FAMILY.exec(model)?.[0] ?? model
  const parts = [family, stableText(guidance), toolNames.slice(0, MAX_PREFIX_CHARS), ends(firstTurn, MAX_PREFIX_CHARS)]
  return ["content", request.sessionHint ?? "", ...parts].join("\n")
}

/** Returns a UUID-shaped key. `keyId` keeps the conversations of different client keys apart. */
export function conversationKey(seed: string, keyId: string): string {
  const hash = new Bun.CryptoHasher("sha256").update(`${keyId.length}:${keyId}\n`).update(seed).digest("hex")
  // Version 8 and variant bits: a UUID whose content is the maker's own (RFC 9562, section 5.8).
  const variant = "89ab"[Number.parseInt(hash.charAt(16), 16) & 3]
  return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-8${hash.slice(13, 16)}-${variant}${hash.slice(17, 20)}-${hash.slice(20, 32)}`
}

function stableText(text: string): string {
  const lines = text.slice(0, MAX_SCANNED_CHARS).split("\n")
  return lines
    .filter(line => !VOLATILE_LINE.test(line))
    .join("\n")
    .slice(0, MAX_PREFIX_CHARS)
}

function neutralHead({ instructions, input, tools }: NeutralBody): Head {
  const messages = input.filter(item => item.type === "message")
  const guidance = messages.find(message => message.role === "developer")?.parts ?? []
  const turns = messages.filter(message => message.role === "user")
  return {
    guidance: instructions ?? guidance.map(partText).join("\n"),
    toolNames: tools.map(tool => ("name" in tool ? tool.name : tool.type)).join(),
    firstTurn: firstOwnText(turns.map(turn => turn.parts.map(partText))),
  }
}

function partText(part: ContentPart): string {
  switch (part.type) {
    case "text":
    case "refusal":
      return part.text
    case "image":
      return sample(part.url ?? part.fileId ?? "")
    case "file":
      return sample(part.fileId ?? part.url ?? part.dataUrl ?? "")
  }
}

function nativeHead(json: JsonObject): Head {
  const messages = (arrayAt(json, "input") ?? []).filter(isJsonObject)
  const guidance = messages.find(item => item["role"] === "developer" || item["role"] === "system")
  const turns = messages.filter(item => item["role"] === "user")
  const instructions = nativeTexts(json["instructions"]).join("\n")
  return {
    guidance: instructions === "" ? nativeTexts(guidance?.["content"]).join("\n") : instructions,
    toolNames: (arrayAt(json, "tools") ?? []).filter(isJsonObject).map(nativeToolName).join(),
    firstTurn: firstOwnText(turns.map(turn => nativeTexts(turn["content"]))),
  }
}

function nativeToolName(tool: JsonObject): string {
  const named = stringAt(tool, "name") ?? stringAt(objectAt(tool, "function") ?? {}, "name")
  return named ?? stringAt(tool, "type") ?? ""
}

function nativeTexts(content: Json | undefined): readonly string[] {
  if (typeof content === "string") return [content]
  if (!Array.isArray(content)) return []
  const parts: readonly Json[] = content
  return parts.filter(isJsonObject).map(part => {
    const image = stringAt(part, "image_url") ?? stringAt(objectAt(part, "image_url") ?? {}, "url")
    return stringAt(part, "text") ?? sample(image ?? stringAt(part, "file_id") ?? stringAt(part, "file_data") ?? "")
  })
}

/** Some agents send a turn of nothing but context before the user's first words. */
function firstOwnText(turns: readonly (readonly string[])[]): string {
  for (const texts of turns) {
    const text = userText(texts)
    if (text !== "") return text
  }
  return ""
}

/** Returns the user's own words: leading reminder blocks are cut away. */
function userText(texts: readonly string[]): string {
  let text = texts.join("\n")
  for (let block = REMINDER_BLOCK.exec(text); block !== null; block = REMINDER_BLOCK.exec(text)) {
    text = text.slice(block[0].length)
  }
  return text.trim()
}

function sample(url: string): string {
  return ends(url, URL_SAMPLE_CHARS)
}

/** Both ends and the length: prompts made from one template differ in the middle or at the end, never in the first page. */
function ends(text: string, endChars: number): string {
  if (text.length <= 2 * endChars) return text
  return `${text.length}:${text.slice(0, endChars)}${text.slice(-endChars)}`
}
