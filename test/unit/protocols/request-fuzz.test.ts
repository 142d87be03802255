/** Bodies with one odd value somewhere: refused by name or translated to what the upstream takes, never anything else. */

import { describe, expect, test } from "bun:test"

import fc from "fast-check"

import { GatewayError } from "#core/errors.ts"
import { isJsonObject, type Json, type JsonObject, objectAt, stringAt } from "#core/json.ts"
import { makeAccounts } from "#simulator/accounts/accounts.ts"
import { DEFAULT_RULES } from "#simulator/checks/checked-call.ts"
import { refuseRequest } from "#simulator/checks/checks.ts"
import { makeIds } from "#simulator/ids.ts"

import { chatToUpstream, responsesToUpstream } from "./request-kit.ts"

const KEYS = [
  "type",
  "role",
  "content",
  "text",
  "name",
  "id",
  "call_id",
  "function",
  "custom",
  "__proto__",
  "constructor",
  "toString",
  "valueOf",
]

/** Words that mean something somewhere, so that mutants get further than the first check. */
const WORDS = [
  "",
  "function",
  "custom",
  "user",
  "tool",
  "text",
  "input_text",
  "image_url",
  "web_search",
  "auto",
  "required",
]

const odd: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>(tie => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom<Json[]>(null, true, false, 0, -1, 2 ** 53, 1e308),
    fc.constantFrom(...WORDS),
    fc.string(),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(fc.oneof(fc.constantFrom(...KEYS), fc.string()), tie("value"), { maxKeys: 4 }),
  ),
})).value

const parameters: JsonObject = {
  type: "object",
  properties: { path: { type: "string" }, tags: { type: "array", items: { type: "string" } } },
  required: ["path"],
}

const chatBody: JsonObject = {
  messages: [
    { role: "system", content: "Be brief." },
    {
      role: "user",
      name: "ann",
      content: [
        { type: "text", text: "a" },
        { type: "image_url", image_url: { url: "https://a.invalid/b.png", detail: "low" } },
      ],
    },
    {
      role: "user",
      content: [{ type: "file", file: { filename: "a.pdf", file_data: "data:application/pdf;base64,AAAA" } }],
    },
    {
      role: "assistant",
      content: [
        { type: "text", text: "b" },
        { type: "refusal", refusal: "c" },
      ],
      refusal: "no",
      tool_calls: [
        { id: "c1", type: "function", function: { name: "read", arguments: "{}" } },
        { id: "c2", type: "custom", custom: { name: "patch", input: "x" } },
      ],
    },
    { role: "tool", tool_call_id: "c1", content: "done" },
    { role: "tool", tool_call_id: "c2", content: [{ type: "text", text: "done" }] },
    { role: "assistant", function_call: { name: "old", arguments: "{}" } },
    { role: "function", name: "old", content: "1" },
    { role: "user", content: "go on" },
  ],
  tools: [
    { type: "function", function: { name: "read", description: "reads", parameters, strict: false } },
    {
      type: "custom",
      custom: { name: "patch", format: { type: "grammar", grammar: { syntax: "lark", definition: "x" } } },
    },
    {
      type: "web_search",
      search_context_size: "low",
      user_location: { type: "approximate", approximate: { city: "x" } },
    },
  ],
  functions: [{ name: "old", parameters }],
  function_call: { name: "old" },
  tool_choice: {
    type: "allowed_tools",
    allowed_tools: { mode: "auto", tools: [{ type: "function", function: { name: "read" } }] },
  },
  parallel_tool_calls: true,
  response_format: { type: "json_schema", json_schema: { name: "n", schema: parameters, strict: false } },
  reasoning_effort: "low",
  reasoning: { effort: "low", summary: "auto" },
  verbosity: "low",
  service_tier: "auto",
  stream: true,
  stream_options: { include_usage: true },
  web_search_options: { search_context_size: "low" },
  prompt_cache_key: "k",
  user: "u",
  n: 1,
  modalities: ["text"],
}

