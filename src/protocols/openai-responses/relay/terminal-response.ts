/** Completes the response object of the terminal event, for the stream and for the JSON answer alike. */

import { arrayAt, type Json, type JsonObject, numberAt, objectAt, stringAt } from "#core/json.ts"
import { byteTextOfUtf8, utf8OfByteText } from "#wire/bytes.ts"
import { memberText, withMembers } from "#wire/json-scan.ts"

import { type ItemRepair, repairOutput } from "./final-item.ts"

/** What names an answer; the same in every event of a stream. `createdAtSec` is seconds since the epoch. */
export type ResponseIdentity = { readonly id: string; readonly model: string; readonly createdAtSec: number }

/** What the response is completed with. Texts are byte texts. */
export type Completion = {
  readonly identity: ResponseIdentity
  readonly status: "completed" | "incomplete"
  /** The `output` list made of the finished items. */
  readonly collected: string
  /** The ids in the upstream's own list are not those the client has seen. */
  readonly prefersCollected: boolean
  readonly repair: ItemRepair
}

/**
 * Members every response object has (https://platform.openai.com/docs/api-reference/responses/object); the official
 * SDK's types promise them.
 */
const DEFAULTS: readonly (readonly [key: string, value: string])[] = [
  ["error", "null"],
  ["incomplete_details", "null"],
  ["instructions", "null"],
  ["metadata", "{}"],
  ["parallel_tool_calls", "true"],
  ["temperature", "null"],
  ["tool_choice", '"auto"'],
  ["tools", "[]"],
  ["top_p", "null"],
  ["usage", "null"],
]

/** Returns the text of the completed response object; the same text when nothing was missing. */
export function completeResponse(responseText: string, response: JsonObject, completion: Completion): string {
  const values = new Map<string, string>([
    ...identityChanges(response, completion.identity),
    ...outputChange(responseText, response, completion),
    ...usageChange(responseText, response),
  ])
  if (stringAt(response, "status") === undefined) values.set("status", `"${completion.status}"`)
  for (const [key, value] of DEFAULTS) {
    if (!(key in response)) values.set(key, value)
  }
  if (values.size === 0) return responseText
  return withMembers(responseText, values) ?? byteTextOfUtf8(JSON.stringify({ ...response, ...parsed(values) }))
}

/** Returns the members that have to change so that the response object carries the stream's one identity. */
export function identityChanges(response: JsonObject, identity: ResponseIdentity): ReadonlyMap<string, string> {
  const values = new Map<string, string>()
  const wanted: readonly (readonly [key: string, value: Json])[] = [
    ["id", identity.id],
    ["object", "response"],
    ["created_at", identity.createdAtSec],
    ["model", identity.model],
  ]
  for (const [key, value] of wanted) {
    if (response[key] !== value) values.set(key, byteTextOfUtf8(JSON.stringify(value)))
  }
  return values
}

type Change = readonly (readonly [key: string, value: string])[]

function outputChange(responseText: string, response: JsonObject, completion: Completion): Change {
  const { collected, prefersCollected, repair } = completion
  if (prefersCollected || (arrayAt(response, "output") ?? []).length === 0) {
    return collected === "[]" && "output" in response ? [] : [["output", collected]]
  }
  const output = memberText(responseText, "output")
  if (output === undefined) return []
  const repaired = repairOutput(output, repair)
  return repaired === output ? [] : [["output", repaired]]
}

/** Codex fails to read a usage object that lacks a number; it then repeats a turn whose tools have already run. */
function usageChange(responseText: string, response: JsonObject): Change {
  const usage = objectAt(response, "usage")
  const text = memberText(responseText, "usage")
  if (usage === undefined || text === undefined) return []
  const input = numberAt(usage, "input_tokens")
  const output = numberAt(usage, "output_tokens")
  const values = new Map<string, string>([
    ...detailChange(usage, "input_tokens_details", "cached_tokens"),
    ...detailChange(usage, "output_tokens_details", "reasoning_tokens"),
  ])
  if (input === undefined) values.set("input_tokens", "0")
  if (output === undefined) values.set("output_tokens", "0")
  if (numberAt(usage, "total_tokens") === undefined) values.set("total_tokens", String((input ?? 0) + (output ?? 0)))
  const completed = values.size === 0 ? undefined : withMembers(text, values)
  return completed === undefined ? [] : [["usage", completed]]
}

function detailChange(usage: JsonObject, key: string, count: string): Change {
  const details = objectAt(usage, key)
  if (details !== undefined && numberAt(details, count) !== undefined) return []
  return [[key, JSON.stringify({ ...details, [count]: 0 })]]
}

/** Only for a response whose text cannot be edited (a key occurs twice): the values are valid JSON texts of ours. */
function parsed(values: ReadonlyMap<string, string>): JsonObject {
  const out: { [key: string]: Json } = {}
  for (const [key, value] of values) out[key] = JSON.parse(utf8OfByteText(value))
  return out
}
