/** One socket's speech: frames written, frames read, and when a turn may build on the last one. */

import { describe, expect, test } from "bun:test"

import type { JsonObject } from "#core/json.ts"
import type { SocketSpeaker } from "#core/socket.ts"
import { frameTypeOf, sseOfFrame } from "#protocols/openai-responses/socket/frame-text.ts"
import { itemPieces } from "#protocols/openai-responses/socket/item-pieces.ts"
import { makeResponsesSpeaker } from "#protocols/openai-responses/socket/speaker.ts"

function user(text: string): JsonObject {
  return { type: "message", role: "user", content: [{ type: "input_text", text }] }
}

const ANSWER: JsonObject = {
  id: "msg_1",
  type: "message",
  status: "completed",
  role: "assistant",
  phase: "final_answer",
  content: [{ type: "output_text", text: "yes", annotations: [], logprobs: [] }],
}
const REASONING: JsonObject = {
  id: "rs_1",
  type: "reasoning",
  summary: [{ type: "summary_text", text: "hm" }],
  encrypted_content: "gAAAA1",
}
const CALL: JsonObject = {
  id: "fc_1",
  type: "function_call",
  status: "completed",
  call_id: "call_1",
  name: "look",
  arguments: '{"a": 1, "b": [2]}',
}

function ask(speaker: SocketSpeaker, input: readonly JsonObject[], more: JsonObject = {}, metadata = {}): JsonObject {
  const body = { model: "m", instructions: "", input, store: false, stream: true, ...more }
  return JSON.parse(speaker.ask({ body, text: JSON.stringify(body), metadata }))
}

function hear(speaker: SocketSpeaker, event: JsonObject) {
  return speaker.hear(JSON.stringify(event))
}

/** A whole answer with these items. */
function answerWith(speaker: SocketSpeaker, id: string, ...items: readonly JsonObject[]): void {
  hear(speaker, { type: "response.created", response: { id } })
  for (const [index, item] of items.entries()) {
    hear(speaker, { type: "response.output_item.done", output_index: index, item })
  }
  hear(speaker, { type: "response.completed", response: { id, status: "completed", output: [] } })
}

describe("a turn", () => {
  test("is the body with a type in front", () => {
    const speaker = makeResponsesSpeaker()
    expect(ask(speaker, [user("one")])).toEqual({
      type: "response.create",
      model: "m",
      instructions: "",
      input: [user("one")],
      store: false,
      stream: true,
    })
  })

  test("carries what has no header here, beside what the body says itself", () => {
    const frame = ask(makeResponsesSpeaker(), [user("one")], { client_metadata: { own: "1" } }, { twin: "2" })
    expect(frame["client_metadata"]).toEqual({ own: "1", twin: "2" })
  })

  test("builds on the last one when its history is that one's request and answer, however a client has written it", () => {
    const speaker = makeResponsesSpeaker()
    ask(speaker, [user("one")])
    answerWith(speaker, "resp_1", REASONING, ANSWER, CALL)
    const returned = [
      { type: "reasoning", summary: [], encrypted_content: "gAAAA1" },
      { type: "message", role: "assistant", content: [{ type: "output_text", text: "yes" }] },
      { type: "function_call", call_id: "call_1", name: "look", arguments: '{"a":1,"b":[2]}' },
    ]
    const result = { type: "function_call_output", call_id: "call_1", output: "seen" }
    const frame = ask(speaker, [user("one"), ...returned, result], { client_metadata: { turn: "2" } })
    expect(frame).toMatchObject({ previous_response_id: "resp_1", input: [result], client_metadata: { turn: "2" } })
    answerWith(speaker, "resp_2", ANSWER)
    const next = ask(speaker, [user("one"), ...returned, result, ANSWER, user("two")])
    expect(next).toMatchObject({ previous_response_id: "resp_2", input: [user("two")] })
  })

  test.each<[string, readonly JsonObject[], JsonObject]>([
    ["reasoning is left out", [user("one"), ANSWER, user("two")], {}],
    ["the answer was changed", [user("one"), REASONING, { ...ANSWER, content: [] }, user("two")], {}],
    ["the items are in another order", [user("one"), ANSWER, REASONING, user("two")], {}],
    ["nothing is new", [user("one"), REASONING, ANSWER], {}],
    ["the same is asked again", [user("one")], {}],
    ["the model is another one", [user("one"), REASONING, ANSWER, user("two")], { model: "n" }],
    ["the tier is another one", [user("one"), REASONING, ANSWER, user("two")], { service_tier: "priority" }],
  ])("is sent in full when %s", (_, input, more) => {
    const speaker = makeResponsesSpeaker()
    ask(speaker, [user("one")])
    answerWith(speaker, "resp_1", REASONING, ANSWER)
    const frame = ask(speaker, input, more)
    expect(frame).not.toHaveProperty("previous_response_id")
    expect(frame["input"]).toEqual(input)
  })

  test.each<[string, JsonObject]>([
    ["was cut short", { type: "response.incomplete", response: { id: "resp_1", status: "incomplete" } }],
    ["failed", { type: "response.failed", response: { id: "resp_1", error: { code: "server_error", message: "" } } }],
    ["was refused", { type: "error", status: 400, error: { code: "x", message: "no" } }],
  ])("is sent in full after one that %s", (_, end) => {
    const speaker = makeResponsesSpeaker()
    ask(speaker, [user("one")])
    hear(speaker, end)
    expect(ask(speaker, [user("one"), user("two")])).not.toHaveProperty("previous_response_id")
  })

  test("puts the items of an answer in the order of their index, not of their coming", () => {
    const speaker = makeResponsesSpeaker()
    ask(speaker, [user("one")])
    hear(speaker, { type: "response.output_item.done", output_index: 1, item: ANSWER })
    hear(speaker, { type: "response.output_item.done", output_index: 0, item: REASONING })
    hear(speaker, { type: "response.done", response: { id: "resp_1", status: "completed" } })
    expect(ask(speaker, [user("one"), REASONING, ANSWER, user("two")])).toHaveProperty("previous_response_id", "resp_1")
  })
})

