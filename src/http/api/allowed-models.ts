/** Model lists of keys that may not use every model: the others are not shown. */

import { isJsonObject, type Json, type JsonObject, stringAt } from "#core/json.ts"

/** True for a model the key may use, by its names. */
export type MayUse = (names: readonly string[]) => boolean

/** Leaves out of every list in an answer the models the key may not use; undefined = it may use all. */
export function onlyAllowed(answer: JsonObject, mayUse: MayUse | undefined): JsonObject {
  if (mayUse === undefined) return answer
  const isShown = (entry: Json) => {
    const names = isJsonObject(entry) ? [stringAt(entry, "id"), stringAt(entry, "slug")] : []
    const known = names.filter(name => name !== undefined)
    return known.length === 0 || mayUse(known)
  }
  return Object.fromEntries(
    Object.entries(answer).map(([name, value]) => [name, isList(value) ? value.filter(isShown) : value]),
  )
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value)
}
