/** The input of a Responses body as a list of items, in whichever of its forms it came. */

import { isJsonObject, type Json } from "#core/json.ts"

/** Returns a text as one user message, a single item as a list of it, a list as the very same list; else undefined. */
export function inputItemsOf(input: Json | undefined): readonly Json[] | undefined {
  if (typeof input === "string") {
    return [{ type: "message", role: "user", content: [{ type: "input_text", text: input }] }]
  }
  if (isJsonObject(input)) return [input]
  return Array.isArray(input) ? input : undefined
}
