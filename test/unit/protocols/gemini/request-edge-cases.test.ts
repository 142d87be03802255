/** The dialect's numbered edge cases and invariants on the way up. */

import { describe, expect, test } from "bun:test"

import { GatewayError } from "#core/errors.ts"
import type { JsonObject } from "#core/json.ts"
import { sealSignature } from "#protocols/seal-signature.ts"

import { answer, call, decodeGeminiBody, inputOf, model, text, toUpstream, user } from "./gemini-kit.ts"

const ITEM = { family: "openai-responses", json: '{"type":"reasoning","encrypted_content":"gAAA_-+/x"}' } as const
const SIGNATURE = Buffer.from(sealSignature(ITEM, undefined) ?? "").toString("base64")
const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="

const ids = (items: readonly JsonObject[], type: string) =>
  items.filter(item => item["type"] === type).map(item => item["call_id"])

function refusal(json: JsonObject): GatewayError {
  try {
    decodeGeminiBody(json)
  } catch (cause) {
    if (cause instanceof GatewayError) return cause
    throw cause
  }
  throw new Error("the body was not refused")
}

const functions = (...names: readonly string[]): JsonObject => ({
  tools: [{ functionDeclarations: names.map(name => ({ name })) }],
})

describe("calls and answers", () => {
  test("1: an answer without an id finds the call of its name", () => {
    const items = inputOf(model(call("a", "id1"), call("b", "id2")), user(answer("b"), answer("a")))
    expect(ids(items, "function_call")).toEqual(["id1", "id2"])
    expect(ids(items, "function_call_output")).toEqual(["id2", "id1"])
  })
  test("2: answers of one name without ids go to the calls in their order", () => {
    const outputs = [answer("a", undefined, { output: "first" }), answer("a", undefined, { output: "second" })]
    const items = inputOf(model(call("a"), call("a")), user(...outputs))
    const calls = ids(items, "function_call")
    expect(new Set(calls).size).toBe(2)
    expect(items.filter(item => item["type"] === "function_call_output")).toEqual([
      { type: "function_call_output", call_id: calls[0], output: "first" },
      { type: "function_call_output", call_id: calls[1], output: "second" },
    ] as JsonObject[])
  })
  test("3: answers may come in another order and in several contents", () => {
    const items = inputOf(model(call("a", "1"), call("b", "2")), user(answer("b", "2")), user(answer("a", "1")))
    expect(ids(items, "function_call_output").toSorted()).toEqual(["1", "2"])
  })
  test("4: ids made up count over the whole request", () => {
    const turn = [model(call("a")), user(answer("a"))]
    const made = ids(inputOf(user(text("x")), ...turn, ...turn), "function_call")
    expect(made).toEqual(["call_gm_000000", "call_gm_000001"])
  })
  test("5: an answer without a call becomes the user's text", () => {
    const items = inputOf(user(answer("gone", "id9", { output: "kept" })))
    expect(items).toMatchObject([{ type: "message", role: "user" }])
    expect(JSON.stringify(items)).toContain("kept")
  })
  test("6: a call nobody answered gets an output behind its turn", () => {
    const items = inputOf(user(text("x")), model(call("a", "1")), user(text("never mind")))
    expect(items.map(item => item["type"])).toEqual(["message", "function_call", "function_call_output", "message"])
  })
  test("7: an id that is too long or odd is the same legal one on both sides", () => {
    for (const id of ["x".repeat(80), "töl/1"]) {
      const items = inputOf(model(call("a", id)), user(answer("a", id)))
      const [made] = ids(items, "function_call")
      expect(made).toMatch(/^[A-Za-z0-9_-]{1,64}$/)
      expect(ids(items, "function_call_output")).toEqual([made as string])
    }
  })
  test("R2: calls and outputs pair one to one, whatever the history", () => {
    const items = inputOf(
      model(call("a", "1"), call("a", "1"), call("b")),
      user(answer("b"), answer("a", "1"), answer("a", "1"), answer("a", "1")),
    )
    const calls = ids(items, "function_call")
    expect(new Set(calls).size).toBe(3)
    expect(ids(items, "function_call_output").toSorted()).toEqual(calls.toSorted())
  })
  test.each([
    [{ output: "o" }, "o"],
    [{ result: "r" }, "r"],
    [{ error: "e" }, "Error: e"],
    [{ name: "n", content: "c" }, '{"name":"n","content":"c"}'],
    ["bare", "bare"],
    [{ output: { deep: 1 } }, '{"output":{"deep":1}}'],
  ])("a response %j is put as %j", (response, output) => {
    expect(inputOf(model(call("a", "1")), user(answer("a", "1", response)))[1]).toMatchObject({ output })
  })
})

