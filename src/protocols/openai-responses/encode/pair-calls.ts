/** Makes every tool call have exactly one result right behind its batch: the upstream refuses anything else. */

import { arrayAt, type Json, type JsonObject, stringAt } from "#core/json.ts"

import { uniqueCallIds } from "./call-ids.ts"

/** Stands in for the result of a call that was never answered. */
const MISSING_RESULT = "No result: the tool call was not completed."

/** A call of one round and what is known of its answer. */
type OpenCall = {
  readonly item: JsonObject
  /** As the client wrote it, "" when it gave none. */
  readonly originalId: string
  readonly callId: string
  answered: boolean
}

/** Call types this pass answers for; other `_call` types are only matched. */
const OUTPUT_TYPES: ReadonlyMap<string, string> = new Map([
  ["function_call", "function_call_output"],
  ["custom_tool_call", "custom_tool_call_output"],
])

/**
 * Returns the items with calls and results paired round by round. A round is a run of assistant items that holds a
 * call, with everything up to the next assistant item. Results are matched by id, then by position; they follow
 * their batch. Missing results are filled in, second results dropped, results without a call quoted as user text.
 * Depends on nothing but the items, and never on items of later rounds, so that prompt caches stay warm.
 */
export function pairCalls(items: readonly JsonObject[]): readonly JsonObject[] {
  const paired: JsonObject[] = []
  let index = 0
  let callsBefore = 0
  while (index < items.length) {
    const start = index
    while (isAssistantSide(items[index])) index++
    const batch = items.slice(start, index)
    const zoneStart = index
    while (index < items.length && !isAssistantSide(items[index])) index++
    const zone = items.slice(zoneStart, index)
    const calls = openCalls(batch, callsBefore)
    callsBefore += calls.length
    for (const item of pairRound(batch, zone, calls)) paired.push(item)
  }
  return paired
}

/** True for what the model produced: messages, reasoning and every kind of call. */
function isAssistantSide(item: JsonObject | undefined): boolean {
  const type = item?.["type"]
  if (type === "message") return item?.["role"] === "assistant"
  return type === "reasoning" || (typeof type === "string" && type.endsWith("_call"))
}

function isPairedOutput(item: JsonObject): boolean {
  return item["type"] === "function_call_output" || item["type"] === "custom_tool_call_output"
}

function openCalls(batch: readonly JsonObject[], callsBefore: number): readonly OpenCall[] {
  const items = batch.filter(item => OUTPUT_TYPES.has(typeOf(item)) || stringAt(item, "call_id"))
  const ids = uniqueCallIds(items, callsBefore)
  return items.map((item, index) => ({
    item,
    originalId: stringAt(item, "call_id") ?? "",
    callId: ids[index] ?? "",
    answered: false,
  }))
}

function pairRound(
  batch: readonly JsonObject[],
  zone: readonly JsonObject[],
  calls: readonly OpenCall[],
): readonly JsonObject[] {
  const matches = matchOutputs(zone, calls)
  const answers: JsonObject[] = []
  const rest: JsonObject[] = []
  for (const item of zone) {
    if (!isPairedOutput(item)) {
      // Results of other call kinds travel with the paired ones, so that a well-formed history keeps its order.
      if (calls.length > 0 && typeOf(item).endsWith("_output")) answers.push(item)
      else rest.push(item)
      continue
    }
    const call = matches.get(item)
    if (call !== undefined) answers.push(answerOf(call, item))
    else if (!isRepeatedResult(item, calls)) rest.push(...quoteResult(item))
  }
  return [...withIds(batch, calls), ...answers, ...placeholders(calls), ...rest]
}

/** Ids first, positions second: an id-less result must not take a call that another result names. */
function matchOutputs(zone: readonly JsonObject[], calls: readonly OpenCall[]): ReadonlyMap<JsonObject, OpenCall> {
  const matches = new Map<JsonObject, OpenCall>()
  const outputs = zone.filter(isPairedOutput)
  const assign = (output: JsonObject, accepts: (call: OpenCall) => boolean): void => {
    const call = calls.find(candidate => !candidate.answered && accepts(candidate))
    if (call === undefined) return
    call.answered = true
    matches.set(output, call)
  }
  for (const output of outputs) {
    const id = stringAt(output, "call_id")
    if (id) assign(output, call => call.originalId === id)
  }
  for (const output of outputs) {
    if (!stringAt(output, "call_id")) assign(output, call => OUTPUT_TYPES.has(typeOf(call.item)))
  }
  return matches
}

function isRepeatedResult(output: JsonObject, calls: readonly OpenCall[]): boolean {
  const id = stringAt(output, "call_id")
  return id !== undefined && calls.some(call => call.originalId === id)
}

/** The call decides the type of its result, not the other way round. */
function answerOf(call: OpenCall, output: JsonObject): JsonObject {
  const type = OUTPUT_TYPES.get(typeOf(call.item)) ?? typeOf(output)
  if (type === output["type"] && call.callId === output["call_id"]) return output
  return { ...output, type, call_id: call.callId }
}

function withIds(batch: readonly JsonObject[], calls: readonly OpenCall[]): readonly JsonObject[] {
  const byItem = new Map(calls.map(call => [call.item, call]))
  return batch.map(item => {
    const call = byItem.get(item)
    return call === undefined || call.callId === item["call_id"] ? item : { ...item, call_id: call.callId }
  })
}

function placeholders(calls: readonly OpenCall[]): readonly JsonObject[] {
  const missing: JsonObject[] = []
  for (const call of calls) {
    const type = OUTPUT_TYPES.get(typeOf(call.item))
    if (type === undefined || call.answered) continue
    missing.push({ type, call_id: call.callId, output: MISSING_RESULT })
  }
  return missing
}

/** Keeps the information of a result whose call is gone; a result that names no call says nothing useful. */
function quoteResult(output: JsonObject): readonly JsonObject[] {
  const id = stringAt(output, "call_id")
  if (!id) return []
  const title = `Result of an earlier tool call (${id}):`
  const parts: readonly Json[] = arrayAt(output, "output") ?? []
  const text = stringAt(output, "output")
  const first = { type: "input_text", text: text === undefined ? title : `${title}\n${text}` }
  return [{ type: "message", role: "user", content: [first, ...parts] }]
}

function typeOf(item: JsonObject): string {
  return stringAt(item, "type") ?? ""
}
