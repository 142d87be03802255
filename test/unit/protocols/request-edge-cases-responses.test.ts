import { describe, expect, test } from "bun:test"

import {
  assistantText,
  CODEX_KEYS,
  chatToUpstream,
  failureOf,
  inputOfItems,
  responsesToUpstream,
  userText,
} from "./request-kit.ts"

const ask = { role: "user", content: "hi" }

describe("Responses clients", () => {
  test("58: max_output_tokens and max_tool_calls are removed", () => {
    const body = responsesToUpstream({ input: "hi", max_output_tokens: 9, max_tool_calls: 1, truncation: "auto" })
    expect(Object.keys(body).every(key => CODEX_KEYS.has(key))).toBe(true)
  })

  test("59: reasoning with an id and nothing encrypted is dropped", () => {
    expect(inputOfItems([userText("a"), { type: "reasoning", id: "rs_1", summary: [] }])).toEqual([userText("a")])
  })

  test("60: reasoning loses its content and keeps the rest", () => {
    const item = { type: "reasoning", summary: [{ type: "summary_text", text: "s" }], encrypted_content: "x" }
    expect(inputOfItems([{ ...item, content: [{ type: "reasoning_text", text: "t" }] }])).toEqual([item])
  })

  test("61: what another account encrypted can be left out for a second try", () => {
    const items = [userText("a"), { type: "reasoning", summary: [], encrypted_content: "x" }, assistantText("b")]
    expect(inputOfItems(items, { stripEncrypted: true })).toEqual([userText("a"), assistantText("b")])
  })

  test("62: foreign and overlong item ids are removed", () => {
    const items = [
      { ...userText("a"), id: "x".repeat(80) },
      { ...assistantText("b"), id: "gen-1" },
    ]
    expect(inputOfItems(items)).toEqual([userText("a"), assistantText("b")])
  })

  test("63: an unknown previous response is a 400, which clients do not retry", () => {
    const error = failureOf(() => responsesToUpstream({ input: "hi", store: true, previous_response_id: "resp_1" }))
    expect([error.status, error.code]).toEqual([400, "previous_response_not_found"])
  })

  test("69: the compaction trigger stands last, once, without id", () => {
    const trigger = { type: "compaction_trigger", id: "t1" }
    expect(inputOfItems([trigger, userText("a"), trigger, userText("b")])).toEqual([
      userText("a"),
      userText("b"),
      { type: "compaction_trigger" },
    ])
  })

  test("73: web_search_preview is normalised and its unknown keys are removed", () => {
    const tools = [{ type: "web_search_preview_2025_03_11", search_context_size: "low", vendor: true }]
    const body = responsesToUpstream({ input: "hi", tools, tool_choice: { type: "web_search_preview" } })
    expect(body["tools"]).toEqual([{ type: "web_search", search_context_size: "low" }])
    expect(body["tool_choice"]).toEqual({ type: "web_search" })
  })
})

describe("79: null means absent", () => {
  const optional = [
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "response_format",
    "reasoning",
    "reasoning_effort",
    "text",
    "include",
  ]
  const others = [
    "stream",
    "stream_options",
    "n",
    "modalities",
    "functions",
    "function_call",
    "web_search_options",
    "verbosity",
    "user",
    "instructions",
  ]
  const nulls = Object.fromEntries([...optional, ...others].map(key => [key, null]))

  test("in chat bodies, at the top and inside messages", () => {
    const message = { role: "user", content: "hi", name: null }
    const answer = {
      role: "assistant",
      content: "b",
      tool_calls: null,
      function_call: null,
      refusal: null,
      audio: null,
    }
    expect(chatToUpstream({ ...nulls, messages: [message, answer, message] })).toEqual(
      chatToUpstream({ messages: [ask, { role: "assistant", content: "b" }, ask] }),
    )
  })

  test("in Responses bodies", () => {
    expect(responsesToUpstream({ ...nulls, input: "hi" })).toEqual(responsesToUpstream({ input: "hi" }))
  })
})
