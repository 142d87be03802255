/** What a server did in earlier turns, told as short texts: our upstreams know nothing of those tools. */

import { arrayAt, isJsonObject, type Json, type JsonObject, objectAt, stringAt } from "#core/json.ts"

/** Most that is told of one result. */
const MAX_TEXT_CHARS = 4000

/** Reads the server's blocks of one assistant message. A use and its result are told together, or not at all. */
export type HostedHistory = {
  readonly use: (block: JsonObject) => void
  /** Returns the text that stands for the pair; undefined when there is nothing worth telling. */
  readonly result: (block: JsonObject) => string | undefined
}

/** Makes a reader for one message. */
export function makeHostedHistory(): HostedHistory {
  const uses = new Map<string, JsonObject>()
  return {
    use: block => {
      uses.set(stringAt(block, "id") ?? "", block)
    },
    result: block => {
      const use = uses.get(stringAt(block, "tool_use_id") ?? "") ?? {}
      const told = block["type"] === "web_search_tool_result" ? tellSearch(use, block) : tellOther(use, block)
      return told?.slice(0, MAX_TEXT_CHARS)
    },
  }
}

function tellSearch(use: JsonObject, result: JsonObject): string {
  const query = stringAt(objectAt(use, "input") ?? {}, "query") ?? ""
  const content = arrayAt(result, "content")
  if (content === undefined) return `[Web search for ${JSON.stringify(query)}: failed]`
  const found = content
    .filter(isJsonObject)
    .map(page => `- ${stringAt(page, "title") ?? ""} ${stringAt(page, "url") ?? ""}`)
  return [`[Web search for ${JSON.stringify(query)}]`, ...found].join("\n")
}

function tellOther(use: JsonObject, result: JsonObject): string | undefined {
  const texts = textsOf(result["content"])
  if (texts.length === 0) return undefined
  const names = [stringAt(use, "server_name"), stringAt(use, "name")].filter(name => name !== undefined)
  return [`[Result of ${names.join(" ") || "a server tool"}]`, ...texts].join("\n")
}

/** Collects what a person could read, however deep it lies. Encrypted members have other names. */
function textsOf(content: Json | undefined): readonly string[] {
  if (typeof content === "string") return content === "" ? [] : [content]
  if (Array.isArray(content)) return content.flatMap(textsOf)
  if (!isJsonObject(content)) return []
  const own = [content["text"], content["stdout"], content["stderr"]].filter(
    text => typeof text === "string" && text !== "",
  )
  // The filter keeps strings only.
  return [...(own as string[]), ...textsOf(content["content"])]
}