describe("a frame", () => {
  test.each<[JsonObject, string]>([
    [{ type: "response.output_text.delta", delta: "x" }, "event"],
    [{ type: "codex.rate_limits", rate_limits: {} }, "aside"],
    [{ type: "codex.response.metadata", headers: {} }, "aside"],
    [{ type: "keepalive" }, "aside"],
    [{ type: "response.completed", response: { id: "r" } }, "end"],
    [{ type: "error", error: { code: "server_error", message: "" } }, "end"],
    [{ type: "error", status: 503, error: { code: "x", message: "" } }, "refusal"],
    [{ nothing: true }, "doubt"],
  ])("%j is taken for %s", (event, type) => {
    const speaker = makeResponsesSpeaker()
    ask(speaker, [user("one")])
    expect(hear(speaker, event).type).toBe(type as never)
  })

  test("says of an end whether the socket may go on", () => {
    const ends = ["response.completed", "response.incomplete", "response.failed", "response.cancelled"] as const
    const well = ends.map(type => {
      const speaker = makeResponsesSpeaker()
      ask(speaker, [user("one")])
      const frame = hear(speaker, { type, response: { id: "r" } })
      return frame.type === "end" && frame.isWell
    })
    expect(well).toEqual([true, true, false, false])
  })

  test.each([
    ["previous_response_not_found", true],
    ["websocket_connection_limit_reached", true],
    ["context_length_exceeded", false],
  ])("that refuses with %s is stale: %p", (code, isStale) => {
    const speaker = makeResponsesSpeaker()
    ask(speaker, [user("one")])
    expect(hear(speaker, { type: "error", status: 400, error: { code, message: "no" } })).toMatchObject({ isStale })
  })

  test("has its headers in lower case, without what no header may hold", () => {
    const headers = {
      "X-Codex-Primary-Used-Percent": 100,
      "x-flag": true,
      "x-line": "a\nb",
      "bad name": "x",
      nested: {},
    }
    const frame = makeResponsesSpeaker().hear(JSON.stringify({ type: "response.metadata", headers }))
    expect(frame).toMatchObject({ headers: { "x-codex-primary-used-percent": "100", "x-flag": "true" } })
    expect(Object.keys(frame.type === "aside" ? frame.headers : {})).toEqual(["x-codex-primary-used-percent", "x-flag"])
  })

  test("becomes the event that HTTP would have sent, on one line however it was written", () => {
    expect(sseOfFrame("a", '{"type":"a"}')).toBe('event: a\ndata: {"type":"a"}\n\n')
    const pretty = JSON.stringify({ type: "a", text: "two\nlines" }, null, 2)
    const sse = sseOfFrame("a", pretty.replaceAll("\n", "\r\n"))
    expect(sse.trimEnd().split("\n")).toHaveLength(2)
    expect(JSON.parse(sse.split("data: ")[1] ?? "")).toEqual({ type: "a", text: "two\nlines" })
  })

  test.each([
    ['{"type":"a.b","x":1}', "a.b"],
    ['{ "x": 1, "type": "late" }', "late"],
    ['{"type":"with \\"quotes\\""}', 'with "quotes"'],
    ['{"type":7}', undefined],
    ['{"type":"cut', undefined],
    ["[]", undefined],
    ["", undefined],
  ])("%s has the type %p", (text, type) => {
    expect(frameTypeOf(text)).toBe(type as never)
  })
})

test("items that say different things have different pieces", () => {
  const items: readonly JsonObject[] = [
    user("a"),
    user("b"),
    { ...user("a"), role: "developer" },
    ANSWER,
    CALL,
    { ...CALL, name: "other" },
    { ...CALL, namespace: "n" },
    { ...CALL, arguments: '{"a":2}' },
    { ...CALL, arguments: '{"a' },
    { ...REASONING, encrypted_content: "gAAAA2" },
    REASONING,
    { type: "custom_tool_call", call_id: "call_1", name: "look", input: "x" },
    { type: "function_call_output", call_id: "call_1", output: "x" },
    { type: "compaction", encrypted_content: "gAAAA1" },
    { type: "message", role: "user", content: [{ type: "input_image", image_url: "data:a" }] },
    { type: "message", role: "user", content: [{ type: "input_image", image_url: "data:b" }] },
  ]
  expect(new Set(items.map(item => JSON.stringify(itemPieces(item)))).size).toBe(items.length)
})
