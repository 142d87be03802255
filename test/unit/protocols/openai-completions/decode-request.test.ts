/** What a legacy completions body becomes, and what is refused in it. */

import { describe, expect, test } from "bun:test"

import type { JsonObject } from "#core/json.ts"

import { decodeCompletions, failureOf } from "../request-kit.ts"

const decode = (body: JsonObject) => decodeCompletions({ model: "gpt-5.5", ...body })

describe("a prompt", () => {
  test.each(["Once upon", ["Once upon"]])("%p becomes one user message", prompt => {
    expect(decode({ prompt, stream: true })).toMatchObject({
      model: "gpt-5.5",
      stream: true,
      body: { type: "neutral", tools: [], input: [{ role: "user", parts: [{ type: "text", text: "Once upon" }] }] },
    })
  })
})

describe("refused with the parameter at fault", () => {
  test.each([
    [{}, "prompt"],
    [{ prompt: 3 }, "prompt"],
    [{ prompt: [] }, "prompt"],
    [{ prompt: ["one", "two"] }, "prompt"],
    [{ prompt: [1, 2, 3] }, "prompt"],
    [{ prompt: [[1, 2, 3]] }, "prompt"],
    [{ prompt: "x", n: 2 }, "n"],
    [{ prompt: "x", best_of: 3 }, "best_of"],
    [{ prompt: "x", logprobs: 5 }, "logprobs"],
    [{ prompt: "x", echo: true }, "echo"],
    [{ prompt: "x", suffix: "end" }, "suffix"],
  ] as const)("%j", (body, param) => {
    expect(failureOf(() => decode(body))).toMatchObject({ kind: "invalid-request", param })
  })

  test("what clients send by habit is no reason", () => {
    const habits = {
      n: 1,
      best_of: 1,
      logprobs: null,
      echo: false,
      suffix: "",
      temperature: 0.2,
      max_tokens: 64,
      stop: ["\n"],
    }
    expect(decode({ prompt: "x", ...habits })).toMatchObject({ stream: false })
  })
})
