/** The dialect's numbered edge cases and invariants on the way down; the matrix holds the rest. */

import { describe, expect, test } from "bun:test"

import { GatewayError } from "#core/errors.ts"
import type { StreamEvent } from "#core/events.ts"
import type { RequestId } from "#core/ids.ts"
import { type JsonObject, jsonTextOf, objectAt } from "#core/json.ts"
import { encodeOllamaError, ollamaErrorText } from "#protocols/ollama/encode-error.ts"
import { makeOllamaEncoder } from "#protocols/ollama/encode-stream.ts"
import { unimplemented } from "#protocols/unimplemented.ts"

import { brokenOllamaInvariants, foldOllamaStream } from "../../../support/ollama-invariants.ts"
import { makeContext } from "../../../support/scenarios.ts"
import { answered, calls, FINISH, says, thinks } from "./ollama-kit.ts"

const MODEL = makeContext().model

const shown = (lines: readonly JsonObject[], name = "content") =>
  lines.map(line => objectAt(line, "message")?.[name] ?? "").join("")

describe("calls", () => {
  test("17: the client sees its own names", () => {
    const { sent } = answered([...calls("{}", "a_b"), FINISH], { toolNames: { a_b: "a.b" } })
    expect(sent).toContain('"name":"a.b"')
  })
  test("28, O5: parallel calls come together, numbered, behind all text", () => {
    const events = [...calls('{"a":1}', "f", 0), ...calls("{}", "g", 1), FINISH]
    const { lines, folded } = answered(events)
    expect(lines).toHaveLength(2)
    expect(lines[0]).toMatchObject({
      done: false,
      message: {
        content: "",
        tool_calls: [
          { id: "c0", function: { index: 0, name: "f", arguments: { a: 1 } } },
          { id: "c1", function: { index: 1, name: "g", arguments: {} } },
        ],
      },
    })
    expect(folded()).toMatchObject({ message: { tool_calls: [{}, {}] }, done_reason: "stop" })
  })
  test.each(['{"a"', "[1]", '"x"'])("30: arguments %j are an error and no call", args => {
    const events = [...calls(args), FINISH]
    expect(() => answered(events)).toThrow(expect.objectContaining({ kind: "upstream-protocol" }))
  })
  test("30: empty arguments are an empty object; numbers are not rewritten, line breaks do not break the line", () => {
    expect(answered([...calls(""), FINISH]).sent).toContain('"arguments":{}')
    const { sent } = answered([...calls('{\n"n": 12345678901234567890}'), FINISH])
    expect(sent).toContain("12345678901234567890")
    expect(brokenOllamaInvariants(sent, MODEL)).toEqual([])
  })
  test("a call that was cut is left out, and the reason is the length", () => {
    const [start, delta] = calls('{"a":"', "f")
    const events = [start, delta, { type: "tool-end", block: 0, cut: true }, { type: "finish", reason: "length" }]
    const { lines } = answered(events as readonly StreamEvent[])
    expect(lines).toMatchObject([{ done: true, done_reason: "length" }])
  })
})

describe("text", () => {
  test.each([
    [["one ST", "OP two"], "one "],
    [["one S", "T", "x"], "one STx"],
    [["😀ST", "OP"], "😀"],
  ])("54: %j is cut to %j at a stop sequence, streamed and folded", (deltas, expected) => {
    const { sent, lines, folded } = answered([...says(...deltas), FINISH], { reply: { stopSequences: ["STOP"] } })
    expect(shown(lines)).toBe(expected)
    expect(brokenOllamaInvariants(sent, MODEL)).toEqual([])
    expect(foldOllamaStream(sent)).toEqual(folded())
    expect(folded()).toMatchObject({ done_reason: "stop" })
  })
  test("20: a wrapped answer is taken out of its wrapping", () => {
    const { lines } = answered([...says('{"value":', "[1,2]}"), FINISH], { reply: { unwrap: "json" } })
    expect(shown(lines)).toBe("[1,2]")
  })
  test("O7: thinking is sent only to those who want it; thoughts are set apart by a blank line", () => {
    const events = [...thinks(0, "one"), ...thinks(1, "", "two"), ...says("done").map(onBlock2), FINISH]
    const { lines, folded, sent } = answered(events)
    expect(shown(lines, "thinking")).toBe("one\n\ntwo")
    expect(folded()).toMatchObject({ message: { content: "done", thinking: "one\n\ntwo" } })
    expect(foldOllamaStream(sent)).toEqual(folded())
    const quiet = answered(events.slice(), { reply: { thinking: "sealed" } })
    expect(quiet.sent).not.toContain("thinking")
  })
  test("O1, O6: a text of any length is spread over lines that every client can read, and is whole again", () => {
    const long = "日本語😀\u0001".repeat(20_000)
    const { sent, lines, folded } = answered([...says(long), FINISH])
    expect(brokenOllamaInvariants(sent, MODEL)).toEqual([])
    expect(shown(lines)).toBe(long)
    expect(folded()).toMatchObject({ message: { content: long } })
  })
  test("calls of any number are spread over lines as well, and keep their numbers", () => {
    const many = Array.from({ length: 40 }, (_, block) => calls(JSON.stringify({ a: "x".repeat(4000) }), "f", block))
    const { sent } = answered([...many.flat(), FINISH])
    expect(brokenOllamaInvariants(sent, MODEL)).toEqual([])
    expect(foldOllamaStream(sent)["message"]).toMatchObject({ tool_calls: { length: 40 } })
  })
  test("38: an image is Markdown with its own type", () => {
    const { lines } = answered([{ type: "image", block: 0, base64: jsonTextOf("AAAA"), format: "webp" }, FINISH])
    expect(shown(lines)).toContain("![](data:image/webp;base64,AAAA)")
  })
  test("55: an answer without a word is an empty one that is done", () => {
    expect(answered([...thinks(0, "hm"), FINISH]).folded()).toMatchObject({
      message: { content: "", thinking: "hm" },
      done: true,
      done_reason: "stop",
    })
  })
})

