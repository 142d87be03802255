/** Input items with the index that error texts name. */

import { arrayAt, isJsonObject, type JsonObject, stringAt } from "#core/json.ts"

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
