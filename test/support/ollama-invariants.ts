/** What must hold for every Ollama stream, and the fold of one into a whole answer. */

import { arrayAt, isJsonObject, type JsonObject, objectAt, stringAt } from "#core/json.ts"

const REASONS: ReadonlySet<string> = new Set(["stop", "length", "load", "unload"])
const COUNTS = [
  "total_duration",
  "load_duration",
  "prompt_eval_count",
  "prompt_eval_duration",
  "eval_count",
  "eval_duration",
] as const

/** aiohttp's limit of a line. */
const MAX_LINE_BYTES = 65_536

/** The lines of a stream as objects; a line that is none becomes an empty one. */
export function ollamaLines(sent: string): readonly JsonObject[] {
  return sent.split("\n").slice(0, -1).map(parsed)
}

/** Returns what is broken; an empty list when all is well. */
export function brokenOllamaInvariants(sent: string, model: string): readonly string[] {
  const lines = ollamaLines(sent)
  const last = lines.at(-1) ?? {}
  const failed = last["error"] !== undefined
  const good = failed ? lines.slice(0, -1) : lines
  return [
    ...brokenFraming(sent),
    ...brokenEnd(lines, failed),
    ...good.flatMap(line => brokenLine(line, model)),
    ...brokenTimes(good),
    ...(failed ? [] : brokenMetrics(last)),
    ...brokenCalls(good),
    ...(/<\/?think/.test(textOf(good, "content") + textOf(good, "response")) ? ["O7: think tags in the text"] : []),
  ]
}

/** O1: one object a line, no blank line, a line end behind the last one. */
function brokenFraming(sent: string): readonly string[] {
  const lines = sent.split("\n")
  const end = lines.pop()
  return [
    ...(end === "" ? [] : ["O1: the last line does not end"]),
    ...(lines.every(line => Object.keys(parsed(line)).length > 0) ? [] : ["O1: a line is no object"]),
    ...(lines.every(line => Buffer.byteLength(line) <= MAX_LINE_BYTES) ? [] : ["O1: a line is too long"]),
  ]
}

/** O2 and O4: one end, which is the last line; its members stand nowhere else. */
function brokenEnd(lines: readonly JsonObject[], failed: boolean): readonly string[] {
  const ends = lines.filter(line => line["done"] === true || line["error"] !== undefined)
  const before = lines.slice(0, -1)
  const early = ["done_reason", ...COUNTS].filter(name => before.some(line => line[name] !== undefined))
  const last = lines.at(-1) ?? {}
  return [
    ...(ends.length === 1 && ends[0] === lines.at(-1) ? [] : ["O2: not exactly one end, or not the last line"]),
    ...(failed && (typeof last["error"] !== "string" || last["error"] === "") ? ["O2: the error is no text"] : []),
    ...(failed && Object.keys(last).length > 1 ? ["O2: an error beside other members"] : []),
    ...early.map(name => `O4: ${name} before the end`),
    ...(failed || REASONS.has(stringAt(last, "done_reason") ?? "") ? [] : ["O4: no known reason"]),
  ]
}

/** O3 */
function brokenLine(line: JsonObject, model: string): readonly string[] {
  const message = objectAt(line, "message")
  const isMessage = message?.["role"] === "assistant" && typeof message["content"] === "string"
  return [
    ...(line["model"] === model ? [] : ["O3: another model"]),
    ...(typeof line["done"] === "boolean" ? [] : ["O3: done is missing"]),
    ...(isMessage || (message === undefined && typeof line["response"] === "string") ? [] : ["O3: no text"]),
  ]
}

function brokenTimes(lines: readonly JsonObject[]): readonly string[] {
  const times = lines.map(line => Date.parse(stringAt(line, "created_at") ?? ""))
  const isAscending = times.every((time, index) => time >= (times[index - 1] ?? 0))
  return isAscending ? [] : ["O3: created_at does not parse or goes back"]
}

/** O4 */
function brokenMetrics(last: JsonObject): readonly string[] {
  const present = COUNTS.filter(name => last[name] !== undefined)
  return present.every(name => Number.isInteger(last[name]) && Number(last[name]) >= 0) ? [] : ["O4: a count is none"]
}

/** O5 */
function brokenCalls(lines: readonly JsonObject[]): readonly string[] {
  const calls = lines.flatMap(callsOf)
  const functions = calls.map(call => objectAt(call, "function") ?? {})
  const indices = functions.map(({ index }) => index)
  return [
    ...(functions.every(({ arguments: args }) => isJsonObject(args)) ? [] : ["O5: arguments that are no object"]),
    ...(new Set(indices).size === indices.length && indices.every(Number.isInteger) ? [] : ["O5: an index twice"]),
    ...(new Set(calls.map(({ id }) => id)).size === calls.length ? [] : ["O5: an id twice"]),
  ]
}

/** Folds a good stream as clients do: texts joined, calls collected, everything else from the last line. */
export function foldOllamaStream(sent: string): JsonObject {
  const lines = ollamaLines(sent)
  const last = lines.at(-1) ?? {}
  const thinking = textOf(lines, "thinking")
  const calls = lines.flatMap(callsOf)
  const extra = { ...(thinking !== "" && { thinking }), ...(calls.length > 0 && { tool_calls: calls }) }
  if (last["message"] === undefined) return { ...last, response: textOf(lines, "response"), ...extra }
  return { ...last, message: { role: "assistant", content: textOf(lines, "content"), ...extra } }
}

function textOf(lines: readonly JsonObject[], name: string): string {
  return lines.map(line => stringAt(objectAt(line, "message") ?? line, name) ?? "").join("")
}

function callsOf(line: JsonObject): readonly JsonObject[] {
  return (arrayAt(objectAt(line, "message") ?? line, "tool_calls") ?? []).filter(isJsonObject)
}

function parsed(line: string): JsonObject {
  try {
    const value: unknown = JSON.parse(line)
    return isJsonObject(value) ? value : {}
  } catch {
    return {}
  }
}
