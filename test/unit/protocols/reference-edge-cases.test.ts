/** Answers that break clients, one by one; the numbers go on in the other edge-case files of this folder. */

import { describe, expect, test } from "bun:test"

import { arrayAt, isJsonObject, type Json, type JsonObject, objectAt, stringAt } from "#core/json.ts"
import type { ReplyOptions } from "#core/request.ts"
import { SSE_KEEP_ALIVE_COMMENT } from "#wire/sse-writer.ts"

import { makeContext } from "../../support/scenarios.ts"
import { readEvents } from "../../support/sse.ts"
import { serveChat, serveResponses } from "./answer-kit.ts"
import { chatToUpstream, itemsOf } from "./request-kit.ts"

const HEAD: JsonObject = { id: "resp_1", object: "response", created_at: 1_790_000_000, model: "gpt-5.5" }
const USAGE: JsonObject = { input_tokens: 5, output_tokens: 2, total_tokens: 7 }
const created: JsonObject = { type: "response.created", response: { ...HEAD, status: "in_progress", output: [] } }

function completed(output: readonly Json[] = [], usage: Json = USAGE): JsonObject {
  return { type: "response.completed", response: { ...HEAD, status: "completed", output, usage } }
}

function incomplete(reason?: string): JsonObject {
  const details = reason === undefined ? null : { reason }
  return {
    type: "response.incomplete",
    response: { ...HEAD, status: "incomplete", incomplete_details: details, output: [] },
  }
}

function bytesOf(events: readonly JsonObject[]): Uint8Array {
  return new TextEncoder().encode(
    events.map(event => `event: ${event["type"]}\ndata: ${JSON.stringify(event)}\n\n`).join(""),
  )
}

function textDelta(delta: string, index = 0): JsonObject {
  return { type: "response.output_text.delta", output_index: index, content_index: 0, item_id: `msg_${index}`, delta }
}

function messageDone(text: string, index = 0, more: JsonObject = {}): JsonObject {
  const content = [{ type: "output_text", text, annotations: [], ...more }]
  return {
    type: "response.output_item.done",
    output_index: index,
    item: { id: `msg_${index}`, type: "message", role: "assistant", content },
  }
}

function callItem(index: number, args: string): JsonObject {
  return { id: `fc_${index}`, type: "function_call", call_id: `call_${index}`, name: `tool_${index}`, arguments: args }
}

function callAdded(index: number): JsonObject {
  return { type: "response.output_item.added", output_index: index, item: callItem(index, "") }
}

function callDelta(index: number, delta: string): JsonObject {
  return { type: "response.function_call_arguments.delta", output_index: index, item_id: `fc_${index}`, delta }
}

function argumentsDone(index: number, args: string): JsonObject {
  return { type: "response.function_call_arguments.done", output_index: index, item_id: `fc_${index}`, arguments: args }
}

function callDone(index: number, args: string): JsonObject {
  return { type: "response.output_item.done", output_index: index, item: callItem(index, args) }
}

/** The Chat chunks of an answer without the [DONE] line. */
function chunksOf(events: readonly JsonObject[], reply: Partial<ReplyOptions> = {}): readonly JsonObject[] {
  const frames = readEvents(serveChat(bytesOf(events), makeContext(reply)).stream).map(({ data }) => data)
  return frames.filter(data => data !== "[DONE]").map(data => JSON.parse(data))
}

function choicesOf(events: readonly JsonObject[], reply: Partial<ReplyOptions> = {}): readonly JsonObject[] {
  return chunksOf(events, reply).flatMap(chunk => (arrayAt(chunk, "choices") ?? []).filter(isJsonObject))
}

function deltasOf(events: readonly JsonObject[], reply: Partial<ReplyOptions> = {}): readonly JsonObject[] {
  return choicesOf(events, reply).map(choice => objectAt(choice, "delta") ?? {})
}

function joined(events: readonly JsonObject[], key: string): string {
  return deltasOf(events)
    .map(delta => stringAt(delta, key) ?? "")
    .join("")
}

/** Index and argument text of each call, as a client that appends would have them. */
function callsOf(events: readonly JsonObject[]): Json {
  const fragments = deltasOf(events).flatMap(delta => (arrayAt(delta, "tool_calls") ?? []).filter(isJsonObject))
  const byIndex = Map.groupBy(fragments, fragment => Number(fragment["index"]))
  return [...byIndex].map(([index, parts]) => {
    const name = parts.map(part => objectAt(part, "function")?.["name"] ?? "").join("")
    return [index, name, parts.map(part => stringAt(objectAt(part, "function") ?? {}, "arguments") ?? "").join("")]
  })
}

