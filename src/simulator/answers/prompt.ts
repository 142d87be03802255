/** What a request asks for: the last user text, the tool outputs after it, the word it is scripted with. */

import { arrayAt, isJsonObject, type Json, type JsonObject, stringAt } from "#core/json.ts"

/** The end of a conversation, as far as an answer depends on it. */
export type Prompt = {
  /** All text of the last user message. */
  readonly userText: string
  /** Its last text part: what a person typed, behind what a client put in front. */
  readonly typedText: string
  /** Texts of the tool outputs that follow the last user message. */
  readonly toolOutputs: readonly string[]
  readonly endsWithCompactionTrigger: boolean
}

const OUTPUT_TYPES = new Set(["function_call_output", "custom_tool_call_output", "tool_search_output"])

/** Returns the input items; a bare string (public API) counts as one user message. */
export function inputItems(body: JsonObject): readonly JsonObject[] {
  const input = body["input"]
  if (typeof input === "string") return [{ type: "message", role: "user", content: input }]
  return (arrayAt(body, "input") ?? []).filter(isJsonObject)
}

/** Reads the end of the conversation. */
export function readPrompt(body: JsonObject): Prompt {
  const items = inputItems(body)
  const userIndex = items.findLastIndex(item => stringAt(item, "role") === "user")
  const texts = contentTexts(items[userIndex]?.["content"])
  const outputs = items.slice(userIndex + 1).filter(item => OUTPUT_TYPES.has(stringAt(item, "type") ?? ""))
  return {
    userText: texts.join("\n"),
    typedText: texts.at(-1) ?? "",
    toolOutputs: outputs.map(item => contentTexts(item["output"]).join("\n")),
    endsWithCompactionTrigger: stringAt(items.at(-1) ?? {}, "type") === "compaction_trigger",
  }
}

/** Returns the texts of a string or of an array of parts. */
function contentTexts(content: Json | undefined): readonly string[] {
  if (typeof content === "string") return [content]
  if (!Array.isArray(content)) return []
  return content.filter(isJsonObject).flatMap(part => stringAt(part, "text") ?? [])
}

/** A scenario named inside a prompt: `[[simulate: name key=value key="two words"]]`. */
export type Directive = { readonly scenario: string; readonly settings: JsonObject; readonly source: string }

const DIRECTIVE = /\[\[simulate:([^\]]*)\]\]/

/** Returns what is left of a text when its directive is taken out. */
export function withoutDirective(text: string): string {
  return text.replace(DIRECTIVE, "").trim()
}

/** Finds the first directive in a text. A word without `=` is the scenario's name; it may be left out. */
export function findDirective(text: string): Directive | undefined {
  const match = DIRECTIVE.exec(text)
  if (match?.[1] === undefined) return undefined
  const settings: Record<string, string> = {}
  let scenario = ""
  for (const word of match[1].matchAll(/([^\s=]+)=(?:"([^"]*)"|(\S*))|(\S+)/g)) {
    if (word[1] === undefined) scenario = word[4] ?? scenario
    else settings[word[1]] = word[2] ?? word[3] ?? ""
  }
  return { scenario, settings, source: match[0] }
}