const responsesBody: JsonObject = {
  instructions: "Be brief.",
  input: [
    { type: "message", role: "system", content: "a" },
    {
      role: "user",
      content: [
        { type: "input_text", text: "a" },
        { type: "input_image", image_url: "https://a.invalid/b.png", detail: "low" },
      ],
    },
    {
      role: "user",
      content: [{ type: "input_file", filename: "a.pdf", file_data: "data:application/pdf;base64,AAAA" }],
    },
    {
      type: "message",
      role: "assistant",
      id: "msg_1",
      status: "completed",
      content: [{ type: "output_text", text: "b", annotations: [] }],
    },
    { type: "function_call", id: "fc_1", call_id: "c1", name: "read", arguments: "{}" },
    { type: "custom_tool_call", id: "ctc_1", call_id: "c2", name: "patch", input: "x" },
    { type: "function_call_output", call_id: "c1", output: "done" },
    { type: "custom_tool_call_output", call_id: "c2", output: [{ type: "input_text", text: "done" }] },
    { role: "user", content: "go on" },
  ],
  tools: [
    { type: "function", name: "read", description: "reads", parameters, strict: false },
    { type: "custom", name: "patch", format: { type: "grammar", syntax: "lark", definition: "x" } },
    { type: "web_search", search_context_size: "low" },
  ],
  tool_choice: { type: "function", name: "read" },
  parallel_tool_calls: true,
  reasoning: { effort: "low", summary: "auto" },
  text: { verbosity: "low", format: { type: "json_schema", name: "n", schema: parameters, strict: false } },
  include: ["reasoning.encrypted_content"],
  stream: true,
  stream_options: { reasoning_summary_delivery: "x" },
  prompt_cache_key: "k",
  client_metadata: { a: "b" },
  user: "u",
  store: false,
}

type Path = readonly (string | number)[]

/** The path of every value inside a body, the body itself excluded. */
function pathsIn(value: Json, prefix: Path = []): readonly Path[] {
  const entries: (readonly [string | number, Json])[] = Array.isArray(value)
    ? [...(value as readonly Json[]).entries()]
    : isJsonObject(value)
      ? Object.entries(value)
      : []
  return entries.flatMap(([key, member]) => [[...prefix, key], ...pathsIn(member, [...prefix, key])])
}

/** A copy of the body with another value at one path. */
function withValueAt(value: Json, [key, ...rest]: Path, replacement: Json): Json {
  if (key === undefined) return replacement
  if (Array.isArray(value)) {
    return (value as readonly Json[]).map((member, index) =>
      index === key ? withValueAt(member, rest, replacement) : member,
    )
  }
  if (!isJsonObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      name === key ? withValueAt(member, rest, replacement) : member,
    ]),
  )
}

function mutantsOf(body: JsonObject): fc.Arbitrary<JsonObject> {
  const paths = pathsIn(body)
  const change = fc.record({ path: fc.constantFrom(...paths), value: odd })
  return fc.array(change, { minLength: 1, maxLength: 2 }).map(changes =>
    // Replacing members never turns the body itself into anything but an object.
    JSON.parse(
      JSON.stringify(changes.reduce((mutant, { path, value }) => withValueAt(mutant, path, value) as JsonObject, body)),
    ),
  )
}

const account = makeAccounts({ ids: makeIds({ seed: "fuzz" }) }).create()

/** The parameter the backend would object to; undefined when it takes the body. */
function refusedParam(body: JsonObject): string | undefined {
  const call = {
    mode: "chatgpt",
    endpoint: "responses",
    headers: new Headers(),
    account,
    rules: DEFAULT_RULES,
  } as const
  const refusal = refuseRequest({ ...call, body })
  if (refusal === undefined) return undefined
  const answer: unknown = JSON.parse(refusal.body)
  const error = isJsonObject(answer) ? objectAt(answer, "error") : undefined
  return error === undefined ? refusal.body : (stringAt(error, "param") ?? refusal.body)
}

/** The upstream body; undefined when the client's is refused by name. */
function translated(translate: (body: JsonObject) => JsonObject, body: JsonObject): JsonObject | undefined {
  try {
    return translate(body)
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    expect([error.kind, error.param]).toEqual(["invalid-request", expect.stringMatching(/^[a-z_]+/)])
    return undefined
  }
}

describe.each([
  { dialect: "chat", base: chatBody, translate: chatToUpstream },
  { dialect: "responses", base: responsesBody, translate: responsesToUpstream },
])("$dialect", ({ base, translate }) => {
  test("the body without odd values is one the upstream takes", () => {
    expect(refusedParam(translate(base))).toBeUndefined()
  })

  test("an odd value anywhere is translated, or refused as invalid-request with the parameter's name", () => {
    fc.assert(
      fc.property(mutantsOf(base), body => {
        const before = JSON.stringify(body)
        const upstream = translated(translate, body)
        expect(JSON.stringify(body)).toBe(before)
        if (upstream === undefined) return
        expect(JSON.parse(JSON.stringify(upstream))).toEqual(upstream)
        expect([upstream["stream"], upstream["store"], typeof upstream["instructions"]]).toEqual([
          true,
          false,
          "string",
        ])
      }),
      { numRuns: 1500 },
    )
  })
})

test("what a chat client gets through is refused upstream for nothing but the meaning of a schema", () => {
  fc.assert(
    fc.property(mutantsOf(chatBody), body => {
      const upstream = translated(chatToUpstream, body)
      const param = upstream === undefined ? undefined : refusedParam(upstream)
      expect(param ?? "tools[0].parameters").toMatch(/^(tools\[\d+\]\.parameters|text\.format\.schema)$/)
    }),
    { numRuns: 1500 },
  )
})
