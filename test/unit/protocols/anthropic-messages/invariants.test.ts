/** Every answer and every request, however odd: the invariants of the Messages dialect. */

import { describe, expect, test } from "bun:test"

import fc from "fast-check"

import { arrayAt, isJsonObject, type Json, type JsonObject, objectAt, stringAt } from "#core/json.ts"

import { brokenMessagesInvariants, foldMessagesStream } from "../../../support/messages-invariants.ts"
import { type Answer, answers, CLIENT_NAMES, LONG_NAME, SHORTENED } from "../answer-kit.ts"
import { CODEX_KEYS } from "../request-kit.ts"
import { assistant, encodeMessagesBody, messagesContext, serveMessages, toUpstream, user } from "./messages-kit.ts"

const NAMES = new Map([[SHORTENED, LONG_NAME]])
const context = messagesContext({}, { toolNames: NAMES })

function contentOf(json: JsonObject | undefined): readonly JsonObject[] {
  return (arrayAt(json ?? {}, "content") ?? []).filter(isJsonObject)
}

/** What the model said, in the order of its items; a picture is told by a note. */
function saidIn({ items }: Answer): string {
  const said = items.map(item => {
    if (item.type === "message") return item.text
    return item.type === "image_generation_call" ? "[The model made an image, which this API cannot carry.]" : ""
  })
  return said.join("")
}

describe("answers", () => {
  test("I1 to I13 and I16 hold for every stream", () => {
    fc.assert(
      fc.property(answers(), answer =>
        expect(brokenMessagesInvariants(serveMessages(answer.bytes, context).stream)).toEqual([]),
      ),
      { numRuns: 300 },
    )
  })

  test("I15: all the text arrives once, in the order of its items", () => {
    fc.assert(
      fc.property(answers(["completed", "done"]), answer => {
        const texts = contentOf(serveMessages(answer.bytes, context).json).map(block =>
          block["type"] === "text" ? block["text"] : "",
        )
        expect(texts.join("")).toBe(saidIn(answer))
      }),
      { numRuns: 200 },
    )
  })

  test("I17: a stream adds up to the answer that is not streamed", () => {
    fc.assert(
      fc.property(answers(["completed", "done"]), answer => {
        const { stream, json } = serveMessages(answer.bytes, context)
        expect(foldMessagesStream(stream)).toEqual(json ?? {})
      }),
      { numRuns: 200 },
    )
  })

  test("I3: every failure is an error event and no message", () => {
    fc.assert(
      fc.property(answers(["failed", "error", "error-and-failed", "cut"]), answer => {
        const { events, json, error } = serveMessages(answer.bytes, context)
        expect(events.at(-1)?.["type"]).toBe("error")
        expect({ json, kind: typeof error?.kind }).toEqual({ json: undefined, kind: "string" })
      }),
    )
  })

  test("I8: tools have the client's own names", () => {
    fc.assert(
      fc.property(answers(["completed"]), answer => {
        const names = contentOf(serveMessages(answer.bytes, context).json).flatMap(block =>
          block["type"] === "tool_use" ? [String(block["name"])] : [],
        )
        expect(names.filter(name => !CLIENT_NAMES.has(name))).toEqual([])
      }),
    )
  })
})

const id = fc.constantFrom("t1", "t2", "t3", "t.4", "t/4", "t".repeat(80), `${"t".repeat(79)}u`, "")
const words = fc.oneof(fc.string(), fc.constantFrom("", "x-anthropic-billing-header: a", "\u{1f600}\u0000"))
const seal = fc.constantFrom(
  "sluice1.me.gAAAA_1",
  "sluice1.other.gAAAA_2",
  "sluice1..gAAAA_3",
  "EqQB",
  "sluice1.me.",
  "",
)
const toolName = fc.oneof(fc.constantFrom("read", "write", "constructor"), fc.string({ minLength: 1, maxLength: 90 }))

const block: fc.Arbitrary<Json> = fc.oneof(
  words.map(text => ({ type: "text", text, cache_control: { type: "ephemeral" } })),
  fc
    .record({ id, name: toolName, input: fc.jsonValue() as fc.Arbitrary<Json> })
    .map(use => ({ type: "tool_use", ...use })),
  fc
    .record({ tool_use_id: id, content: words, is_error: fc.boolean() })
    .map(result => ({ type: "tool_result", ...result })),
  seal.map(signature => ({ type: "thinking", thinking: "secret thought", signature })),
  seal.map(data => ({ type: "redacted_thinking", data })),
  fc.constantFrom<Json>(
    { type: "image", source: { type: "url", url: "https://a.org/i.png" } },
    { type: "server_tool_use", id: "s", name: "web_search", input: { query: "q" } },
    { type: "web_search_tool_result", tool_use_id: "s", content: [] },
    { type: "fallback" },
    { type: "unheard_of" },
  ),
)
const message = fc.record({
  role: fc.constantFrom("user", "assistant", "system", "narrator"),
  content: fc.oneof(words as fc.Arbitrary<Json>, fc.array(block, { maxLength: 5 }) as fc.Arbitrary<Json>),
})
const history = fc
  .array(message, { maxLength: 8 })
  .map(messages => [...messages, user("last words")] as readonly JsonObject[])
const declared = fc.array(
  fc.record({
    name: toolName,
    input_schema: fc.constantFrom<Json>(
      null,
      {},
      { $schema: "s", type: "object" },
      { type: "object", properties: { a: { type: "array" }, $schema: { type: "string" } } },
    ),
  }),
  { maxLength: 4 },
)