function finishOf(events: readonly JsonObject[]): unknown {
  return choicesOf(events).at(-1)?.["finish_reason"]
}

function relayed(events: readonly JsonObject[], reply: Partial<ReplyOptions> = {}): readonly JsonObject[] {
  return readEvents(serveResponses(bytesOf(events), makeContext(reply)).stream).map(({ data }) => JSON.parse(data))
}

function terminalOf(events: readonly JsonObject[]): JsonObject {
  return objectAt(relayed(events).at(-1) ?? {}, "response") ?? {}
}

describe("Chat answers", () => {
  test("5: Cursor gets custom calls in the function envelope, and its history of them goes back as custom calls", () => {
    const patch = "*** Begin Patch"
    const item = { id: "ctc_0", type: "custom_tool_call", call_id: "call_0", name: "ApplyPatch", input: patch }
    const events = [created, { type: "response.output_item.done", output_index: 0, item }, completed()]
    const calls = deltasOf(events, { customAsFunction: true }).flatMap(delta => arrayAt(delta, "tool_calls") ?? [])
    expect(calls).toEqual([
      { index: 0, id: "call_0", type: "function", function: { name: "ApplyPatch", arguments: "" } },
      { index: 0, function: { arguments: patch } },
    ])
    const tools = [{ type: "custom", name: "ApplyPatch", format: { type: "grammar", syntax: "lark", definition: "x" } }]
    const history = [
      { type: "function_call", call_id: "call_0", name: "ApplyPatch", arguments: patch },
      { type: "function_call_output", call_id: "call_0", output: "done" },
    ]
    expect(itemsOf(chatToUpstream({ input: history, tools }, {}, { "user-agent": "cursor/3" }))).toEqual([
      { type: "custom_tool_call", call_id: "call_0", name: "ApplyPatch", input: patch },
      { type: "custom_tool_call_output", call_id: "call_0", output: "done" },
    ])
  })

  test("33: the role stands in the first chunk only, also when there is nothing else", () => {
    for (const events of [
      [created, completed()],
      [created, textDelta("a"), textDelta("b"), completed()],
    ]) {
      const roles = deltasOf(events).map(delta => delta["role"])
      expect(roles[0]).toBe("assistant")
      expect(roles.slice(1).some(role => role !== undefined)).toBe(false)
    }
  })

  test("34: a call's id, type and name are sent once", () => {
    const events = [
      created,
      callAdded(0),
      callDelta(0, '{"a"'),
      callDelta(0, ":1}"),
      callDone(0, '{"a":1}'),
      completed(),
    ]
    const fragments = deltasOf(events).flatMap(delta => arrayAt(delta, "tool_calls") ?? [])
    expect(fragments).toEqual([
      { index: 0, id: "call_0", type: "function", function: { name: "tool_0", arguments: "" } },
      { index: 0, function: { arguments: '{"a"' } },
      { index: 0, function: { arguments: ":1}" } },
    ])
  })

  test("35: deltas and done events together do not double the arguments", () => {
    const args = '{"a":1}'
    const events = [created, callAdded(0), callDelta(0, args), argumentsDone(0, args), callDone(0, args), completed()]
    expect(callsOf(events)).toEqual([[0, "tool_0", args]])
  })

  test("36: a call that comes in a done event alone is delivered whole", () => {
    const args = '{"a":1}'
    expect(callsOf([created, callAdded(0), argumentsDone(0, args), completed()])).toEqual([[0, "tool_0", args]])
    expect(callsOf([created, callDone(0, args), completed()])).toEqual([[0, "tool_0", args]])
    expect(callsOf([created, completed([callItem(0, args)])])).toEqual([[0, "tool_0", args]])
  })

  test("37: interleaved deltas of two calls keep their own index", () => {
    const events = [
      callAdded(0),
      callAdded(1),
      callDelta(0, '{"a"'),
      callDelta(1, '{"b"'),
      callDelta(0, ":1}"),
      callDelta(1, ":2}"),
    ]
    expect(callsOf([created, ...events, callDone(0, '{"a":1}'), callDone(1, '{"b":2}'), completed()])).toEqual([
      [0, "tool_0", '{"a":1}'],
      [1, "tool_1", '{"b":2}'],
    ])
  })

  test("38: call indexes count from 0 whatever stands before and between them", () => {
    const reasoning = {
      type: "response.output_item.done",
      output_index: 0,
      item: { id: "rs_0", type: "reasoning", summary: [] },
    }
    const events = [
      created,
      reasoning,
      textDelta("a", 1),
      callDone(3, "{}"),
      textDelta("b", 4),
      callDone(7, "{}"),
      completed(),
    ]
    expect(callsOf(events)).toEqual([
      [0, "tool_3", "{}"],
      [1, "tool_7", "{}"],
    ])
    expect(joined(events, "content")).toBe("a\n\nb")
  })

  test("39: an empty list of calls is never sent, streamed or not", () => {
    const { stream, body } = serveChat(bytesOf([created, textDelta("a"), completed()]), makeContext())
    expect(stream).not.toContain("tool_calls")
    expect(JSON.stringify(body)).not.toContain("tool_calls")
  })

  test("40: a reasoning chunk holds nothing beside the reasoning", () => {
    const delta = { type: "response.reasoning_summary_text.delta", output_index: 0, summary_index: 0, delta: "think" }
    expect(deltasOf([created, delta, completed()])[1]).toEqual({ reasoning_content: "think" })
  })

  test("41: the finish reason is null until the end and then set", () => {
    const choices = choicesOf([created, textDelta("a"), callDone(1, "{}"), completed()])
    expect(choices.slice(0, -1).every(choice => choice["finish_reason"] === null)).toBe(true)
    expect(choices.at(-1)?.["finish_reason"]).toBe("tool_calls")
  })

  test("42: the finish chunk has an empty delta", () => {
    expect(deltasOf([created, textDelta("a"), completed()]).at(-1)).toEqual({})
  })

  test("43: the usage chunk comes on request only, last, with an empty list of choices", () => {
    const events = [created, textDelta("a"), completed()]
    expect(chunksOf(events).some(chunk => "usage" in chunk)).toBe(false)
    const chunks = chunksOf(events, { includeUsage: true })
    expect(chunks.at(-1)).toMatchObject({
      choices: [],
      usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 },
    })
    expect(chunks.slice(0, -1).every(chunk => chunk["usage"] === null)).toBe(true)
    expect(chunksOf([created, textDelta("a"), completed([], null)], { includeUsage: true }).at(-1)).toMatchObject({
      choices: [{ finish_reason: "stop" }],
    })
  })

  test("44: a half-written call of a truncated answer finishes with length and is not completed", () => {
    const events = [created, callAdded(0), callDelta(0, '{"a":'), incomplete("max_output_tokens")]
    expect([finishOf(events), callsOf(events)]).toEqual(["length", [[0, "tool_0", '{"a":']]])
    expect(finishOf([created, textDelta("a"), incomplete()])).toBe("length")
    expect(finishOf([created, textDelta("a"), incomplete("content_filter")])).toBe("content_filter")
  })

  test("45: an empty output list at the end takes nothing back", () => {
    const { body } = serveChat(bytesOf([created, textDelta("a"), callDone(1, "{}"), completed([])]), makeContext())
    expect(objectAt(arrayAt(body ?? {}, "choices")?.[0] as JsonObject, "message")).toMatchObject({
      content: "a",
      tool_calls: [{ id: "call_1" }],
    })
  })

  test("48: an error followed by response.failed is told once", () => {
    const error = { code: "server_error", message: "Broken." }
    const failed = { type: "response.failed", response: { ...HEAD, status: "failed", error } }
    const events = [created, textDelta("a"), { type: "error", ...error, param: null }, failed]
    expect(chunksOf(events).filter(chunk => "error" in chunk)).toHaveLength(1)
    for (const codexClient of [true, false]) {
      const ends = relayed(events, { codexClient }).filter(({ type }) => type === "error" || type === "response.failed")
      expect(ends).toHaveLength(1)
    }
  })

  test("49: summary parts, and reasoning items, are set apart by a blank line", () => {
    const part = (index: number, summary: number, delta: string) => {
      return { type: "response.reasoning_summary_text.delta", output_index: index, summary_index: summary, delta }
    }
    const events = [created, part(0, 0, "a"), part(0, 0, "b"), part(0, 1, "c"), part(1, 0, "d"), completed()]
    expect(joined(events, "reasoning_content")).toBe("ab\n\nc\n\nd")
  })

  test("50: two messages are both delivered, and an empty one at the end takes nothing back", () => {
    const events = [
      textDelta("look", 0),
      messageDone("look", 0),
      textDelta("found", 1),
      messageDone("found", 1),
      messageDone("", 2),
    ]
    expect(joined([created, ...events, completed()], "content")).toBe("look\n\nfound")
  })

  test("51: a refusal stands in refusal, never in content, and the answer stops normally", () => {
    const events = [
      created,
      { type: "response.refusal.delta", output_index: 0, content_index: 0, delta: "No." },
      completed(),
    ]
    expect([joined(events, "refusal"), joined(events, "content"), finishOf(events)]).toEqual(["No.", "", "stop"])
    const { body } = serveChat(bytesOf(events), makeContext())
    expect(objectAt(arrayAt(body ?? {}, "choices")?.[0] as JsonObject, "message")).toMatchObject({
      content: null,
      refusal: "No.",
    })
  })

  test("52: a citation is nested under its type, with its place in the whole content", () => {
    const annotation = { type: "url_citation", url: "https://a.invalid", title: "A", start_index: 0, end_index: 3 }
    const added = {
      type: "response.output_text.annotation.added",
      output_index: 1,
      content_index: 0,
      annotation_index: 0,
      annotation,
    }
    const events = [
      created,
      textDelta("x", 0),
      textDelta("abc", 1),
      added,
      messageDone("abc", 1, { annotations: [annotation] }),
      completed(),
    ]
    expect(deltasOf(events).flatMap(delta => arrayAt(delta, "annotations") ?? [])).toEqual([
      { type: "url_citation", url_citation: { url: "https://a.invalid", title: "A", start_index: 3, end_index: 6 } },
    ])
  })

  test("53: a generated image is an image and no call", () => {
    const item = {
      id: "ig_0",
      type: "image_generation_call",
      status: "completed",
      output_format: "webp",
      result: "QUJD",
    }
    const partial = { type: "response.image_generation_call.partial_image", output_index: 0, partial_image_b64: "QQ==" }
    const events = [created, partial, { type: "response.output_item.done", output_index: 0, item }, completed([item])]
    expect(deltasOf(events).flatMap(delta => arrayAt(delta, "images") ?? [])).toEqual([
      { index: 0, type: "image_url", image_url: { url: "data:image/webp;base64,QUJD" } },
    ])
    expect([callsOf(events), finishOf(events)]).toEqual([[], "stop"])
  })

  test("54: hosted searches leave no trace", () => {
    const item = { id: "ws_0", type: "web_search_call", status: "completed", action: { type: "search", query: "x" } }
    const events = [
      created,
      { type: "response.output_item.added", output_index: 0, item },
      { type: "response.web_search_call.searching", output_index: 0, item_id: "ws_0" },
      { type: "response.output_item.done", output_index: 0, item },
      completed([item]),
    ]
    expect(deltasOf(events)).toEqual([{ role: "assistant", content: "" }, {}])
    expect(finishOf(events)).toBe("stop")
  })

  test("55: a character cut by the network stays whole, at every byte", () => {
    const bytes = bytesOf([created, textDelta("👩‍👩‍👧 天気"), completed()])
    const whole = serveChat(bytes, makeContext())
    for (let at = 1; at < bytes.length; at++) expect(serveChat(bytes, makeContext(), [at])).toEqual(whole)
    expect(whole.stream).toContain("👩‍👩‍👧 天気")
  })

  test("57: a keep-alive is a comment of its own that ends with a blank line", () => {
    expect(SSE_KEEP_ALIVE_COMMENT).toMatch(/^:[^\n]*\n\n$/)
  })
})

