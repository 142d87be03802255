import { describe, expect, test } from "bun:test"

import type { JsonObject } from "#core/json.ts"

import { CODEX_HEADERS, decodeResponses, failureOf, userText } from "../request-kit.ts"

describe("what is refused", () => {
  const cases: readonly (readonly [string, JsonObject, string, string])[] = [
    ["a missing input", {}, "input", "missing_required_parameter"],
    ["a null input", { input: null }, "input", "missing_required_parameter"],
    ["an input of another type", { input: 7 }, "input", "invalid_type"],
    ["an item that is no object", { input: [userText("a"), "b"] }, "input[1]", "invalid_type"],
    ["an item_reference", { input: [{ type: "item_reference", id: "rs_1" }] }, "input", "item_reference_not_found"],
    [
      "a previous response",
      { input: "hi", previous_response_id: "resp_1" },
      "previous_response_id",
      "previous_response_not_found",
    ],
    ["a conversation", { input: "hi", conversation: "conv_1" }, "conversation", "unsupported_parameter"],
    ["a stored prompt", { input: "hi", prompt: { id: "p" } }, "prompt", "unsupported_parameter"],
    ["a background run", { input: "hi", background: true }, "background", "unsupported_parameter"],
    ["a nameless tool", { input: "hi", tools: [{ type: "function" }] }, "tools[0].name", "missing_required_parameter"],
    ["tools that are no array", { input: "hi", tools: {} }, "tools", "invalid_type"],
    [
      "a schema format without schema",
      { input: "hi", text: { format: { type: "json_schema", name: "x" } } },
      "text.format.schema",
      "missing_required_parameter",
    ],
  ]
  for (const [what, json, param, code] of cases) {
    test(`${what} is refused and named`, () => {
      const error = failureOf(() => decodeResponses(json))
      expect([error.kind, error.param, error.code]).toEqual(["invalid-request", param, code])
    })
  }

  test("a message id in place of a response id is pointed out", () => {
    const error = failureOf(() => decodeResponses({ input: "hi", previous_response_id: "msg_1" }))
    expect(error.message).toContain("message id")
  })

  test("stateful members that are switched off pass", () => {
    const json = { input: "hi", background: false, conversation: null, prompt: null, previous_response_id: null }
    expect(() => decodeResponses(json)).not.toThrow()
  })
})

describe("input", () => {
  test("a string becomes one user message, an object a list of one", () => {
    expect(decodeResponses({ input: "hi" }).body).toMatchObject({ json: { input: [userText("hi")] } })
    expect(decodeResponses({ input: { role: "user", content: "hi" } }).body).toMatchObject({
      json: { input: [{ role: "user", content: "hi" }] },
    })
  })

  test("a body that needs no patch is handed on as the very same object", () => {
    const input = [userText("hi")]
    const request = decodeResponses({ input })
    expect(request.body.type === "native" && request.body.json["input"]).toBe(input)
  })
})

describe("what is lifted out of the body", () => {
  test("effort, summary, verbosity, tier, cache key and hint", () => {
    const request = decodeResponses({
      input: "hi",
      reasoning: { effort: "high", generate_summary: "concise" },
      text: { verbosity: "high" },
      service_tier: "auto",
      prompt_cache_key: "k",
      safety_identifier: "s",
    })
    expect(request).toMatchObject({
      effort: "high",
      summary: "concise",
      verbosity: "high",
      serviceTier: "auto",
      cacheKey: "k",
      sessionHint: "s",
    })
  })

  test("only the boolean true streams", () => {
    expect(decodeResponses({ input: "hi" }).stream).toBe(false)
    expect(decodeResponses({ input: "hi", stream: true }).stream).toBe(true)
  })

  test("the reduced lane is seen in the header and in its twin", () => {
    const header = { "x-openai-internal-codex-responses-lite": "true" }
    const twin = { ws_request_header_x_openai_internal_codex_responses_lite: "true" }
    expect(decodeResponses({ input: "hi" }, header).responsesLite).toBe(true)
    expect(decodeResponses({ input: "hi", client_metadata: twin }).responsesLite).toBe(true)
    expect(decodeResponses({ input: "hi" }, CODEX_HEADERS)).not.toHaveProperty("responsesLite")
  })
})
