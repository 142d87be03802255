/** What every Chat Completions stream must hold, and the answer a client folds from it. */

import type { ReplyContext } from "#protocols/protocol.ts"

import { readEvents } from "./sse.ts"

type Call = {
  readonly index: number
  readonly id?: string
  readonly type?: "function" | "custom"
  readonly function?: { readonly name?: string; readonly arguments: string }
  readonly custom?: { readonly name?: string; readonly input: string }
}
type Delta = {
  readonly role?: string
  readonly content?: string
  readonly refusal?: string
  readonly reasoning_content?: string
  readonly annotations?: readonly object[]
  readonly images?: readonly object[]
  readonly tool_calls?: readonly Call[]
  readonly function_call?: { readonly name?: string; readonly arguments: string }
}
type Choice = { readonly index: number; readonly delta: Delta; readonly finish_reason: string | null }
type Chunk = {
  readonly id: string
  readonly object: string
  readonly created: number
  readonly model: string
  readonly choices: readonly Choice[]
  readonly usage?: object | null
  readonly service_tier?: string
  readonly error?: object
}

/** Collects the statements that do not hold. */
function makeChecks() {
  const wrong: string[] = []
  const check = (holds: boolean, text: string) => {
    if (!holds) wrong.push(text)
  }
  return { wrong, check }
}

function readChunks(stream: string): { readonly frames: readonly string[]; readonly parsed: readonly Chunk[] } {
  const frames = readEvents(stream).map(frame => frame.data)
  // The invariants below are what gives the parsed objects their shape.
  const parsed = frames.filter(data => data !== "[DONE]").map(data => JSON.parse(data) as Chunk)
  return { frames, parsed }
}

/** Returns what is wrong with a stream; empty when nothing is. */
export function brokenChatInvariants(stream: string, context: ReplyContext): readonly string[] {
  const { frames, parsed } = readChunks(stream)
  const isFailed = parsed.at(-1)?.error !== undefined
  const chunks = isFailed ? parsed.slice(0, -1) : parsed
  const { wrong, check } = makeChecks()
  check(
    frames.filter(data => data === "[DONE]").length === (isFailed ? 0 : 1),
    "[DONE] once on success, never on failure",
  )
  check((frames.at(-1) === "[DONE]") !== isFailed, "the stream ends with [DONE] or with an error frame")
  check(
    chunks.every(chunk => chunk.object === "chat.completion.chunk"),
    "object",
  )
  for (const key of ["id", "created", "model"] as const) {
    check(new Set(chunks.map(chunk => chunk[key])).size <= 1, `${key} is the same in all chunks`)
  }
  check(
    chunks.every(chunk => chunk.id !== "" && chunk.created > 1e9 && chunk.created < 1e10),
    "id and created",
  )
  const choices = chunks.flatMap(chunk => chunk.choices)
  return [
    ...wrong,
    ...brokenUsage(chunks, context),
    ...brokenChoices(choices, isFailed),
    ...brokenCalls(choices, context),
  ]
}

function brokenUsage(chunks: readonly Chunk[], context: ReplyContext): readonly string[] {
  const { wrong, check } = makeChecks()
  const withChoice = chunks.filter(chunk => chunk.choices.length === 1)
  const withUsage = chunks.filter(chunk => chunk.choices.length === 0)
  check(withChoice.length + withUsage.length === chunks.length && withUsage.length <= 1, "choices have one element")
  check(withUsage.length === 0 || chunks.at(-1) === withUsage[0], "the usage chunk is last")
  check(
    withUsage.every(chunk => Boolean(chunk.usage)),
    "the chunk without choices has usage",
  )
  const isAsked = context.reply.includeUsage
  check(isAsked || withUsage.length === 0, "no usage chunk unless asked for")
  check(
    withChoice.every(chunk => (isAsked ? chunk.usage === null : !("usage" in chunk))),
    "usage is null until the end when asked for, absent otherwise",
  )
  return wrong
}

const FINISH_REASONS = new Set(["stop", "length", "tool_calls", "content_filter", "function_call"])

function brokenChoices(choices: readonly Choice[], isFailed: boolean): readonly string[] {
  const { wrong, check } = makeChecks()
  const deltas = choices.map(choice => choice.delta)
  check(
    choices.every(choice => choice.index === 0 && typeof choice.delta === "object"),
    "index and delta",
  )
  check(
    deltas.every((delta, at) => (at === 0) === (delta.role === "assistant")),
    "role first and only there",
  )
  const reasons = choices.map(choice => choice.finish_reason)
  const finished = reasons.filter(reason => reason !== null)
  check(finished.length === (isFailed ? 0 : 1), "one finish reason in a good stream, none in a failed one")
  check(isFailed || reasons.at(-1) !== null, "the finish reason stands in the last chunk with choices")
  check(
    finished.every(reason => FINISH_REASONS.has(reason)),
    "known finish reason",
  )
  check(isFailed || JSON.stringify(deltas.at(-1)) === "{}", "the finish chunk has an empty delta")
  for (const delta of deltas.slice(1)) {
    const values: readonly unknown[] = Object.values(delta)
    check(!values.includes(null) && !values.includes(""), "no null members and no empty texts in a delta")
    check(delta.tool_calls?.length !== 0, "no empty tool_calls")
  }
  return wrong
}

