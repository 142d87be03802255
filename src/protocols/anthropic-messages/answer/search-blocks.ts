/** Hosted web searches as the pair of blocks clients of this dialect know, and citations of what was found. */

import type { StreamEvent, UrlCitation } from "#core/events.ts"
import { arrayAt, isJsonObject, type JsonObject, objectAt, stringAt } from "#core/json.ts"

import type { BlockWriter } from "./block-writer.ts"
import { searchIdOf } from "./tool-ids.ts"

/** A page that was found. */
type Source = { readonly url: string; readonly title: string }

/** Longest quotation, as with the dialect's own searches. */
const MAX_CITED_CHARS = 150

type NativeEvent = Extract<StreamEvent, { type: "native-item" }>

/** Returns the search an item stands for; undefined for every other item, and for pages that were merely opened. */
export function readSearch({ item }: NativeEvent): JsonObject | undefined {
  if (item.family !== "openai-responses") return undefined
  const json: unknown = JSON.parse(item.json)
  if (!isJsonObject(json) || json["type"] !== "web_search_call") return undefined
  const action = stringAt(objectAt(json, "action") ?? {}, "type") ?? "search"
  return action === "search" ? json : undefined
}

/** Writes a search: what was asked, then what was found. */
export function writeSearch(search: JsonObject, writer: BlockWriter): void {
  const id = searchIdOf(stringAt(search, "id") ?? "", writer.count("server_tool_use"))
  const action = objectAt(search, "action") ?? {}
  const queries = (arrayAt(action, "queries") ?? []).filter(query => typeof query === "string")
  const query = stringAt(action, "query") ?? queries[0] ?? ""
  writer.whole({ type: "server_tool_use", id, name: "web_search" }, "input", JSON.stringify({ query }))
  const failed = search["status"] === "failed"
  const content = failed
    ? { type: "web_search_tool_result_error", error_code: "unavailable" }
    : sourcesOf(action).map(resultOf)
  writer.whole({ type: "web_search_tool_result", toolUseId: id, content: JSON.stringify(content) })
}

/** Strict clients insist on strings, however empty. */
function resultOf({ url, title }: Source): JsonObject {
  return { type: "web_search_result", url, title, encrypted_content: "", page_age: null }
}

function sourcesOf(action: JsonObject): readonly Source[] {
  return (arrayAt(action, "sources") ?? []).filter(isJsonObject).flatMap(source => {
    const url = stringAt(source, "url")
    return url === undefined ? [] : [{ url, title: stringAt(source, "title") ?? "" }]
  })
}

/** Returns a citation as JSON text; `text` is the text of the block so far. */
export function citationText({ url, title, startIndex, endIndex }: UrlCitation, text: string): string {
  return JSON.stringify({
    type: "web_search_result_location",
    url,
    title,
    cited_text: text.slice(startIndex, Math.min(endIndex, startIndex + MAX_CITED_CHARS)),
    encrypted_index: "",
  })
}
