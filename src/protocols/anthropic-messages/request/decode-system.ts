/** The `system` member → instructions. */

import { arrayAt, isJsonObject, type JsonObject, stringAt } from "#core/json.ts"

import { withoutAttribution } from "./attribution.ts"

/** Returns the text, undefined when nothing but blanks is left. Blocks are set apart by a blank line. */
export function decodeSystem(body: JsonObject): string | undefined {
  const text = stringAt(body, "system")
  const texts = text === undefined ? blockTexts(body) : [text]
  const joined = texts.map(withoutAttribution).filter(isNotBlank).join("\n\n")
  return joined === "" ? undefined : joined
}

function blockTexts(body: JsonObject): readonly string[] {
  return (arrayAt(body, "system") ?? []).filter(isJsonObject).flatMap(block => stringAt(block, "text") ?? [])
}

function isNotBlank(text: string): boolean {
  return text.trim() !== ""
}
