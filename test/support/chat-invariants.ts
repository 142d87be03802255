/** What every Chat Completions stream must hold, and the answer a client folds from it. */

import type { ReplyContext } from "#protocols/protocol.ts"

import { readEvents } from "./sse.ts"

// Parsed client output; the checks below are what gives it a shape.
type Loose = Record<string, any>

/** Returns what is wrong with a stream; empty when nothing is. */
export function brokenChatInvariants(stream: string, context: ReplyContext): readonly string[] {
  const frames = readEvents(stream).map(frame => frame.data)
  const isDone = frames.at(-1) === "[DONE]"
  const parsed: Loose[] = frames.filter(data => data !== "[DONE]").map(data => JSON.parse(data))
  const isFailed = parsed.at(-1)?.["error"] !== undefined
  const chunks = isFailed ? parsed.slice(0, -1) : parsed
  const wrong: string[] = []
  const check = (holds: boolean, text: string) => {
    if (!holds) wrong.push(text)
  }
  check(
    frames.filter(data => data === "[DONE]").length === (isFailed ? 0 : 1),
    "[DONE] exactly once on success, never on failure",
  )
  check(isDone !== isFailed, "the stream ends with [DONE] or with an error frame")
  check(
    chunks.every(chunk => chunk["object"] === "chat.completion.chunk"),
    "object",
  )
  for (const key of ["id", "created", "model"]) {
    check(new Set(chunks.map(chunk => chunk[key])).size <= 1, `${key} is the same in all chunks`)
  }
  check(
    chunks.every(chunk => chunk["id"] !== "" && chunk["created"] > 1e9 && chunk["created"] < 1e10),
    "id and created",
  )
  const withChoice = chunks.filter(chunk => chunk["choices"].length === 1)
  const withUsage = chunks.filter(chunk => chunk["choices"].length === 0)
  check(withChoice.length + withUsage.length === chunks.length && withUsage.length <= 1, "choices have one element")
  check(withUsage.length === 0 || chunks.at(-1) === withUsage[0], "the usage chunk is last")
  check(
    withUsage.every(chunk => chunk["usage"]),
    "the chunk without choices has usage",
  )
  for (const chunk of withChoice) {
    if (context.reply.includeUsage) check(chunk["usage"] === null, "usage is null until the end")
    else check(!("usage" in chunk), "usage was not asked for")
  }
  if (!context.reply.includeUsage) check(withUsage.length === 0, "no usage chunk unless asked for")
  wrong.push(
    ...brokenChoices(
      withChoice.map(chunk => chunk["choices"][0]),
      isFailed,
      context,
    ),
  )
  return wrong
}

function brokenChoices(choices: readonly Loose[], isFailed: boolean, context: ReplyContext): readonly string[] {
  const wrong: string[] = []
  const check = (holds: boolean, text: string) => {
    if (!holds) wrong.push(text)
  }
  const deltas: Loose[] = choices.map(choice => choice["delta"])
  check(
    choices.every(choice => choice["index"] === 0 && typeof choice["delta"] === "object"),
    "index and delta",
  )
  check(
    deltas.every((delta, at) => (at === 0) === (delta["role"] === "assistant")),
    "role first and only there",
  )
  const reasons = choices.map(choice => choice["finish_reason"])
  const finished = reasons.filter(reason => reason !== null)
  check(finished.length === (isFailed ? 0 : 1), "one finish reason in a good stream, none in a failed one")
  check(isFailed || reasons.at(-1) !== null, "the finish reason stands in the last chunk with choices")
  check(
    finished.every(reason => ["stop", "length", "tool_calls", "content_filter", "function_call"].includes(reason)),
    "known finish reason",
  )
  check(isFailed || JSON.stringify(deltas.at(-1)) === "{}", "the finish chunk has an empty delta")
  for (const delta of deltas.slice(1)) {
    check(!Object.values(delta).includes(null), "no null members in a delta")
    check(!Object.values(delta).includes(""), "no empty texts after the first chunk")
    check(delta["tool_calls"]?.length !== 0, "no empty tool_calls")
  }
  wrong.push(...brokenCalls(deltas, finished[0], context))
  return wrong
}