describe("contents", () => {
  test("8: a missing or empty role is the user's", () => {
    expect(inputOf({ parts: [text("a")] }, { role: "", parts: [text("b")] })).toMatchObject([
      { role: "user" },
      { role: "user" },
    ])
  })
  test("9: empty texts and thoughts leave nothing behind", () => {
    const items = inputOf(user(text("a")), model(text(""), { text: "secret", thought: true }), user(text("b")))
    expect(items.map(item => item["role"])).toEqual(["user", "user"])
    expect(JSON.stringify(items)).not.toContain("secret")
  })
  test("10, G9: a signature in either alphabet brings the reasoning item back, once", () => {
    const urlSafe = SIGNATURE.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")
    for (const thoughtSignature of [SIGNATURE, urlSafe]) {
      const part = { text: "said", thoughtSignature }
      const items = inputOf(user(text("a")), model(part, part), user(text("b")))
      expect(items[1]).toMatchObject({ type: "reasoning", encrypted_content: "gAAA_-+/x" })
      expect(items.filter(item => item["type"] === "reasoning")).toHaveLength(1)
    }
  })
  test("11: signatures of others are ignored", () => {
    for (const thoughtSignature of ["skip_thought_signature_validator", "CqQBAVSoXO4=", "", "%%%"]) {
      const items = inputOf(model({ ...call("a", "1"), thoughtSignature }), user(answer("a", "1")))
      expect(items.map(item => item["type"])).toEqual(["function_call", "function_call_output"])
    }
  })
  test("12: reasoning of another account is left out", () => {
    const foreign = Buffer.from(sealSignature(ITEM, "111111111111") ?? "").toString("base64")
    const contents = [model({ text: "said", thoughtSignature: foreign }), user(text("b"))]
    expect(JSON.stringify(toUpstream({ contents }, { origin: "222222222222" }))).not.toContain("gAAA")
    expect(JSON.stringify(toUpstream({ contents }, { origin: "111111111111" }))).toContain("gAAA")
  })
  test("13, R6: both spellings translate alike, and what is the user's is not respelled", () => {
    const args = { mime_type: "x", mimeType: "y" }
    const camel = {
      contents: [
        user({ inlineData: { mimeType: "image/png", data: PNG } }),
        model({ functionCall: { id: "1", name: "f", args } }),
        user({ functionResponse: { id: "1", name: "f", response: args } }),
      ],
      systemInstruction: { parts: [text("sys")] },
      generationConfig: { thinkingConfig: { includeThoughts: true, thinkingBudget: 600 } },
    }
    const snake = {
      contents: [
        user({ inline_data: { mime_type: "image/png", data: PNG } }),
        model({ function_call: { id: "1", name: "f", args } }),
        user({ function_response: { id: "1", name: "f", response: args } }),
      ],
      system_instruction: { parts: [text("sys")] },
      generation_config: { thinking_config: { include_thoughts: true, thinking_budget: "600" } },
    }
    expect(toUpstream(snake)).toEqual(toUpstream(camel))
    expect(JSON.stringify(toUpstream(camel))).toContain(JSON.stringify(JSON.stringify(args)).slice(1, -1))
    expect(decodeGeminiBody(snake)).toMatchObject({ effort: "low", summary: "auto", reply: { thinking: "shown" } })
  })
  test("R6: a turn that is added leaves the earlier items as they were", () => {
    const first = [user(text("a")), model(call("f")), user(answer("f"))]
    const before = inputOf(...first)
    expect(inputOf(...first, model(text("b")), user(text("c"))).slice(0, before.length)).toEqual([...before])
  })
  test("R5: no empty parts; text stands on its speaker's side", () => {
    const items = inputOf(user(text(""), text("a")), model(text("b"), text("")), user(text("c")))
    expect(items).toEqual([
      { type: "message", role: "user", content: [{ type: "input_text", text: "a" }] },
      { type: "message", role: "assistant", content: [{ type: "output_text", text: "b" }] },
      { type: "message", role: "user", content: [{ type: "input_text", text: "c" }] },
    ])
  })
  test("nothing to answer is refused with the place", () => {
    expect(refusal({ contents: [] })).toMatchObject({ kind: "invalid-request", param: "contents" })
    expect(refusal({ contents: [model(text(""))] })).toMatchObject({ kind: "invalid-request", param: "contents" })
  })
  test("sound, film, broken base64 and the vendor's own files are refused with the place", () => {
    const inlineData = (mimeType: string, data: string) => ({ contents: [user({ inlineData: { mimeType, data } })] })
    expect(refusal(inlineData("audio/wav", "AAAA")).message).toContain("audio/wav")
    expect(refusal(inlineData("image/png", "!!!")).param).toBe("contents[0].parts[0].inlineData.data")
    const fileData = { fileUri: "https://generativelanguage.googleapis.com/v1beta/files/x" }
    expect(refusal({ contents: [user({ fileData })] }).code).toBe("unsupported_file")
  })
  test("cached content is not found, and never ignored", () => {
    expect(refusal({ cachedContent: "cachedContents/x" })).toMatchObject({ kind: "not-found" })
  })
})