function brokenCalls(choices: readonly Choice[], context: ReplyContext): readonly string[] {
  const { wrong, check } = makeChecks()
  const reason = choices.at(-1)?.finish_reason
  const byIndex = Map.groupBy(
    choices.flatMap(choice => choice.delta.tool_calls ?? []),
    call => call.index,
  )
  check(
    [...byIndex.keys()].every((index, at) => index === at),
    "call indexes appear in order, from 0",
  )
  const ids = [...byIndex.values()].map(([first]) => first?.id)
  check(new Set(ids).size === ids.length && ids.every(Boolean), "call ids are distinct and not empty")
  for (const [first, ...rest] of byIndex.values()) {
    const named = first?.type === "custom" ? first.custom : first?.function
    check(Boolean(named?.name), "the first fragment of a call has type and name")
    check(
      rest.every(call => !("id" in call || "type" in call || call.function?.name || call.custom?.name)),
      "identity is sent once",
    )
    const input = [first, ...rest].map(call => call?.function?.arguments ?? "").join("")
    const isJson = first?.type === "function" && reason === "tool_calls" && !context.reply.customAsFunction
    if (isJson) check(typeof JSON.parse(input) === "object", "arguments are a JSON object")
  }
  if (reason === "tool_calls" || reason === "stop")
    check((reason === "tool_calls") === byIndex.size > 0, "tool_calls ⇔ calls")
  return wrong
}

type FoldedMessage = {
  role: string
  content: string | null
  refusal: string | null
  reasoning_content?: string
  annotations?: object[]
  images?: object[]
  tool_calls?: object[]
  function_call?: object
}

/** Folds a good stream the way a client does, into the shape of the answer that is not streamed. */
export function foldChatStream(stream: string): object {
  const { parsed } = readChunks(stream)
  const deltas = parsed.flatMap(chunk => chunk.choices.map(choice => choice.delta))
  const usage = parsed.find(chunk => chunk.usage)?.usage
  const tier = parsed.find(chunk => chunk.service_tier)?.service_tier
  const finish = parsed.flatMap(chunk => chunk.choices).at(-1)?.finish_reason
  return {
    id: parsed[0]?.id,
    object: "chat.completion",
    created: parsed[0]?.created,
    model: parsed[0]?.model,
    choices: [{ index: 0, message: foldMessage(deltas), logprobs: null, finish_reason: finish }],
    ...(usage !== undefined && { usage }),
    ...(tier !== undefined && { service_tier: tier }),
  }
}

function foldMessage(deltas: readonly Delta[]): FoldedMessage {
  const joined = (key: "content" | "refusal" | "reasoning_content") => deltas.map(delta => delta[key] ?? "").join("")
  const calls = foldCalls(deltas.flatMap(delta => delta.tool_calls ?? []))
  const legacy = deltas.flatMap(delta => delta.function_call ?? [])
  const annotations = deltas.flatMap(delta => delta.annotations ?? [])
  const images = deltas.flatMap(delta => delta.images ?? [])
  const refusal = joined("refusal")
  const reasoning = joined("reasoning_content")
  const hasOther = calls.length > 0 || legacy.length > 0 || refusal !== ""
  const legacyCall = { name: legacy[0]?.name, arguments: legacy.map(call => call.arguments).join("") }
  return {
    role: "assistant",
    content: joined("content") === "" && hasOther ? null : joined("content"),
    refusal: refusal === "" ? null : refusal,
    ...(reasoning !== "" && { reasoning_content: reasoning }),
    ...(calls.length > 0 && { tool_calls: calls }),
    ...(legacy.length > 0 && { function_call: legacyCall }),
    ...(annotations.length > 0 && { annotations }),
    ...(images.length > 0 && { images }),
  }
}

function foldCalls(fragments: readonly Call[]): object[] {
  return [...Map.groupBy(fragments, call => call.index).values()].map(calls => {
    const [first] = calls
    const { id, type } = first ?? {}
    if (type === "custom") {
      const input = calls.map(call => call.custom?.input ?? "").join("")
      return { id, type, custom: { name: first?.custom?.name, input } }
    }
    const text = calls.map(call => call.function?.arguments ?? "").join("")
    return { id, type, function: { name: first?.function?.name, arguments: text } }
  })
}