function itemsOf(body: JsonObject): readonly JsonObject[] {
  return (arrayAt(body, "input") ?? []).filter(isJsonObject)
}

/** Checks a property of upstream bodies. */
function upstream(check: (body: JsonObject, names: ReadonlyMap<string, string>) => void): void {
  fc.assert(
    fc.property(history, declared, words, (messages, tools, system) => {
      const { body, toolNames } = encodeMessagesBody({ messages, tools, system }, { origin: "me" })
      check(body, toolNames)
    }),
    { numRuns: 200 },
  )
}

describe("requests", () => {
  test("R1: only members the upstream knows, always streamed, never stored", () => {
    upstream(body => {
      expect(Object.keys(body).filter(key => !CODEX_KEYS.has(key))).toEqual([])
      expect({ stream: body["stream"], store: body["store"], instructions: typeof body["instructions"] }).toEqual({
        stream: true,
        store: false,
        instructions: "string",
      })
    })
  })

  test("R2: nothing of the client's own marks goes along", () => {
    upstream(body => {
      const text = JSON.stringify(body, (key, value) =>
        key === "properties" || key === "text" || key === "arguments" ? undefined : value,
      )
      for (const mark of ["cache_control", "defer_loading", "input_schema", "$schema"])
        expect(text).not.toContain(`"${mark}":`)
    })
  })

  test("R3: functions have legal, different names, an object for their arguments, and say whether they are strict", () => {
    upstream(body => {
      const tools = (arrayAt(body, "tools") ?? []).filter(isJsonObject)
      expect(new Set(tools.map(tool => tool["name"])).size).toBe(tools.length)
      for (const tool of tools) {
        expect(String(tool["name"])).toMatch(/^[a-zA-Z0-9_-]{1,64}$/)
        expect(typeof tool["strict"]).toBe("boolean")
        expect(objectAt(tool, "parameters")).toMatchObject({ type: "object", properties: expect.any(Object) })
      }
    })
  })

  test("R4 and R5: every call has one output behind it, every output one call before it, all under legal ids", () => {
    upstream(body => {
      const calls: string[] = []
      const outputs: string[] = []
      for (const item of itemsOf(body)) {
        const callId = stringAt(item, "call_id")
        if (callId === undefined) continue
        expect(callId).toMatch(/^[A-Za-z0-9_-]{1,64}$/)
        if (item["type"] === "function_call") calls.push(callId)
        else {
          expect(calls).toContain(callId)
          outputs.push(callId)
        }
      }
      expect(new Set(calls).size).toBe(calls.length)
      expect(outputs.toSorted()).toEqual(calls.toSorted())
    })
  })

  test("R6: reasoning is ours, whole and for this account", () => {
    upstream(body => {
      for (const item of itemsOf(body).filter(({ type }) => type === "reasoning")) {
        expect(item["summary"]).toEqual([])
        expect(["gAAAA_1", "gAAAA_3"]).toContain(String(item["encrypted_content"]))
      }
      expect(JSON.stringify(body)).not.toContain("secret thought")
    })
  })

  test("R7: the assistant's parts are output, all others' are input", () => {
    upstream(body => {
      for (const item of itemsOf(body).filter(({ type }) => type === "message")) {
        const types = (arrayAt(item, "content") ?? []).filter(isJsonObject).map(part => String(part["type"]))
        expect(types.every(type => (type === "output_text") === (item["role"] === "assistant"))).toBe(true)
      }
    })
  })

  test("R8: equal requests give equal bytes, and a conversation that grows keeps its beginning", () => {
    const clean = fc.array(fc.record({ ask: fc.string({ minLength: 1 }), call: fc.boolean() }), {
      minLength: 1,
      maxLength: 5,
    })
    fc.assert(
      fc.property(clean, turns => {
        const messages = turns.flatMap(({ ask, call }, index): readonly JsonObject[] => {
          const use = { type: "tool_use", id: `t${index}`, name: "f", input: { index } }
          const result = { type: "tool_result", tool_use_id: `t${index}`, content: "done" }
          return call
            ? [user(`a${ask}`), assistant([use]), user([result]), assistant("so")]
            : [user(`a${ask}`), assistant("so")]
        })
        const whole = JSON.stringify(toUpstream({ messages })["input"])
        expect(JSON.stringify(toUpstream({ messages })["input"])).toBe(whole)
        const grown = JSON.stringify(toUpstream({ messages: [...messages, user("more")] })["input"])
        expect(grown.startsWith(whole.slice(0, -1))).toBe(true)
      }),
    )
  })

  test("R9: no attribution in anything the system says", () => {
    upstream(body => {
      const guidance = itemsOf(body).filter(({ role }) => role === "developer")
      for (const text of [String(body["instructions"]), JSON.stringify(guidance)])
        expect(text).not.toContain("x-anthropic-billing-header:")
    })
  })

  test("R10: every name that had to change is known again", () => {
    fc.assert(
      fc.property(fc.uniqueArray(toolName, { maxLength: 6 }), names => {
        const { body, toolNames } = encodeMessagesBody({ tools: names.map(name => ({ name, input_schema: {} })) })
        const sent = (arrayAt(body, "tools") ?? []).filter(isJsonObject).map(tool => String(tool["name"]))
        expect(sent.map(name => toolNames.get(name) ?? name)).toEqual(names)
      }),
    )
  })
})
