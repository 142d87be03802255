/** Ids of tool calls: made up where the client gave none, told apart where it repeated one, shortened where too long. */

import { type JsonObject, stringAt } from "#core/json.ts"

/**
 * Longest `call_id` the upstream takes; longer ones are refused with `string_above_max_length`.
 * @see https://platform.openai.com/docs/api-reference/responses/create
 */
const MAX_CALL_ID_CHARS = 64

const HASH_CHARS = 40

/**
 * Returns one id a call, distinct within the batch. An id made up depends only on how many calls came before and on
 * the tool's name: random ids would break prompt caching.
 */
export function uniqueCallIds(calls: readonly JsonObject[], callsBefore: number): readonly string[] {
  const taken = new Set(calls.map(call => stringAt(call, "call_id") ?? ""))
  const seen = new Set<string>()
  return calls.map((call, index) => {
    const given = stringAt(call, "call_id") ?? ""
    if (given !== "" && !seen.has(given)) {
      seen.add(given)
      return given
    }
    const stem = given === "" ? syntheticId(callsBefore + index, stringAt(call, "name") ?? "") : given
    const id = firstFree(stem, taken)
    taken.add(id)
    return id
  })
}

/** Returns an id the upstream takes: the id itself, or the same hash for the same long id. */
export function shortCallId(callId: string): string {
  if (callId.length <= MAX_CALL_ID_CHARS) return callId
  return `call_${new Bun.CryptoHasher("sha256").update(callId).digest("hex").slice(0, HASH_CHARS)}`
}

function syntheticId(ordinal: number, name: string): string {
  return `call_${ordinal}_${name.replace(/[^A-Za-z0-9_-]/g, "_").slice(0, HASH_CHARS)}`
}

function firstFree(stem: string, taken: ReadonlySet<string>): string {
  if (!taken.has(stem)) return stem
  let suffix = 2
  while (taken.has(`${stem}_${suffix}`)) suffix++
  return `${stem}_${suffix}`
}
