import { describe, expect, test } from "bun:test"

import type { JsonObject } from "#core/json.ts"
import { encodeDedicatedCompaction, encodeTriggeredCompaction } from "#protocols/openai-responses/compact-request.ts"

import { decodeResponses, failureOf, itemsOf, makePlan, userText } from "../request-kit.ts"

const json: JsonObject = {
  input: [userText("a")],
  instructions: "Be brief.",
  tools: [{ type: "function", name: "f" }],
  parallel_tool_calls: true,
}

describe("the dedicated call", () => {
  test("carries only the keys that call knows", () => {
    const { body } = encodeDedicatedCompaction(decodeResponses(json), makePlan({ effort: "low", promptCacheKey: "k" }))
    expect(Object.keys(body).sort()).toEqual([
      "input",
      "instructions",
      "model",
      "parallel_tool_calls",
      "prompt_cache_key",
      "reasoning",
      "tools",
    ])
  })

  test("leaves empty instructions and the trigger out", () => {
    const request = decodeResponses({ input: [userText("a"), { type: "compaction_trigger" }] })
    const { body } = encodeDedicatedCompaction(request, makePlan())
    expect(body).not.toHaveProperty("instructions")
    expect(itemsOf(body)).toEqual([userText("a")])
  })
})

describe("the ordinary call", () => {
  test("ends in exactly one trigger, whether or not the client sent one", () => {
    for (const extra of [[], [{ type: "compaction_trigger", id: "x" }]]) {
      const request = decodeResponses({ ...json, input: [...extra, userText("a"), ...extra] })
      const { body } = encodeTriggeredCompaction(request, makePlan())
      expect(body).toMatchObject({ stream: true, store: false })
      expect(itemsOf(body)).toEqual([userText("a"), { type: "compaction_trigger" }])
    }
  })
})

test("a client that wants a stream is refused in both forms", () => {
  const request = decodeResponses({ ...json, stream: true })
  for (const encode of [encodeDedicatedCompaction, encodeTriggeredCompaction]) {
    expect(failureOf(() => encode(request, makePlan()))).toMatchObject({ kind: "invalid-request", param: "stream" })
  }
})
