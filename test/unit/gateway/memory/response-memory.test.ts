/** What is remembered of responses: continued, referred to, kept apart by key, bounded, and forgotten. */

import { describe, expect, test } from "bun:test"

import type { RequestId } from "#core/ids.ts"
import { arrayAt, isJsonObject, type JsonObject, stringAt } from "#core/json.ts"
import type { ClientCall } from "#core/request.ts"
import { type MemoryLimits, makeResponseMemory } from "#gateway/memory/response-memory.ts"

const user = (text: string) => ({ type: "message", role: "user", content: [{ type: "input_text", text }] })
const said = (text: string, id = `msg_${text}`) => ({
  id,
  type: "message",
  role: "assistant",
  content: [{ type: "output_text", text }],
})

function call(json: JsonObject, keyId = "key-1"): ClientCall {
  return {
    id: "req_1" as RequestId,
    protocol: "openai-responses",
    json: { model: "m", ...json },
    headers: new Headers(),
    principal: { keyId },
    signal: new AbortController().signal,
    startedAtMs: 0,
  }
}

function makeWorld(changes: Partial<MemoryLimits> = {}) {
  const time = { nowMs: 0 }
  const limits = { isOn: true, maxBytes: 1_000_000, ttlMs: 60_000, ...changes }
  const memory = makeResponseMemory(
    () => time.nowMs,
    () => limits,
  )
  const answered = (request: ClientCall, id: string, output: readonly JsonObject[]) => {
    const expanded = memory.expand(request)
    memory.remember(expanded, JSON.stringify({ id, object: "response", output }))
    return arrayAt(expanded.json, "input")
  }
  return { time, limits, memory, answered }
}

describe("a conversation", () => {
  test("goes on from a response: what was asked, what was answered, what is asked now", () => {
    const { answered } = makeWorld()
    answered(call({ input: "one" }), "resp_1", [said("1")])
    answered(call({ input: [user("two")], previous_response_id: "resp_1" }), "resp_2", [said("2")])
    expect(answered(call({ input: "three", previous_response_id: "resp_2" }), "resp_3", [])).toEqual([
      user("one"),
      said("1"),
      user("two"),
      said("2"),
      user("three"),
    ])
  })

  test("can fork: two requests continue the same response", () => {
    const { answered } = makeWorld()
    answered(call({ input: "one" }), "resp_1", [said("1")])
    for (const [index, text] of ["left", "right"].entries()) {
      const request = call({ input: text, previous_response_id: "resp_1" })
      expect(answered(request, `resp_fork_${index}`, [said(text)])).toEqual([user("one"), said("1"), user(text)])
    }
  })

  test("what the client sends again although it is remembered is there once", () => {
    const { answered } = makeWorld()
    const made = { id: "fc_1", type: "function_call", call_id: "call_1", name: "f", arguments: "{}" }
    const result = { type: "function_call_output", call_id: "call_1", output: "ok" }
    answered(call({ input: "one" }), "resp_1", [made])
    const again = { ...made, id: "another" }
    expect(answered(call({ input: [again, result], previous_response_id: "resp_1" }), "resp_2", [])).toEqual([
      user("one"),
      made,
      result,
    ])
  })

  test("the instructions of the response before are not inherited, and the id goes no further", () => {
    const { memory, answered } = makeWorld()
    answered(call({ input: "one", instructions: "Be brief." }), "resp_1", [said("1")])
    const { json } = memory.expand(call({ input: "two", previous_response_id: "resp_1" }))
    expect(Object.keys(json).toSorted()).toEqual(["input", "model"])
  })
})

describe("references", () => {
  test("to items that were answered or asked are written out", () => {
    const { memory, answered } = makeWorld()
    const asked = { ...user("one"), id: "msg_mine" }
    answered(call({ input: [asked] }), "resp_1", [said("1", "msg_theirs")])
    const references = ["msg_mine", "msg_theirs"].map(id => ({ type: "item_reference", id }))
    const { json } = memory.expand(call({ input: [...references, user("two")] }))
    expect(json["input"]).toEqual([asked, said("1", "msg_theirs"), user("two")])
  })

  test("to what is unknown are refused with their place", () => {
    const { memory } = makeWorld()
    const request = call({ input: [user("one"), { type: "item_reference", id: "msg_never" }] })
    expect(() => memory.expand(request)).toThrow(
      expect.objectContaining({ code: "item_reference_not_found", param: "input[1].id" }),
    )
  })
})

