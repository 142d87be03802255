import { describe, expect, test } from "bun:test"

import fc from "fast-check"

import { arrayAt, isJsonObject, type Json, type JsonObject } from "#core/json.ts"

import {
  CODEX_KEYS,
  chatToUpstream,
  functionCall,
  functionOutput,
  itemsOf,
  responsesToUpstream,
  userText,
} from "./request-kit.ts"

const OUTPUT_OF: Readonly<Record<string, string>> = {
  function_call: "function_call_output",
  custom_tool_call: "custom_tool_call_output",
}

const toolName = fc.oneof(
  fc.constantFrom("read", "write", "a.b", "patch"),
  fc.string({ minLength: 1, maxLength: 80 }),
  fc.string({ minLength: 60, maxLength: 70 }).map(text => `mcp__${text}__go`),
)
/** Few ids, so that repeats, reuse and mismatches are common; some too long, some missing. */
const callId = fc.constantFrom("c1", "c2", "c3", "c".repeat(70), "")
const text = fc.oneof(fc.string(), fc.constantFrom("", "json", "\u{1f600}\u0000"))

const content: fc.Arbitrary<Json> = fc.oneof(
  text,
  fc.constant(null),
  fc.array(
    fc.oneof(
      text.map(value => ({ type: "text", text: value, prompt_cache_breakpoint: { type: "explicit" } })),
      fc.constant({ type: "image_url", image_url: { url: "data:image/png;base64,-_8", detail: "low" } }),
      text.map(value => ({ type: "refusal", refusal: value })),
    ),
    { maxLength: 3 },
  ),
)

const chatCall = fc
  .record({ id: callId, name: toolName, args: fc.oneof(fc.json(), fc.constant("")), custom: fc.boolean() })
  .map(
    ({ id, name, args, custom }): JsonObject => ({
      ...(id === "" ? {} : { id }),
      ...(custom
        ? { type: "custom", custom: { name, input: args } }
        : { type: "function", function: { name, arguments: args } }),
    }),
  )

const chatMessage: fc.Arbitrary<JsonObject> = fc.oneof(
  fc.record({ role: fc.constantFrom("system", "developer", "user"), content }),
  fc.record({ role: fc.constant("assistant"), content, tool_calls: fc.array(chatCall, { maxLength: 3 }) }),
  fc.record({ role: fc.constant("tool"), tool_call_id: callId, content }),
  fc.record({
    role: fc.constant("assistant"),
    content,
    function_call: fc.record({ name: toolName, arguments: fc.json() }),
  }),
  fc.record({ role: fc.constant("function"), name: toolName, content: text }),
)

const looseSchema: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json[]>(null, [], { type: "array" }, { type: "object" }, { type: null, required: null }),
  fc.record({
    type: fc.constant("object"),
    properties: fc.dictionary(
      fc.constantFrom("type", "items", "a", "b"),
      fc.constantFrom<Json[]>(
        { type: "array" },
        { type: "array", items: { type: "array" } },
        { type: "string" },
        true,
        null,
        [],
      ),
    ),
    required: fc.constantFrom<Json[]>(null, ["a"], ["ghost", 7]),
  }),
)

const chatTool = fc
  .record({ name: toolName, parameters: looseSchema, strict: fc.constantFrom(true, false, null), custom: fc.boolean() })
  .map(
    ({ name, parameters, strict, custom }): JsonObject =>
      custom ? { type: "custom", custom: { name } } : { type: "function", function: { name, parameters, strict } },
  )

const chatBody: fc.Arbitrary<JsonObject> = fc.record({
  messages: fc.array(chatMessage, { minLength: 1, maxLength: 12 }),
  tools: fc.array(chatTool, { maxLength: 6 }),
  temperature: fc.constant(1),
  user: fc.constant("someone"),
  response_format: fc.constantFrom<Json[]>(null, { type: "json_object" }),
})

