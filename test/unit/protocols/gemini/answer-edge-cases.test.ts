/** The dialect's numbered edge cases and invariants on the way down; the matrix holds the rest. */

import { describe, expect, test } from "bun:test"

import { GatewayError } from "#core/errors.ts"
import type { StreamEvent } from "#core/events.ts"
import type { RequestId } from "#core/ids.ts"
import { jsonTextOf } from "#core/json.ts"
import { encodeGeminiError, geminiErrorText } from "#protocols/gemini/encode-error.ts"
import { makeGeminiEncoder } from "#protocols/gemini/encode-stream.ts"
import { readModelAddress } from "#protocols/gemini/model-address.ts"

import { brokenGeminiInvariants, foldGeminiStream } from "../../../support/gemini-invariants.ts"
import { makeContext } from "../../../support/scenarios.ts"
import { answered, FINISH, says } from "./gemini-kit.ts"

const shown = (chunks: readonly unknown[]) =>
  chunks
    .map(chunk => JSON.stringify(chunk))
    .flatMap(source => [...source.matchAll(/"text":("(?:[^"\\]|\\.)*")/g)].map(match => JSON.parse(match[1] ?? '""')))

const calls = (args: string, name = "f"): readonly StreamEvent[] => [
  { type: "tool-start", block: 0, callId: "c1", name, kind: "function" },
  { type: "tool-delta", block: 0, text: jsonTextOf(args) },
  { type: "tool-end", block: 0 },
]

describe("addresses", () => {
  test("24: the method stands behind the last colon, a collection before the name is taken off", () => {
    expect(readModelAddress("x:latest:generateContent")).toEqual({ model: "x:latest", method: "generateContent" })
    expect(readModelAddress("models%2Fa%2Fb:countTokens")).toEqual({ model: "a/b", method: "countTokens" })
  })
  test.each(["m:embedContent", "gemini-2.5-flash-preview-tts:generateContent"])("%s is not implemented", path => {
    expect(() => readModelAddress(path)).toThrow(expect.objectContaining({ code: "unimplemented" }))
  })
  test.each(["m", "m:", "m:other", ":generateContent"])("%s is not found", path => {
    expect(() => readModelAddress(path)).toThrow(expect.objectContaining({ kind: "not-found", code: "unknown_url" }))
  })
})

describe("calls", () => {
  test("17: the client sees its own names", () => {
    const { chunks } = answered([...calls("{}", "a_b"), FINISH], {}, new Map([["a_b", "a.b"]]))
    expect(JSON.stringify(chunks[0])).toContain('"name":"a.b"')
  })
  test.each(['{"a"', "[1]", '"x"'])("30: arguments %j end with MALFORMED_FUNCTION_CALL and no call", args => {
    const { chunks, sent } = answered([...calls(args), FINISH])
    expect(sent).not.toContain("functionCall")
    expect(chunks.at(-1)).toMatchObject({ candidates: [{ finishReason: "MALFORMED_FUNCTION_CALL" }] })
  })
  test("30: empty arguments are an empty object; numbers are not rewritten, line breaks do not break the frame", () => {
    expect(answered([...calls(""), FINISH]).sent).toContain('"args":{}')
    const { sent } = answered([...calls('{\n"n": 12345678901234567890}'), FINISH])
    expect(sent).toContain("12345678901234567890")
    expect(brokenGeminiInvariants(sent)).toEqual([])
  })
})

describe("text", () => {
  test.each([
    [["one ST", "OP two"], "one "],
    [["one S", "T", "x"], "one STx"],
    [["one ", "ST"], "one ST"],
    [["😀ST", "OP"], "😀"],
  ])("54: %j is cut to %j at a stop sequence, streamed and folded", (deltas, expected) => {
    const { sent, chunks, folded } = answered([...says(...deltas), FINISH], { stopSequences: ["STOP"] })
    expect(shown(chunks).join("")).toBe(expected)
    expect(brokenGeminiInvariants(sent)).toEqual([])
    expect(foldGeminiStream(sent)).toEqual(folded())
    expect(folded()).toMatchObject({ candidates: [{ finishReason: "STOP" }] })
  })
  test("20: a wrapped answer is taken out of its wrapping", () => {
    const events = [...says('{"value":', "[1,2]}"), FINISH]
    expect(shown(answered(events, { unwrap: "json" }).chunks).join("")).toBe("[1,2]")
    const word = [...says('{"value":"red"}'), FINISH]
    expect(shown(answered(word, { unwrap: "text" }).chunks).join("")).toBe("red")
    expect(shown(answered([...says('{"val'), FINISH], { unwrap: "json" }).chunks).join("")).toBe('{"val')
  })
  test("G8: thoughts are sent only to those who ask, and the signature to all", () => {
    const item = { family: "openai-responses", json: '{"type":"reasoning","encrypted_content":"gAAA"}' } as const
    const events: readonly StreamEvent[] = [
      { type: "reasoning-start", block: 0 },
      { type: "reasoning-delta", block: 0, text: jsonTextOf("**Plan**") },
      { type: "reasoning-end", block: 0, seal: item },
      { type: "text-start", block: 1 },
      { type: "text-delta", block: 1, text: jsonTextOf("done") },
      { type: "text-end", block: 1 },
      FINISH,
    ]
    expect(answered(events).sent).not.toContain("Plan")
    expect(answered(events).sent).toContain("thoughtSignature")
    expect(answered(events, { thinking: "shown" }).chunks[0]).toMatchObject({
      candidates: [{ content: { parts: [{ text: "**Plan**", thought: true }] } }],
    })
  })
  test("39: offsets of citations count bytes", () => {
    const citation = { url: "https://a.test/", title: "A", startIndex: 2, endIndex: 4 }
    const [start, delta, end] = says("日本ok!")
    const events = [start, delta, { type: "citation", block: 0, citation }, end, FINISH] as readonly StreamEvent[]
    expect(answered(events).chunks.at(-1)).toMatchObject({
      candidates: [
        { groundingMetadata: { groundingSupports: [{ segment: { startIndex: 6, endIndex: 8, text: "ok" } }] } },
      ],
    })
  })
  test.each([
    ["length", "MAX_TOKENS"],
    ["content-filter", "SAFETY"],
    ["unstated", "OTHER"],
  ] as const)("32: an answer cut by %s ends with %s", (reason, finishReason) => {
    const { chunks } = answered([...says("half"), { type: "finish", reason }])
    expect(chunks.at(-1)).toMatchObject({ candidates: [{ finishReason }] })
  })
  test("a prompt that was not let through is said to be blocked, in a turn that chats keep", () => {
    const blocked = answered([{ type: "finish", reason: "content-filter" }])
    expect(blocked.chunks).toMatchObject([
      { promptFeedback: { blockReason: "SAFETY" }, candidates: [{ finishReason: "SAFETY" }] },
    ])
    expect(brokenGeminiInvariants(blocked.sent)).toEqual([])
    expect(foldGeminiStream(blocked.sent)).toEqual(blocked.folded())
    expect(answered([...says("half"), { type: "finish", reason: "content-filter" }]).sent).not.toContain(
      "promptFeedback",
    )
    expect(answered([FINISH]).sent).not.toContain("promptFeedback")
  })
  test("33, G10: thoughts are no candidates' tokens", () => {
    const usage = { inputTokens: 90, inputCachedTokens: 0, outputTokens: 50, reasoningTokens: 30 }
    const { chunks } = answered([...says("x"), { type: "usage", usage }, FINISH])
    expect(chunks.at(-1)?.["usageMetadata"]).toEqual({
      promptTokenCount: 90,
      candidatesTokenCount: 20,
      thoughtsTokenCount: 30,
      totalTokenCount: 140,
    })
  })
})

describe("silence and failure", () => {
  test("26, 55: what keeps a stream alive is a chunk with an empty text, or a line break in an array", () => {
    const beat = makeGeminiEncoder(makeContext()).keepAlive()
    expect(beat).toMatch(/^data: \{.*"parts":\[\{"text":""\}\].*\}\n\n$/)
    expect(makeGeminiEncoder(makeContext({ asArray: true })).keepAlive()).toBe("\n")
  })
  test("35, G4: an error comes as a frame and bare, with a number as code", () => {
    const error = new GatewayError("timeout", "Too slow.")
    const { sent } = answered([...says("half"), { type: "error", error }])
    expect(sent.endsWith(`data: ${geminiErrorText(error)}\n\n${geminiErrorText(error)}\n\n`)).toBe(true)
    expect(brokenGeminiInvariants(sent)).toEqual([])
  })
  test("36: an array that failed is an array still", () => {
    const encoder = makeGeminiEncoder(makeContext({ asArray: true }))
    const sent = encoder.encode({ type: "error", error: new GatewayError("timeout", "Too slow.") })
    expect(JSON.parse(sent)).toMatchObject([{ error: { code: 504, status: "DEADLINE_EXCEEDED" } }])
  })
  test.each([
    ["invalid-request", 400, "INVALID_ARGUMENT"],
    ["context-too-long", 400, "INVALID_ARGUMENT"],
    ["request-too-large", 400, "INVALID_ARGUMENT"],
    ["unauthorized", 401, "UNAUTHENTICATED"],
    ["model-not-found", 404, "NOT_FOUND"],
    ["quota-exhausted", 429, "RESOURCE_EXHAUSTED"],
    ["credential-rejected", 503, "UNAVAILABLE"],
    ["upstream-protocol", 503, "UNAVAILABLE"],
  ] as const)("42, J1: %s is answered with %d %s", (kind, status, word) => {
    const reply = encodeGeminiError(new GatewayError(kind, "No."), "req_1" as RequestId)
    expect(reply.status).toBe(status)
    expect(JSON.parse(reply.body)).toMatchObject({ error: { code: status, status: word, message: "No." } })
  })
  test("41: a known wait stands in RetryInfo and in the header", () => {
    const error = new GatewayError("quota-exhausted", "Spent.", { retryAfterMs: 34_400 })
    const reply = encodeGeminiError(error, "req_1" as RequestId)
    expect(reply.headers["retry-after"]).toBe("35")
    expect(JSON.parse(reply.body).error.details).toEqual([
      { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "34.4s" },
      {
        "@type": "type.googleapis.com/google.rpc.QuotaFailure",
        violations: [
          { subject: "accounts", description: "Spent.", quotaId: expect.not.stringMatching(/Per(Day|Minute)/) },
        ],
      },
    ])
    const passing = encodeGeminiError(
      new GatewayError("rate-limited", "Wait.", { retryAfterMs: 1000 }),
      "req_1" as RequestId,
    )
    expect(passing.body).not.toContain("QuotaFailure")
  })
})