describe("not remembered", () => {
  const refusal = expect.objectContaining({ code: "previous_response_not_found", param: "previous_response_id" })

  test("what another key has asked", () => {
    const { memory, answered } = makeWorld()
    answered(call({ input: "one" }, "key-1"), "resp_1", [said("1", "msg_1")])
    expect(() => memory.expand(call({ input: "x", previous_response_id: "resp_1" }, "key-2"))).toThrow(refusal)
    expect(() => memory.expand(call({ input: [{ type: "item_reference", id: "msg_1" }] }, "key-2"))).toThrow()
    expect(() => memory.response("key-2", "resp_1")).toThrow(expect.objectContaining({ code: "response_not_found" }))
  })

  test("what its client wants not stored", () => {
    const { memory, answered } = makeWorld()
    answered(call({ input: "one", store: false }), "resp_1", [said("1")])
    expect(() => memory.expand(call({ input: "x", previous_response_id: "resp_1" }))).toThrow(refusal)
  })

  test("what is too old, or forgotten", () => {
    const { time, memory, answered } = makeWorld({ ttlMs: 1_000 })
    answered(call({ input: "one" }), "resp_1", [said("1")])
    answered(call({ input: "other" }), "resp_2", [said("2")])
    memory.forget("key-1", "resp_2")
    expect(() => memory.expand(call({ input: "x", previous_response_id: "resp_2" }))).toThrow(refusal)
    time.nowMs = 1_001
    expect(() => memory.expand(call({ input: "x", previous_response_id: "resp_1" }))).toThrow(refusal)
  })

  test("anything while it is off: the call is left as it is", () => {
    const { memory } = makeWorld({ isOn: false })
    const request = call({ input: "x", previous_response_id: "resp_1" })
    expect(memory.expand(request)).toBe(request)
  })
})

describe("the shelf", () => {
  test("a response lives on in those that continue it, also when it is itself too old", () => {
    const { time, answered } = makeWorld({ ttlMs: 1_000 })
    answered(call({ input: "one" }), "resp_1", [said("1")])
    time.nowMs = 900
    answered(call({ input: "two", previous_response_id: "resp_1" }), "resp_2", [said("2")])
    time.nowMs = 1_500
    expect(answered(call({ input: "three", previous_response_id: "resp_2" }), "resp_3", [])).toHaveLength(5)
  })

  test("two thousand turns of many conversations stay within the bound, the newest are there", () => {
    const maxBytes = 200_000
    const { memory, answered } = makeWorld({ maxBytes })
    let previous: string | undefined
    for (let turn = 0; turn < 2_000; turn += 1) {
      const id = `resp_${turn}`
      // A conversation ends after ten turns and another one begins.
      const continued = turn % 10 === 0 || previous === undefined ? {} : { previous_response_id: previous }
      answered(call({ input: "x".repeat(1_000), ...continued }), id, [said("y".repeat(500), `msg_${turn}`)])
      previous = id
    }
    expect(memory.sizeBytes()).toBeLessThanOrEqual(maxBytes)
    expect(memory.sizeBytes()).toBeGreaterThan(maxBytes / 4)
    expect(stringAt(memory.response("key-1", "resp_1999"), "id")).toBe("resp_1999")
    expect(memory.inputItems("key-1", "resp_1999").filter(isJsonObject)).toHaveLength(19)
    expect(() => memory.response("key-1", "resp_0")).toThrow()
  })

  test("one conversation larger than the whole memory is not kept, and nothing is left of it", () => {
    const { memory, answered } = makeWorld({ maxBytes: 10_000 })
    answered(call({ input: "x".repeat(20_000) }), "resp_1", [said("1")])
    expect(memory.sizeBytes()).toBe(0)
    expect(() => memory.response("key-1", "resp_1")).toThrow()
  })
})

describe("another process", () => {
  test("takes over whole conversations, also after what was only there to be continued; its numbers end with the other", () => {
    const old = makeWorld()
    old.answered(call({ input: "one" }), "resp_1", [said("1")])
    old.answered(call({ input: "two", previous_response_id: "resp_1" }), "resp_2", [said("2")])
    const [first, second] = [...old.memory.all()]
    if (first === undefined || second === undefined) throw new Error("two responses were remembered")
    const next = makeWorld()
    next.memory.adopt({ ...first, isShelved: false })
    next.memory.adopt(second)
    const ask = call({ input: "three", previous_response_id: "resp_2" })
    const whole = [user("one"), said("1"), user("two"), said("2"), user("three")]
    expect(next.memory.expand(ask).json["input"]).toEqual(whole)
    next.memory.endAdoption()
    expect(next.memory.expand(ask).json["input"]).toEqual(whole)
    next.memory.adopt({ ...second, id: "resp_late" })
    const late = next.memory.expand(call({ input: "three", previous_response_id: "resp_late" }))
    expect(late.json["input"]).toEqual([user("two"), said("2"), user("three")])
  })
})