const looseItem: fc.Arbitrary<JsonObject> = fc.oneof(
  fc.record({ role: fc.constantFrom("system", "user", "assistant"), content, id: fc.constant("msg_1") }),
  fc.record({
    type: fc.constant("function_call"),
    id: fc.constant("fc_1"),
    call_id: callId,
    name: toolName,
    arguments: fc.oneof(fc.json(), fc.constant({ a: 1 })),
  }),
  fc.record({ type: fc.constant("custom_tool_call"), call_id: callId, name: toolName, input: text }),
  fc.record({
    type: fc.constantFrom("function_call_output", "custom_tool_call_output"),
    id: fc.constant("fco_1"),
    call_id: callId,
    output: content,
  }),
  fc.record({
    type: fc.constant("reasoning"),
    id: fc.constant("rs_1"),
    summary: fc.constant([]),
    encrypted_content: fc.constantFrom("", "gAAAA"),
    content: fc.constant(null),
  }),
  fc.constantFrom<JsonObject[]>(
    { type: "compaction_trigger", id: "t" },
    { type: "compaction", id: "cmp", encrypted_content: "gAAAA" },
    { type: "web_search_call", id: "ws_1", status: "completed" },
  ),
)

const upstreamBody = fc.oneof(
  chatBody.map(json => chatToUpstream(json)),
  fc.array(looseItem, { maxLength: 12 }).map(input => responsesToUpstream({ input, temperature: 1 })),
)

/** Every object inside `value`, itself included. */
function objectsIn(value: Json): readonly JsonObject[] {
  if (Array.isArray(value)) return (value as readonly Json[]).flatMap(objectsIn)
  return isJsonObject(value) ? [value, ...Object.values(value).flatMap(objectsIn)] : []
}

/** Keeps `open` the list of calls without a result; results and turns of the user must find it in order. */
function trackCall(item: JsonObject, open: string[]): void {
  const type = String(item["type"])
  const expected = OUTPUT_OF[type]
  if (expected !== undefined) {
    expect(String(item["call_id"])).toMatch(/^.{1,64}$/s)
    open.push(`${expected} ${item["call_id"]}`)
  } else if (type.endsWith("_call_output")) {
    const index = open.indexOf(`${type} ${item["call_id"]}`)
    expect(index).not.toBe(-1)
    open.splice(index, 1)
  } else if (type === "message" && item["role"] !== "assistant") {
    expect(open).toEqual([])
  }
}

function check(property: (body: JsonObject) => void): void {
  fc.assert(fc.property(upstreamBody, property), { numRuns: 300 })
}