function brokenCalls(deltas: readonly Loose[], reason: string | undefined, context: ReplyContext): readonly string[] {
  const wrong: string[] = []
  const check = (holds: boolean, text: string) => {
    if (!holds) wrong.push(text)
  }
  const calls: Loose[] = deltas.flatMap(delta => delta["tool_calls"] ?? [])
  const byIndex = new Map<number, Loose[]>()
  for (const call of calls) {
    if (!byIndex.has(call["index"])) {
      check(call["index"] === byIndex.size, "call indexes appear in order, from 0")
      byIndex.set(call["index"], [])
    }
    byIndex.get(call["index"])?.push(call)
  }
  const ids = [...byIndex.values()].map(([first]) => first?.["id"])
  check(new Set(ids).size === ids.length && ids.every(Boolean), "call ids are distinct and not empty")
  for (const [first, ...rest] of byIndex.values()) {
    const form = first?.["type"] as string
    check(Boolean(first?.[form]?.name), "the first fragment of a call has type and name")
    check(
      rest.every(call => !("id" in call) && !("type" in call) && !("name" in call[form])),
      "identity is sent once",
    )
    const input = [first, ...rest].map(call => call?.[form].arguments ?? "").join("")
    const isJson = form === "function" && reason === "tool_calls" && !context.reply.customAsFunction
    if (isJson) check(typeof JSON.parse(input) === "object", "arguments are a JSON object")
  }
  check(
    reason === undefined || reason === "length" || (reason === "tool_calls") === byIndex.size > 0,
    "tool_calls ⇔ calls",
  )
  return wrong
}

/** Folds a good stream the way a client does, into the shape of the answer that is not streamed. */
export function foldChatStream(stream: string): Loose {
  const chunks: Loose[] = readEvents(stream)
    .filter(frame => frame.data !== "[DONE]")
    .map(frame => JSON.parse(frame.data))
  const message: Loose = { role: "assistant", content: "", refusal: "" }
  let finish: unknown = null
  const answer: Loose = { id: chunks[0]?.["id"], created: chunks[0]?.["created"], model: chunks[0]?.["model"] }
  for (const chunk of chunks) {
    if (chunk["service_tier"] !== undefined) answer["service_tier"] = chunk["service_tier"]
    if (chunk["usage"]) answer["usage"] = chunk["usage"]
    for (const choice of chunk["choices"]) {
      finish = choice["finish_reason"] ?? finish
      addDelta(message, choice["delta"])
    }
  }
  for (const call of message["tool_calls"] ?? []) delete call["index"]
  const hasOther = message["tool_calls"] ?? message["function_call"] ?? (message["refusal"] || undefined)
  if (message["content"] === "" && hasOther !== undefined) message["content"] = null
  if (message["refusal"] === "") message["refusal"] = null
  return {
    ...answer,
    object: "chat.completion",
    choices: [{ index: 0, message, logprobs: null, finish_reason: finish }],
  }
}

function addDelta(message: Loose, delta: Loose): void {
  for (const key of ["content", "refusal", "reasoning_content"]) {
    if (delta[key] !== undefined) message[key] = (message[key] ?? "") + delta[key]
  }
  for (const key of ["annotations", "images"]) {
    if (delta[key] !== undefined) message[key] = [...(message[key] ?? []), ...delta[key]]
  }
  const legacy = delta["function_call"]
  if (legacy !== undefined) {
    const call = (message["function_call"] ??= { name: legacy.name, arguments: "" })
    call.arguments += legacy.arguments
  }
  for (const fragment of delta["tool_calls"] ?? []) {
    message["tool_calls"] ??= []
    const known = message["tool_calls"][fragment.index]
    if (known === undefined) message["tool_calls"][fragment.index] = structuredClone(fragment)
    else if (known.type === "custom") known.custom.input += fragment.custom.input
    else known.function.arguments += fragment.function.arguments
  }
}
