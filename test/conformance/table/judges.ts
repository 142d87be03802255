/** What must hold for a client's user, in plain words when it does not. */

import { arrayAt, isJsonObject, type JsonObject, objectAt, parseJsonObject, stringAt } from "#core/json.ts"

import type { Evidence, Outcome, Turn } from "./cell.ts"

/** No error, and a text with `part` in it. */
export function answered({ outcome }: Evidence, part: string | RegExp): readonly string[] {
  if (outcome.error !== undefined) return [`the user is told: ${outcome.error}`]
  if (fits(outcome.text, part)) return []
  return [`the answer is not the upstream's: ${JSON.stringify(outcome.text.slice(0, 200))}`]
}

/** So many tools ran, each with whole arguments. */
export function ranWhole({ outcome, client }: Evidence, times: number): readonly string[] {
  const broken = halfCalls(outcome, client.tool.arguments, client.kind)
  const count = outcome.ran.length === times ? [] : [`${outcome.ran.length} tools ran, not ${times}`]
  return [...broken, ...count]
}

/** Calls that ran with less than what the model had written. */
export function halfCalls(outcome: Outcome, whole: string, kind: "program" | "library"): readonly string[] {
  const isWhole = (run: string) =>
    kind === "program" ? run === "whole" : run.endsWith(` ${whole}`) || run.endsWith(' {"city":"simulated"}')
  return outcome.ran.filter(run => !isWhole(run)).map(run => `a tool ran with half its arguments: ${run}`)
}

/** Every turn that went upstream was accepted there, but for the statuses that were meant to be others. */
export function accepted({ turns }: Evidence, expected: readonly number[]): readonly string[] {
  const statuses = turns.map(({ status }) => status)
  return JSON.stringify(statuses) === JSON.stringify(expected) ? [] : [`upstream answered ${statuses.join(", ")}`]
}

/** Input items of a turn. */
export function inputOf(turn: Turn | undefined): readonly JsonObject[] {
  return (arrayAt(turn?.body ?? {}, "input") ?? []).filter(isJsonObject)
}

/** Either the whole answer or a plain failure: never a part that is passed off as all of it. */
export function wholeOrTold({ outcome }: Evidence, part: string | RegExp): readonly string[] {
  if (outcome.error !== undefined || fits(outcome.text, part)) return []
  return [`a part is shown as the whole answer: ${JSON.stringify(outcome.text.slice(0, 120))}`]
}

function fits(text: string, part: string | RegExp): boolean {
  return typeof part === "string" ? text.includes(part) : part.test(text.trim())
}

/** The user is told, in words that fit `pattern`. */
export function told({ outcome }: Evidence, pattern: RegExp): readonly string[] {
  if (outcome.error === undefined)
    return [`nobody is told; the answer is ${JSON.stringify(outcome.text.slice(0, 120))}`]
  return pattern.test(outcome.error) ? [] : [`the message says something else: ${outcome.error}`]
}

/** The text is an object of `city` and `population`. */
export function fitsSchema({ outcome }: Evidence): readonly string[] {
  if (outcome.error !== undefined) return [`the user is told: ${outcome.error}`]
  const object = parseJsonObject(outcome.text)
  if (typeof object?.["city"] === "string" && typeof object["population"] === "number") return []
  return [`no object of the schema: ${JSON.stringify(outcome.text.slice(0, 200))}`]
}

/**
 * What the client shows is what the upstream counted: the recorded turn is asked once more of the upstream itself, whose count
 * depends on nothing but the turn.
 */
export async function sameUsage(evidence: Evidence): Promise<readonly string[]> {
  const { place, outcome } = evidence
  const [record] = place.gateway.control.recorded({ path: "/codex/responses" }).filter(({ method }) => method !== "GET")
  if (record === undefined) return ["nothing went upstream"]
  const { "content-length": _, "content-encoding": __, host: ___, ...headers } = record.headers
  const url = `${place.gateway.upstream}/backend-api/codex/responses`
  const reply = await fetch(url, { method: "POST", headers, body: JSON.stringify(record.body) })
  const lines = (await reply.text()).split("\n").filter(line => line.startsWith("data: "))
  const completed = lines
    .map(line => parseJsonObject(line.slice(6)) ?? {})
    .find(event => event["type"] === "response.completed")
  const usage = objectAt(objectAt(completed ?? {}, "response") ?? {}, "usage")
  const upstream = { inputTokens: usage?.["input_tokens"], outputTokens: usage?.["output_tokens"] }
  const shown = { inputTokens: outcome.usage?.inputTokens, outputTokens: outcome.usage?.outputTokens }
  if (JSON.stringify(upstream) === JSON.stringify(shown) && typeof shown.inputTokens === "number") return []
  return [`it shows ${JSON.stringify(shown)}, the upstream counted ${JSON.stringify(upstream)}`]
}

/** The tool that the probe server brings, as a turn offers it: whatever clients and gateway made of its name. */
export function offeredProbe(turn: Turn): { readonly name: string; readonly namespace?: string } | undefined {
  const hidden = inputOf(turn).flatMap(item => arrayAt(item, "tools") ?? [])
  const tools = [...(arrayAt(turn.body, "tools") ?? []), ...hidden].filter(isJsonObject)
  for (const tool of tools) {
    const inner = (arrayAt(tool, "tools") ?? []).filter(isJsonObject).find(isProbe)
    if (inner !== undefined) return { name: stringAt(inner, "name") ?? "", namespace: stringAt(tool, "name") ?? "" }
    if (isProbe(tool)) return { name: stringAt(tool, "name") ?? "" }
  }
  return undefined
}

function isProbe(tool: JsonObject): boolean {
  return (stringAt(tool, "description") ?? "").includes("Returns a fixed word")
}