const onBlock2 = (event: StreamEvent): StreamEvent => ("block" in event ? { ...event, block: 2 } : event)

describe("the last line", () => {
  test.each([
    ["length", "length"],
    ["unstated", "length"],
    ["content-filter", "stop"],
    ["tool-calls", "stop"],
  ] as const)("32: an answer that ended by %s is done by %s", (reason, expected) => {
    const { lines } = answered([...says("half"), { type: "finish", reason }])
    expect(lines.at(-1)).toMatchObject({ done: true, done_reason: expected })
  })
  test("O4: times are whole nanoseconds from the request on; the speed can be reckoned with", () => {
    let nowMs = 1_000
    const clock = () => {
      nowMs += 100
      return nowMs
    }
    const usage = { inputTokens: 90, inputCachedTokens: 40, outputTokens: 50, reasoningTokens: 30 }
    const last = answered([...says("x"), { type: "usage", usage }, FINISH], { clock }).lines.at(-1) ?? {}
    expect(last).toMatchObject({ load_duration: 0, prompt_eval_count: 90, eval_count: 50 })
    const [total, prompt, rest] = ["total_duration", "prompt_eval_duration", "eval_duration"].map(name =>
      Number(last[name]),
    )
    expect(prompt).toBe(100_000_000)
    expect(total).toBe((prompt ?? 0) + (rest ?? 0))
    expect(answered([FINISH]).lines.at(-1)?.["eval_duration"]).toBe(1)
  })
  test("O3: time does not go back, even where the clock does", () => {
    const times = [5_000, 5_000, 4_000, 3_000, 6_000, 2_000]
    const clock = () => times.shift() ?? 1_000
    const { sent } = answered([...says("a", "b", "c"), FINISH], { clock })
    expect(brokenOllamaInvariants(sent, MODEL)).toEqual([])
  })
  test.each(["load", "unload"] as const)("52: a request to %s is answered with one line without counts", loads => {
    const usage = { inputTokens: 9, inputCachedTokens: 0, outputTokens: 0, reasoningTokens: 0 }
    const events: readonly StreamEvent[] = [
      { type: "usage", usage },
      { type: "finish", reason: "length" },
    ]
    for (const asCompletion of [true, false]) {
      const { lines, folded } = answered(events, { reply: { wantsNothing: true, loads, asCompletion } })
      expect(lines).toHaveLength(1)
      expect(lines[0]).toEqual(folded())
      expect(Object.keys(folded())).toEqual([
        "model",
        "created_at",
        asCompletion ? "response" : "message",
        "done",
        "done_reason",
      ])
      expect(folded()["done_reason"]).toBe(loads)
    }
  })
})

describe("silence and failure", () => {
  test("53, 55: what keeps a stream alive is an object with an empty text", () => {
    const beat = JSON.parse(makeOllamaEncoder(makeContext()).keepAlive())
    expect(beat).toMatchObject({ model: MODEL, message: { role: "assistant", content: "" }, done: false })
    expect(makeOllamaEncoder(makeContext({ asCompletion: true })).keepAlive()).toMatch(/"response":"".*\}\n$/)
  })
  test("53, O2: a failure is one text in the last line, and nothing is done", () => {
    const error = new GatewayError("timeout", "Too\nslow.")
    const { sent } = answered([...says("half"), { type: "error", error }, FINISH])
    expect(sent.endsWith('{"error":"Too slow."}\n')).toBe(true)
    expect(brokenOllamaInvariants(sent, MODEL)).toEqual([])
    expect(sent).not.toContain('"done":true')
  })
  test.each([
    ["invalid-request", 400],
    ["context-too-long", 400],
    ["model-not-found", 404],
    ["method-not-allowed", 405],
    ["rate-limited", 429],
    ["quota-exhausted", 429],
    ["credential-rejected", 401],
    ["no-account", 503],
    ["upstream-overloaded", 503],
    ["upstream-unavailable", 502],
    ["upstream-protocol", 502],
    ["timeout", 504],
  ] as const)("41, 42: %s is answered with %d and a text", (kind, status) => {
    const reply = encodeOllamaError(new GatewayError(kind, "No."), "req_1" as RequestId)
    expect(reply.status).toBe(status)
    expect(JSON.parse(reply.body)).toEqual({ error: expect.stringContaining("No.") })
  })
  test("42: a login that was refused is called the gateway's own", () => {
    expect(ollamaErrorText(new GatewayError("credential-rejected", "No."))).toContain("gateway's own login")
  })
  test("41: a known wait stands in the header, the size of a too long input in the text", () => {
    const error = new GatewayError("quota-exhausted", "Spent.", { retryAfterMs: 34_400 })
    expect(encodeOllamaError(error, "req_1" as RequestId).headers["retry-after"]).toBe("35")
    const window = { inputTokens: 300, limitTokens: 200 }
    expect(ollamaErrorText(new GatewayError("context-too-long", "No.", { window }))).toContain("300 tokens")
  })
  test("what is not served is 501", () => {
    expect(encodeOllamaError(unimplemented("No."), "req_1" as RequestId).status).toBe(501)
  })
})
