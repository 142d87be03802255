import { describe, expect, test } from "bun:test"

import type { JsonObject } from "#core/json.ts"
import { pairCalls } from "#protocols/openai-responses/encode/pair-calls.ts"

import { assistantText, functionCall, functionOutput, userText } from "../../request-kit.ts"

/** `call c1`, `out c1`, `user`, `assistant`, …: the shape of a paired history. */
function shape(items: readonly JsonObject[]): readonly string[] {
  return pairCalls(items).map(item => {
    const id = item["call_id"]
    if (typeof id !== "string") return String(item["role"] ?? item["type"])
    return `${String(item["type"]).endsWith("_output") ? "out" : "call"} ${id}`
  })
}

describe("well-formed histories", () => {
  test("are returned item by item as they are", () => {
    const history = [
      userText("a"),
      { type: "reasoning", summary: [], encrypted_content: "x" },
      functionCall("c1"),
      functionCall("c2"),
      functionOutput("c2"),
      functionOutput("c1"),
      { type: "reasoning", summary: [], encrypted_content: "y" },
      functionCall("c1"),
      functionOutput("c1"),
      assistantText("b"),
    ]
    expect(pairCalls(history)).toEqual(history)
    expect(pairCalls(history).every((item, index) => item === history[index])).toBe(true)
  })

  test("text between a call and its result, from the same answer, separates nothing", () => {
    expect(shape([functionCall("c1"), assistantText("wait"), functionOutput("c1")])).toEqual([
      "call c1",
      "assistant",
      "out c1",
    ])
  })

  test("local shell calls take function results and client tool searches keep their own", () => {
    const history = [
      functionCall("c1"),
      { type: "local_shell_call", call_id: "c2", status: "completed", action: {} },
      { type: "tool_search_call", call_id: "c3", arguments: {} },
      { type: "tool_search_output", call_id: "c3", tools: [] },
      functionOutput("c2"),
      functionOutput("c1"),
    ]
    expect(pairCalls(history)).toEqual(history)
  })
})

describe("broken histories", () => {
  test("a result without id goes to the oldest open call", () => {
    expect(shape([functionCall("c1"), functionCall("c2"), functionOutput(""), functionOutput("")])).toEqual([
      "call c1",
      "call c2",
      "out c1",
      "out c2",
    ])
  })

  test("a result without id does not take the call that another result names", () => {
    const history = [
      functionCall("c1"),
      functionCall("c2"),
      functionOutput("", "second"),
      functionOutput("c1", "first"),
    ]
    const outputs = pairCalls(history).slice(2)
    expect(outputs.map(item => [item["call_id"], item["output"]])).toEqual([
      ["c2", "second"],
      ["c1", "first"],
    ])
  })

  test("a result without id and without an open call disappears", () => {
    expect(shape([userText("a"), functionOutput("")])).toEqual(["user"])
  })

  test("a result whose call is gone is quoted as user text, parts included", () => {
    const image = { type: "input_image", image_url: "data:image/png;base64,AAAA" }
    const [quoted] = pairCalls([functionOutput("gone", [image])])
    expect(quoted).toMatchObject({ type: "message", role: "user" })
    expect(JSON.stringify(quoted)).toContain("gone")
    expect(quoted).toHaveProperty(["content", 1], image)
  })

  test("a second result for one call is dropped", () => {
    expect(shape([functionCall("c1"), functionOutput("c1"), functionOutput("c1")])).toEqual(["call c1", "out c1"])
  })

  test("a call nobody answered gets a stand-in right behind its batch", () => {
    expect(shape([functionCall("c1"), functionCall("c2"), functionOutput("c2"), userText("go on")])).toEqual([
      "call c1",
      "call c2",
      "out c2",
      "out c1",
      "user",
    ])
    expect(shape([functionCall("c1"), userText("stop"), assistantText("ok")])).toEqual([
      "call c1",
      "out c1",
      "user",
      "assistant",
    ])
  })

  test("calls at the very end get a stand-in too", () => {
    expect(shape([userText("a"), functionCall("c1")])).toEqual(["user", "call c1", "out c1"])
  })

  test("results behind a user message move to their batch", () => {
    expect(shape([functionCall("c1"), userText("hurry"), functionOutput("c1")])).toEqual(["call c1", "out c1", "user"])
  })

  test("a result behind the next assistant message belongs to no open call", () => {
    expect(shape([functionCall("c1"), userText("x"), assistantText("y"), functionOutput("c1")])).toEqual([
      "call c1",
      "out c1",
      "user",
      "assistant",
      "user",
    ])
  })

  test("two calls with one id are told apart and answered in order", () => {
    const history = [functionCall("c"), functionCall("c"), functionOutput("c", "1"), functionOutput("c", "2")]
    const paired = pairCalls(history)
    expect(paired[0]?.["call_id"]).toBe("c")
    expect(paired[1]?.["call_id"]).not.toBe("c")
    expect(paired[2]).toMatchObject({ call_id: "c", output: "1" })
    expect(paired[3]).toMatchObject({ call_id: paired[1]?.["call_id"] as string, output: "2" })
  })

  test("one id in every round is fine", () => {
    const round = [functionCall("call_0"), functionOutput("call_0")]
    expect(pairCalls([...round, ...round])).toEqual([...round, ...round])
  })

  test("calls without ids get ids that depend on position and name only", () => {
    const history = [
      functionCall("", "look up"),
      functionOutput("", "a"),
      functionCall("", "look up"),
      functionOutput("", "b"),
    ]
    const ids = pairCalls(history).map(item => item["call_id"])
    expect(ids).toEqual(["call_0_look_up", "call_0_look_up", "call_1_look_up", "call_1_look_up"])
    expect(pairCalls(history.slice(0, 2))).toEqual(pairCalls(history).slice(0, 2))
  })

  test("the call decides the type of its result", () => {
    const call = { type: "custom_tool_call", call_id: "c1", name: "patch", input: "x" }
    expect(pairCalls([call, functionOutput("c1")])[1]).toMatchObject({ type: "custom_tool_call_output" })
  })
})
