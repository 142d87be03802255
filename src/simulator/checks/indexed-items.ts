/** Input items with the index that error texts name, and how a check goes through them. */

import { arrayAt, isJsonObject, type JsonObject, stringAt } from "#core/json.ts"
import type { Refusal } from "#simulator/refusal.ts"

/** One input item; `type` is `message` when the item only has a role. */
export type IndexedItem = { readonly index: number; readonly type: string; readonly item: JsonObject }

/** Returns the items that are objects, in order. */
export function indexedItems(body: JsonObject): readonly IndexedItem[] {
  return (arrayAt(body, "input") ?? []).flatMap((item, index) => {
    if (!isJsonObject(item)) return []
    const fallback = stringAt(item, "role") === undefined ? "" : "message"
    return [{ index, type: stringAt(item, "type") ?? fallback, item }]
  })
}

/** Returns what the check says of the first item it refuses, or undefined. */
export function firstOf(
  items: readonly IndexedItem[],
  check: (item: IndexedItem) => Refusal | undefined,
): Refusal | undefined {
  for (const item of items) {
    const refusal = check(item)
    if (refusal !== undefined) return refusal
  }
  return undefined
}
