/** Copies of JSON objects without some of their keys. */

import type { JsonObject } from "#core/json.ts"

/** Returns `object` without `keys`; the object itself when it has none of them. Key order is kept. */
export function withoutKeys(object: JsonObject, keys: readonly string[]): JsonObject {
  if (!keys.some(key => Object.hasOwn(object, key))) return object
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)))
}