describe("tools", () => {
  test("14: properties named like keywords are no keywords", () => {
    const properties = {
      type: { type: "STRING" },
      enum: { type: "STRING" },
      format: { type: "STRING" },
      title: { type: "STRING" },
    }
    const parameters = { type: "OBJECT", properties: { ...properties, properties: { type: "OBJECT" } } }
    const body = toUpstream({ tools: [{ functionDeclarations: [{ name: "f", parameters }] }] })
    expect(body["tools"]).toMatchObject([
      {
        parameters: {
          properties: {
            type: { type: "string" },
            enum: { type: "string" },
            format: { type: "string" },
            title: { type: "string" },
            properties: { type: "object", properties: {} },
          },
        },
      },
    ])
  })
  test("15: counts become numbers, nullable a type, in the enum too; R4: no type in capitals is left", () => {
    const items = { type: "STRING", nullable: true, enum: ["a"], format: "enum" }
    const level = { type: "INTEGER", enum: ["1", "2"] }
    const parameters = { type: "OBJECT", properties: { list: { type: "ARRAY", minItems: "1", items }, level } }
    const body = toUpstream({ tools: [{ functionDeclarations: [{ name: "f", parameters }] }] })
    expect(body["tools"]).toMatchObject([
      {
        parameters: {
          properties: {
            list: { type: "array", minItems: 1, items: { type: ["string", "null"], enum: ["a", null] } },
            level: { type: "integer", enum: [1, 2] },
          },
        },
      },
    ])
    expect(JSON.stringify(body["tools"])).not.toMatch(/"(STRING|INTEGER|ARRAY|OBJECT)"/)
  })
  test("16: free maps stay open; a function without parameters takes an empty object", () => {
    const parameters = { type: "OBJECT", additionalProperties: { type: "STRING" } }
    const body = toUpstream({ tools: [{ functionDeclarations: [{ name: "f", parameters }, { name: "g" }] }] })
    expect(body["tools"]).toMatchObject([
      { strict: false, parameters: { additionalProperties: { type: "string" } } },
      { strict: false, parameters: { type: "object", properties: {} } },
    ])
  })
  test("17, R3: odd names are legal upstream, the same in declaration, choice and history", () => {
    const name = "mcp_server.tool:odd"
    const functionCallingConfig = { mode: "ANY", allowedFunctionNames: [name] }
    const contents = [model(call(name, "1")), user(answer(name, "1"))]
    const body = toUpstream({ contents, ...functions(name), toolConfig: { functionCallingConfig } })
    expect(body["tools"]).toMatchObject([{ name: "mcp_server_tool_odd" }])
    expect(body["tool_choice"]).toMatchObject({ name: "mcp_server_tool_odd" })
    expect(body["input"]).toMatchObject([{ name: "mcp_server_tool_odd" }, {}])
  })
  test.each([{ tools: [] }, { tools: [{}] }, { tools: [{ functionDeclarations: [] }] }])(
    "18: %j sends no key about tools",
    json => {
      const body = toUpstream({ ...json, toolConfig: { functionCallingConfig: { mode: "ANY" } } })
      for (const key of ["tools", "tool_choice", "parallel_tool_calls"]) expect(body).not.toHaveProperty(key)
    },
  )
  test.each([
    [{ mode: "VALIDATED" }, "auto"],
    [{ mode: "any" }, "required"],
    [{ mode: "NONE" }, "none"],
    [
      { mode: "ANY", allowedFunctionNames: ["f", "unknown"] },
      { type: "function", name: "f" },
    ],
  ])("19: %j chooses %j", (functionCallingConfig, choice) => {
    const body = toUpstream({ ...functions("f", "g"), toolConfig: { functionCallingConfig } })
    expect(body["tool_choice"]).toEqual(choice)
  })
  test("none of the allowed names declared is refused; so are tools of which none is served", () => {
    const functionCallingConfig = { mode: "ANY", allowedFunctionNames: ["x"] }
    expect(refusal({ ...functions("f"), toolConfig: { functionCallingConfig } }).code).toBe("unknown_function")
    expect(refusal({ tools: [{ googleMaps: {} }] }).code).toBe("unsupported_tool")
  })
})

