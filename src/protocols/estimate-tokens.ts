/** A quick estimate of a request's size in tokens: no tokenizer, one pass over the text, cheap enough for every request. */

import { assertNever } from "#core/assert-never.ts"
import type { Json } from "#core/json.ts"
import type { ContentPart, InputItem, ModelRequest, NeutralBody, ToolDefinition } from "#core/request.ts"

/** What a token holds on average: of Latin letters and code, and of scripts that are written without spaces. */
const LATIN_CHARS_PER_TOKEN = 4
const OTHER_CHARS_PER_TOKEN = 1.4

/** Longer texts are judged by samples of this size, taken evenly. */
const SAMPLE_CHARS = 4096
const SAMPLES = 8

/** What surrounds an item and a tool. */
const ITEM_TOKENS = 4
const TOOL_TOKENS = 8

/** An image whose size nobody looked up, and a page of a file in bytes of base64. */
const IMAGE_TOKENS = 1500
const FILE_CHARS_PER_TOKEN = 680
const MAX_FILE_TOKENS = 200_000

/** Encrypted content is base64 and has a head of its own. */
const SEAL_HEAD_CHARS = 870
const SEAL_CHARS_PER_TOKEN = 5.4

/** Returns about as many tokens as the upstream will count. Exact counting is `countInputTokens` of the gateway. */
export function estimateInputTokens({ body }: ModelRequest): number {
  return Math.ceil(body.type === "neutral" ? estimateNeutral(body) : estimateJson(body.json))
}

/** Returns the estimate for one text. */
function estimateTextTokens(text: string): number {
  if (text.length <= SAMPLES * SAMPLE_CHARS) return weigh(text)
  let sampled = 0
  const step = Math.floor((text.length - SAMPLE_CHARS) / (SAMPLES - 1))
  for (let index = 0; index < SAMPLES; index++) sampled += weigh(text.slice(index * step, index * step + SAMPLE_CHARS))
  return (sampled * text.length) / (SAMPLES * SAMPLE_CHARS)
}

function weigh(text: string): number {
  let latin = 0
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) < 0x250) latin++
  return latin / LATIN_CHARS_PER_TOKEN + (text.length - latin) / OTHER_CHARS_PER_TOKEN
}

function estimateNeutral({ instructions, input, tools }: NeutralBody): number {
  let tokens = estimateTextTokens(instructions ?? "")
  for (const item of input) tokens += ITEM_TOKENS + estimateItem(item)
  for (const tool of tools) tokens += TOOL_TOKENS + estimateTool(tool)
  return tokens
}

function estimateItem(item: InputItem): number {
  switch (item.type) {
    case "message":
      return estimateParts(item.parts)
    case "tool-call":
      return estimateTextTokens(item.name) + estimateTextTokens(item.input)
    case "tool-result":
      return typeof item.output === "string" ? estimateTextTokens(item.output) : estimateParts(item.output)
    case "native-item":
      return Math.max(0, item.item.json.length - SEAL_HEAD_CHARS) / SEAL_CHARS_PER_TOKEN
    default:
      return assertNever(item)
  }
}

function estimateParts(parts: readonly ContentPart[]): number {
  return parts.reduce((tokens, part) => tokens + estimatePart(part), 0)
}

function estimatePart(part: ContentPart): number {
  switch (part.type) {
    case "text":
    case "refusal":
      return estimateTextTokens(part.text)
    case "image":
      return IMAGE_TOKENS
    case "file":
      return Math.min(MAX_FILE_TOKENS, IMAGE_TOKENS + (part.dataUrl?.length ?? 0) / FILE_CHARS_PER_TOKEN)
    default:
      return assertNever(part)
  }
}

function estimateTool(tool: ToolDefinition): number {
  switch (tool.type) {
    case "function":
      return estimateTextTokens(`${tool.name} ${tool.description ?? ""}`) + estimateJson(tool.parameters ?? {})
    case "custom":
      return estimateTextTokens(`${tool.name} ${tool.description ?? ""}`) + estimateJson(tool.format ?? {})
    case "web-search":
    case "image-generation":
      return 0
    default:
      return assertNever(tool)
  }
}

/** Keys and values; the marks between them come to about one token for two members. */
function estimateJson(value: Json): number {
  if (typeof value === "string") return estimateTextTokens(value)
  if (typeof value !== "object" || value === null) return 1
  if (Array.isArray(value)) return value.reduce<number>((tokens, member) => tokens + estimateJson(member), 1)
  return Object.entries(value).reduce(
    (tokens, [key, member]) => tokens + key.length / 4 + 0.5 + estimateJson(member),
    1,
  )
}