describe("every upstream body, whatever the client sent", () => {
  test("21: streams, stores nothing, has instructions and a non-empty input", () => {
    check(body => {
      expect(body).toMatchObject({ stream: true, store: false })
      expect(typeof body["instructions"]).toBe("string")
      expect(itemsOf(body).length).toBeGreaterThan(0)
    })
  })

  test("22: has only allowed keys, no system role, no ids and no cache breakpoints", () => {
    check(body => {
      expect(Object.keys(body).every(key => CODEX_KEYS.has(key))).toBe(true)
      for (const item of itemsOf(body)) {
        expect(item["role"]).not.toBe("system")
        expect(item).not.toHaveProperty("id")
      }
      expect(objectsIn(itemsOf(body)).some(object => Object.hasOwn(object, "prompt_cache_breakpoint"))).toBe(false)
    })
  })

  test("23: pairs every call with one result behind its batch, and every result with one call", () => {
    check(body => {
      const open: string[] = []
      for (const item of itemsOf(body)) trackCall(item, open)
      expect(open).toEqual([])
    })
  })

  test("24: has unique acceptable tool names, and items in every array schema", () => {
    const acceptable = /^[A-Za-z0-9_-]{1,64}$/
    check(body => {
      const names = (arrayAt(body, "tools") ?? []).filter(isJsonObject).map(tool => String(tool["name"]))
      expect(new Set(names).size).toBe(names.length)
      expect(names.every(name => acceptable.test(name))).toBe(true)
      for (const tool of (arrayAt(body, "tools") ?? []).filter(isJsonObject)) {
        if (tool["type"] !== "function") continue
        const arrays = objectsIn(tool["parameters"] ?? null).filter(schema => schema["type"] === "array")
        expect(arrays.every(schema => schema["items"] !== undefined && schema["items"] !== null)).toBe(true)
      }
    })
  })

  test("24: never names a history call otherwise than its declared tool", () => {
    fc.assert(
      fc.property(toolName, name => {
        const body = chatToUpstream({
          messages: [{ role: "assistant", tool_calls: [{ id: "c", function: { name, arguments: "{}" } }] }],
          tools: [{ function: { name } }],
        })
        expect(itemsOf(body)[0]?.["name"]).toBe(arrayAt(body, "tools")?.filter(isJsonObject)[0]?.["name"] as string)
      }),
    )
  })

  test("25: is the same to the byte when made again, and leaves the client's body as it was", () => {
    fc.assert(
      fc.property(chatBody, json => {
        const before = JSON.stringify(json)
        const first = JSON.stringify(chatToUpstream(json))
        expect(JSON.stringify(json)).toBe(before)
        expect(JSON.stringify(chatToUpstream(JSON.parse(before)))).toBe(first)
      }),
    )
  })

  test("25: keeps its items as a prefix when whole turns are appended", () => {
    const turn: fc.Arbitrary<readonly JsonObject[]> = fc.oneof(
      text.filter(value => value !== "").map(value => [{ role: "user", content: value }]),
      fc
        .record({
          say: text,
          ask: text,
          ids: fc.uniqueArray(fc.constantFrom("c1", "c2", "c".repeat(70)), { minLength: 1 }),
        })
        .map(({ say, ask, ids }) => [
          { role: "user", content: `go ${ask}` },
          {
            role: "assistant",
            content: say,
            tool_calls: ids.map(id => ({ id, function: { name: "f", arguments: "{}" } })),
          },
          ...ids.map(id => ({ role: "tool", tool_call_id: id, content: say })),
          { role: "assistant", content: "done" },
        ]),
    )
    const others = fc.constantFrom<JsonObject[]>({}, { response_format: { type: "json_object" } })
    fc.assert(
      fc.property(fc.array(turn, { minLength: 2, maxLength: 6 }), others, (turns, more) => {
        const [first, ...rest] = turns
        const start: readonly JsonObject[] = [{ role: "user", content: "start" }, ...(first ?? [])]
        const short = itemsOf(chatToUpstream({ ...more, messages: start }))
        const long = itemsOf(chatToUpstream({ ...more, messages: [...start, ...rest.flat()] }))
        expect(long.slice(0, short.length)).toEqual([...short])
      }),
    )
  })

  test("26: holds no credential of the client", () => {
    const secret = "sk-very-secret"
    const headers = { authorization: `Bearer ${secret}`, "x-api-key": secret, "session-id": secret }
    fc.assert(
      fc.property(chatBody, json => {
        expect(JSON.stringify(chatToUpstream(json, {}, headers))).not.toContain(secret)
      }),
    )
  })
})

test("a body of 200 KB is decoded and encoded without copying its text", () => {
  const turns = Array.from({ length: 100 }, (_, index) => [
    userText("x".repeat(1500)),
    functionCall(`c${index}`),
    functionOutput(`c${index}`, "y".repeat(500)),
  ])
  const input = turns.flat()
  const items = itemsOf(responsesToUpstream({ input }))
  expect(items).toHaveLength(input.length)
  for (const [index, item] of items.entries()) expect(firstPart(item)).toBe(firstPart(input[index]))
})

function firstPart(item: JsonObject | undefined): Json | undefined {
  return arrayAt(item ?? {}, "content")?.[0]
}