describe("generationConfig", () => {
  const formatOf = (generationConfig: JsonObject) => {
    const { body, reply } = decodeGeminiBody({ generationConfig })
    return { format: body.type === "neutral" ? body.format : undefined, unwrap: reply.unwrap }
  }
  test("20: a root that is no object is wrapped, and a name is supplied", () => {
    const responseSchema = { type: "ARRAY", items: { type: "STRING" } }
    expect(formatOf({ responseMimeType: "application/json", responseSchema })).toMatchObject({
      format: { name: "response", strict: true, schema: { properties: { value: { type: "array" } } } },
      unwrap: "json",
    })
    const choice = { type: "STRING", enum: ["a", "b"] }
    expect(formatOf({ responseMimeType: "text/x.enum", responseSchema: choice }).unwrap).toBe("text")
  })
  test("responseFormat says the same as the members before it, and counts before them", () => {
    const schema = { type: "object", properties: { a: { type: "string" } } }
    const older = formatOf({ responseMimeType: "application/json", responseJsonSchema: schema })
    for (const mimeType of ["application/json", "APPLICATION_JSON"]) {
      const text = { mimeType, schema }
      expect(formatOf({ responseFormat: [{ image: {} }, { text }], responseSchema: { type: "STRING" } })).toEqual(older)
      expect(formatOf({ response_format: { text: { mime_type: mimeType } } }).format).toEqual({ type: "json-object" })
    }
    expect(formatOf({ responseFormat: [{ text: { mimeType: "text/plain" } }] }).format).toBeUndefined()
    expect(refusal({ generationConfig: { responseFormat: [{ audio: {} }] } }).code).toBe("unsupported_value")
    expect(refusal({ generationConfig: { responseFormat: [{ video: {} }] } }).code).toBe("unsupported_value")
  })
  test.each([
    [{ responseModalities: ["IMAGE"] }, {}],
    [{ responseModalities: ["IMAGE"], imageConfig: { aspectRatio: "1:1", imageSize: "2K" } }, { size: "1024x1024" }],
    [{ responseModalities: ["IMAGE"], imageConfig: { aspectRatio: "4:5" } }, { size: "1024x1536" }],
    [{ responseModalities: ["IMAGE"], imageConfig: { aspectRatio: "9:16" } }, { size: "1024x1536" }],
    [{ responseModalities: ["IMAGE"], imageConfig: { aspectRatio: "21:9" } }, { size: "1536x1024" }],
    [{ responseModalities: ["IMAGE"], imageConfig: { aspectRatio: "wide" } }, {}],
    [
      { responseFormat: [{ image: { aspectRatio: "ASPECT_RATIO_TWENTY_ONE_BY_NINE", mimeType: "IMAGE_JPEG" } }] },
      { size: "1536x1024", output_format: "jpeg" },
    ],
  ] as readonly (readonly [JsonObject, JsonObject])[])("%j draws with %j", (generationConfig, options) => {
    expect(toUpstream({ generationConfig })["tools"]).toEqual([{ type: "image_generation", ...options }])
  })
  test("without a wish for pictures there is no tool for them", () => {
    expect(toUpstream({ generationConfig: { imageConfig: { aspectRatio: "1:1" } } })).not.toHaveProperty("tools")
  })
  test("mediaResolution says how closely images are looked at, each for itself or all of them", () => {
    const image = (level?: string) => ({
      inlineData: { mimeType: "image/png", data: PNG },
      ...(level !== undefined && { mediaResolution: { level } }),
    })
    const generationConfig = { mediaResolution: "MEDIA_RESOLUTION_LOW" }
    const parts = [image(), image("MEDIA_RESOLUTION_HIGH"), image("MEDIA_RESOLUTION_MEDIUM")]
    const details = (json: JsonObject) => {
      const [message = {}] = toUpstream({ contents: [user(...parts)], ...json })["input"] as readonly JsonObject[]
      return (message["content"] as readonly JsonObject[]).map(part => part["detail"] ?? null)
    }
    expect(details({ generationConfig })).toEqual(["low", "high", "auto"])
    expect(details({})).toEqual([null, "high", "auto"])
  })
  test("21: JSON without a schema is spoken of in the input", () => {
    const body = toUpstream({ generationConfig: { responseMimeType: "application/json" } })
    expect(JSON.stringify(body["input"])).toMatch(/json/i)
    expect(body["text"]).toMatchObject({ format: { type: "json_object" } })
  })
  test.each([
    [{ thinkingBudget: 0 }, "none"],
    [{ thinkingBudget: -1 }, undefined],
    [{ thinkingBudget: 512 }, "minimal"],
    [{ thinkingBudget: 8193 }, "high"],
    [{ thinkingBudget: 30000 }, "xhigh"],
    [{ thinkingLevel: "LOW", thinkingBudget: 30000 }, "low"],
  ])("22: %j asks for the effort %p", (thinkingConfig, effort) => {
    expect(decodeGeminiBody({ generationConfig: { thinkingConfig } }).effort).toBe(effort as string)
  })
  test("23, R1: sampling and limits are not sent", () => {
    const generationConfig = { maxOutputTokens: 5, temperature: 0, topP: 1, topK: 3, seed: 1, stopSequences: ["x"] }
    const body = toUpstream({ generationConfig, safetySettings: [], labels: {} })
    for (const key of ["max_output_tokens", "temperature", "top_p", "stop", "seed"])
      expect(body).not.toHaveProperty(key)
    expect(body).toMatchObject({ store: false, stream: true, instructions: expect.any(String) })
  })
})
