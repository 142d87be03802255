/** What must hold for every Gemini stream, and the fold of one into a whole answer. */

import { arrayAt, isJsonObject, type JsonObject, numberAt, objectAt, stringAt } from "#core/json.ts"

const REASONS: ReadonlySet<string> = new Set(["STOP", "MAX_TOKENS", "SAFETY", "OTHER", "MALFORMED_FUNCTION_CALL"])
const STATUSES: ReadonlySet<string> = new Set([
  "INVALID_ARGUMENT",
  "UNAUTHENTICATED",
  "PERMISSION_DENIED",
  "NOT_FOUND",
  "RESOURCE_EXHAUSTED",
  "CANCELLED",
  "INTERNAL",
  "UNIMPLEMENTED",
  "UNAVAILABLE",
  "DEADLINE_EXCEEDED",
])

/** The payloads of the data frames, an error's bare repetition left out. */
export function geminiChunks(sent: string): readonly JsonObject[] {
  return sent
    .split("\n\n")
    .filter(block => block.startsWith("data: "))
    .map(block => JSON.parse(block.slice("data: ".length)))
}

/** Returns what is broken; an empty list when all is well. */
export function brokenGeminiInvariants(sent: string): readonly string[] {
  const chunks = geminiChunks(sent)
  const last = chunks.at(-1)
  const failed = last?.["error"] !== undefined
  const good = failed ? chunks.slice(0, -1) : chunks
  return [
    ...brokenFraming(sent, failed),
    ...good.flatMap(brokenChunk),
    ...brokenConstants(good),
    ...brokenParts(good),
    ...(failed ? brokenFailure(good, last) : brokenEnd(good)),
  ]
}

/** G1: nothing but data frames of one line, and at most one bare error object as the last block. */
function brokenFraming(sent: string, failed: boolean): readonly string[] {
  const blocks = sent.split("\n\n")
  const end = blocks.pop()
  const bare = failed ? blocks.pop() : undefined
  const isFramed = blocks.every(block => /^data: \{[^\r\n]*\}$/.test(block) && isJson(block.slice("data: ".length)))
  return [
    ...(end === "" ? [] : ["G1: the last frame has no empty line"]),
    ...(isFramed ? [] : ["G1: a block is no data frame"]),
    ...(bare === undefined || `data: ${bare}` === blocks.at(-1) ? [] : ["G1: the bare error differs"]),
  ]
}

/** G2 */
function brokenChunk(chunk: JsonObject): readonly string[] {
  const candidates = arrayAt(chunk, "candidates") ?? []
  const content = objectAt(candidateOf(chunk), "content") ?? {}
  const isGood =
    candidates.length === 1 &&
    candidateOf(chunk)["index"] === 0 &&
    content["role"] === "model" &&
    (arrayAt(content, "parts") ?? []).length > 0
  return isGood ? [] : ["G2: a chunk without its one candidate"]
}

function brokenConstants(chunks: readonly JsonObject[]): readonly string[] {
  const heads = new Set(chunks.map(chunk => `${chunk["responseId"]} ${chunk["modelVersion"]}`))
  return heads.size > 1 ? ["G2: responseId or modelVersion changed"] : []
}

/** G3 and G10 */
function brokenEnd(chunks: readonly JsonObject[]): readonly string[] {
  const reasons = chunks.map(chunk => candidateOf(chunk)["finishReason"])
  const last = chunks.at(-1) ?? {}
  const usage = objectAt(last, "usageMetadata")
  return [
    ...(REASONS.has(String(reasons.at(-1))) ? [] : ["G3: no known finish reason on the last chunk"]),
    ...(reasons.slice(0, -1).every(reason => reason === undefined) ? [] : ["G3: an early finish reason"]),
    ...(usage === undefined ? [] : brokenUsage(usage)),
  ]
}

