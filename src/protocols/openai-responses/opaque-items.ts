/** Items only the account that made them can read: encrypted reasoning and compactions. */

import { arrayAt, isJsonObject, type JsonObject, stringAt } from "#core/json.ts"
import type { ModelRequest } from "#core/request.ts"
import { memberText } from "#wire/json-scan.ts"

/** Encrypted text of an item. A compaction stands for the history before it; reasoning can be left out. */
export type OpaqueText = { readonly text: string; readonly isCompaction: boolean }

const COMPACTIONS: ReadonlySet<unknown> = new Set(["compaction", "compaction_summary", "context_compaction"])

/** Returns the encrypted text of an item, undefined for items that anyone can read. */
function opaqueTextOf(item: JsonObject): OpaqueText | undefined {
  const isCompaction = COMPACTIONS.has(item["type"])
  if (!isCompaction && item["type"] !== "reasoning") return undefined
  const text = stringAt(item, "encrypted_content")
  return text ? { text, isCompaction } : undefined
}

/** Returns the encrypted texts a request brings back, oldest first. */
export function opaqueTextsOf({ body }: ModelRequest): readonly OpaqueText[] {
  if (body.type === "native") {
    const items = arrayAt(body.json, "input") ?? []
    return items.flatMap(item => (isJsonObject(item) ? (opaqueTextOf(item) ?? []) : []))
  }
  return body.input.flatMap(item => {
    const isOurs = item.type === "native-item" && item.item.family === "openai-responses"
    return isOurs ? (opaqueTextOf(membersOf(item.item.json)) ?? []) : []
  })
}

/** The two members that matter, sliced out of an item's JSON text: it may be very long. */
function membersOf(json: string): JsonObject {
  return {
    type: plainText(memberText(json, "type")),
    encrypted_content: plainText(memberText(json, "encrypted_content")),
  }
}

/** Type names and base64 need no escapes; a literal that has one is neither. */
function plainText(literal: string | undefined): string {
  return literal?.startsWith('"') === true && !literal.includes("\\") ? literal.slice(1, -1) : ""
}

/** Calls `note` for the encrypted text of each item in a list that came from the upstream. */
export function noteOpaqueItems(items: readonly unknown[], note: ((text: string) => void) | undefined): void {
  if (note === undefined) return
  for (const item of items) {
    const opaque = isJsonObject(item) ? opaqueTextOf(item) : undefined
    if (opaque !== undefined) note(opaque.text)
  }
}