describe("Responses answers", () => {
  test("64: the terminal event lists the finished items although the upstream's list is empty", () => {
    const events = [created, textDelta("a"), messageDone("a"), callDone(1, "{}"), completed([])]
    expect(arrayAt(terminalOf(events), "output")?.map(item => (item as JsonObject)["type"])).toEqual([
      "message",
      "function_call",
    ])
  })

  test("65: a failure reaches Codex as response.failed and others as error", () => {
    const events = [
      created,
      textDelta("a"),
      { type: "error", code: "rate_limit_exceeded", message: "Wait.", param: null },
    ]
    expect(relayed(events, { codexClient: true }).at(-1)).toMatchObject({
      type: "response.failed",
      response: { error: { code: "rate_limit_exceeded", message: expect.stringContaining("Wait.") } },
    })
    expect(relayed(events).at(-1)).toMatchObject({ type: "error", code: "rate_limit_exceeded" })
  })

  test("70: call ids and item ids pass as they are", () => {
    const done = callDone(0, "{}")
    expect(relayed([created, done, completed()])[1]).toEqual(done)
  })

  test("71: usage has every number a Codex client needs", () => {
    for (const usage of [
      { input_tokens: 5, output_tokens: 2 },
      { input_tokens: 5, output_tokens: 2, total_tokens: 7, input_tokens_details: null, output_tokens_details: null },
      { input_tokens: 5, output_tokens: 2, total_tokens: 7, input_tokens_details: {}, output_tokens_details: {} },
    ]) {
      expect(terminalOf([created, completed([], usage)])["usage"]).toEqual({
        input_tokens: 5,
        input_tokens_details: { cached_tokens: 0 },
        output_tokens: 2,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: 7,
      })
    }
  })

  test("72: quota events reach Codex and nobody else", () => {
    const events = [created, { type: "codex.rate_limits", plan_type: "plus" }, textDelta("a"), completed()]
    const types = (reply: Partial<ReplyOptions>) => relayed(events, reply).map(({ type }) => type)
    expect(types({})).not.toContain("codex.rate_limits")
    expect(types({ codexClient: true })).toContain("codex.rate_limits")
  })

  test("72: events of no public type reach Codex and nobody else", () => {
    const unknown = { type: "response.brand_new.delta", output_index: 0, delta: "x" }
    const types = (reply: Partial<ReplyOptions>) =>
      relayed([created, unknown, textDelta("a"), completed()], reply).map(({ type }) => type)
    expect(types({})).toEqual(["response.created", "response.output_text.delta", "response.completed"])
    expect(types({ codexClient: true })).toContain("response.brand_new.delta")
  })

  test("74: an item keeps the id it was announced under, also in the terminal output", () => {
    const final: JsonObject = { ...callItem(0, "{}"), id: "fc_c" }
    const events = [
      { type: "response.output_item.added", output_index: 0, item: { ...callItem(0, ""), id: "fc_a" } },
      { ...callDelta(0, "{}"), item_id: "fc_b" },
      { type: "response.output_item.done", output_index: 0, item: final },
      completed([{ ...final, id: "fc_d" }]),
    ]
    for (const codexClient of [true, false]) {
      const text = JSON.stringify(relayed([created, ...events], { codexClient }))
      expect(text.match(/"fc_[a-d]"/g)).toEqual(['"fc_a"', '"fc_a"', '"fc_a"', '"fc_a"'])
    }
  })

  test("74: changing ids are noticed wherever the network cuts, also behind an item that was never announced", () => {
    const rotate = (event: JsonObject, at: number): JsonObject => ({ ...event, item_id: `other_${at}` })
    const deltas = [callDelta(1, "{"), callDelta(0, "{"), callDelta(1, "}"), callDelta(0, "}")].map(rotate)
    const bytes = bytesOf([created, callAdded(0), ...deltas, callDone(1, "{}"), callDone(0, "{}"), completed()])
    const whole = serveResponses(bytes, makeContext())
    for (let at = 1; at < bytes.length; at++) expect(serveResponses(bytes, makeContext(), [at])).toEqual(whole)
    expect(whole.stream.match(/"item_id":"fc_0"/g)).toHaveLength(2)
  })

  test("74: an item announced without an id has one and the same from then on", () => {
    const { id: _, ...bare } = callItem(0, "{}")
    const { item_id: __, ...delta } = callDelta(0, "{}")
    const [, added, streamed, done] = relayed([
      created,
      { type: "response.output_item.added", output_index: 0, item: { ...bare, arguments: "" } },
      delta,
      { type: "response.output_item.done", output_index: 0, item: bare },
      completed(),
    ])
    const id = objectAt(added ?? {}, "item")?.["id"]
    expect(id).toMatch(/^item_/)
    expect([streamed?.["item_id"], objectAt(done ?? {}, "item")?.["id"]]).toEqual([id as string, id as string])
  })

  test("74: item ids that change from event to event change nothing", () => {
    const rotate = (event: JsonObject, at: number): JsonObject => ({ ...event, item_id: `other_${at}` })
    const deltas = [callDelta(0, '{"a"'), callDelta(1, '{"b"'), callDelta(0, ":1}"), callDelta(1, ":2}")].map(rotate)
    expect(callsOf([created, callAdded(0), callAdded(1), ...deltas, completed()])).toEqual([
      [0, "tool_0", '{"a":1}'],
      [1, "tool_1", '{"b":2}'],
    ])
  })
})

test("78: a call in its done event and in the terminal output is delivered once, in both dialects", () => {
  const args = '{"a":1}'
  const events = [created, callAdded(0), callDelta(0, args), callDone(0, args), completed([callItem(0, args)])]
  expect(callsOf(events)).toEqual([[0, "tool_0", args]])
  expect(arrayAt(terminalOf(events), "output")).toHaveLength(1)
})