function brokenUsage(usage: JsonObject): readonly string[] {
  const count = (name: string) => numberAt(usage, name) ?? 0
  const sum = count("promptTokenCount") + count("candidatesTokenCount") + count("thoughtsTokenCount")
  const areCounts = Object.values(usage).every(value => Number.isInteger(value) && Number(value) >= 0)
  return [
    ...(sum === count("totalTokenCount") ? [] : ["G10: the counts do not add up"]),
    ...(count("cachedContentTokenCount") <= count("promptTokenCount") ? [] : ["G10: more cached than sent"]),
    ...(areCounts ? [] : ["G10: a count is no count"]),
  ]
}

/** G4 */
function brokenFailure(chunks: readonly JsonObject[], last: JsonObject | undefined): readonly string[] {
  const error = objectAt(last ?? {}, "error") ?? {}
  const code = error["code"]
  return [
    ...(chunks.some(chunk => candidateOf(chunk)["finishReason"] !== undefined) ? ["G4: failed and finished"] : []),
    ...(Number.isInteger(code) && Number(code) >= 400 && Number(code) < 600 ? [] : ["G4: the code is no status"]),
    ...(typeof error["message"] === "string" ? [] : ["G4: no message"]),
    ...(STATUSES.has(stringAt(error, "status") ?? "") ? [] : ["G4: unknown status"]),
  ]
}

/** G5, G6, G9 */
function brokenParts(chunks: readonly JsonObject[]): readonly string[] {
  const parts = chunks.flatMap(partsOf)
  const calls = parts.map(part => objectAt(part, "functionCall")).filter(call => call !== undefined)
  const ids = calls.map(call => stringAt(call, "id") ?? "")
  return [
    ...(parts.every(hasOneKind) ? [] : ["G5: a part of no kind or of several"]),
    ...(new Set(ids).size === ids.length && !ids.includes("") ? [] : ["G6: a call without an id of its own"]),
    ...(calls.every(call => isJsonObject(call["args"])) ? [] : ["G6: arguments that are no object"]),
    ...(parts.every(hasPlainSignature) ? [] : ["G9: a signature that is no base64"]),
  ]
}

function hasOneKind(part: JsonObject): boolean {
  return ["text", "inlineData", "functionCall"].filter(kind => part[kind] !== undefined).length === 1
}

function hasPlainSignature(part: JsonObject): boolean {
  const signature = stringAt(part, "thoughtSignature")
  return signature === undefined || Buffer.from(signature, "base64").toString("base64") === signature
}

/** Folds a good stream: neighbouring texts are joined, the closing part is left out unless it is all there is. */
export function foldGeminiStream(sent: string): JsonObject {
  const chunks = geminiChunks(sent)
  const last = chunks.at(-1) ?? {}
  const parts: JsonObject[] = []
  for (const part of chunks.slice(0, -1).flatMap(partsOf)) {
    const before = parts.at(-1)
    const joins =
      isPlainText(part) && part["thoughtSignature"] === undefined && before !== undefined && isPlainText(before)
    if (joins) parts[parts.length - 1] = { ...before, text: `${before["text"]}${part["text"]}` }
    else parts.push(part)
  }
  const closing = partsOf(last).filter(part => parts.length === 0 || part["thoughtSignature"] !== undefined)
  const content = { role: "model", parts: [...parts, ...closing] }
  return { ...last, candidates: [{ ...candidateOf(last), content }] }
}

function isPlainText(part: JsonObject): boolean {
  return typeof part["text"] === "string" && part["thought"] === undefined
}

function partsOf(chunk: JsonObject): readonly JsonObject[] {
  return (arrayAt(objectAt(candidateOf(chunk), "content") ?? {}, "parts") ?? []).filter(isJsonObject)
}

function candidateOf(chunk: JsonObject): JsonObject {
  const [candidate] = arrayAt(chunk, "candidates") ?? []
  return isJsonObject(candidate) ? candidate : {}
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
