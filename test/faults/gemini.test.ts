/** Faults, addresses and keys as clients of the Gemini dialect meet them. */

import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"

import { arrayAt, isJsonObject, type JsonObject, stringAt } from "#core/json.ts"

import { brokenGeminiInvariants, foldGeminiStream, geminiChunks } from "../support/gemini-invariants.ts"
import { type FaultGateway, PROMPT_MARK, startFaultGateway, until } from "./fixture.ts"

setDefaultTimeout(30_000)

const MODEL = "/v1beta/models/gemini-2.5-pro"
const WHOLE = `${MODEL}:generateContent`
const STREAM = `${MODEL}:streamGenerateContent?alt=sse`
const ARRAY = `${MODEL}:streamGenerateContent`

let gateway: FaultGateway

beforeAll(async () => {
  gateway = await startFaultGateway({ accounts: 2, settings: { "client-keepalive": 1 } })
})
afterEach(async () => {
  gateway.control.release()
  gateway.control.clearScripts()
  await gateway.idle()
  gateway.control.clearRecorded()
})
afterAll(() => gateway.stop())

const BODY = { contents: [{ role: "user", parts: [{ text: `Say ${PROMPT_MARK}` }] }] }

/** Posts without the key that the fixture adds by itself. */
function bare(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  return fetch(new URL(path, gateway.url), {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(BODY),
  })
}

describe("addresses", () => {
  test.each(["/v1beta", "/v1alpha", "/v1", "", "//v1beta"])("25: a base URL with %j is served", async prefix => {
    const reply = await fetch(
      `${gateway.url.replace(/\/$/, "")}${prefix}/models/models%2Fgemini-2.5-pro:generateContent`,
      {
        method: "POST",
        headers: { "content-type": "application/json", "x-goog-api-key": gateway.key },
        body: JSON.stringify({ ...BODY, model: "ignored" }),
      },
    )
    expect(await reply.json()).toMatchObject({ modelVersion: "gemini-2.5-pro", candidates: [{ finishReason: "STOP" }] })
  })

  test("36: generateContent with alt=sse is one object; without alt a stream is one array, and both say the same", async () => {
    const whole = await gateway.post(`${WHOLE}?alt=sse`, BODY)
    expect(whole.json()).toMatchObject({ candidates: [{ finishReason: "STOP" }] })
    const array = await gateway.post(ARRAY, BODY)
    expect(array.headers.get("content-type")).toBe("application/json")
    const elements: readonly JsonObject[] = JSON.parse(array.text)
    expect(elements.length).toBeGreaterThan(2)
    expect(elements.at(-1)).toMatchObject({ candidates: [{ finishReason: "STOP" }] })
    const stream = await gateway.post(STREAM, BODY)
    expect(brokenGeminiInvariants(stream.text)).toEqual([])
    expect(geminiChunks(stream.text)).toHaveLength(elements.length)
    expect(foldGeminiStream(stream.text)).toMatchObject({ candidates: whole.json()["candidates"] as JsonObject[] })
  })

  test.each([
    ["gemini-3-pro-preview", 200],
    ["gemini-3.5-flash-lite", 200],
    ["gemini-9-unheard-of", 200],
    ["gemma-3", 200],
    ["flash", 200],
    ["gemini-embedding-001", 501],
    ["no-such-model", 404],
  ])("the model %s is answered with %d", async (model, status) => {
    const reply = await gateway.post(`/v1beta/models/${model}:generateContent`, BODY)
    expect(reply.status).toBe(status)
    if (status !== 200) expect(reply.json()).toMatchObject({ error: { code: status, status: expect.any(String) } })
  })

  test("a drawing model gets the image tool", async () => {
    await gateway.post("/v1beta/models/gemini-2.5-flash-image:generateContent", BODY)
    expect(gateway.turns()[0]?.body).toMatchObject({ tools: [{ type: "image_generation" }] })
  })
})

describe("keys", () => {
  test("are taken from every place clients put them", async () => {
    for (const headers of [{ "x-goog-api-key": gateway.key }, { authorization: `Bearer ${gateway.key}` }]) {
      expect((await bare(WHOLE, headers)).status).toBe(200)
    }
    expect((await bare(`${WHOLE}?key=${gateway.key}`)).status).toBe(200)
  })
  test("37: an empty x-goog-api-key does not spoil a good bearer", async () => {
    expect((await bare(WHOLE, { "x-goog-api-key": "", authorization: `Bearer ${gateway.key}` })).status).toBe(200)
  })
  test("J1: without a good one the envelope is this dialect's", async () => {
    for (const path of [WHOLE, `${MODEL}:unknown`]) {
      const reply = await bare(path, { "x-goog-api-key": "wrong" })
      expect(reply.status).toBe(401)
      expect(await reply.json()).toMatchObject({ error: { code: 401, status: "UNAUTHENTICATED" } })
    }
  })
})

describe("models", () => {
  test("J2: every listed name begins with models/ and is answered alike on its own", async () => {
    const { models } = (await gateway.get("/v1beta/models?pageSize=1000")).json() as { models: readonly JsonObject[] }
    expect(models.length).toBeGreaterThan(2)
    for (const model of models) {
      expect(stringAt(model, "name")).toStartWith("models/")
      expect((await gateway.get(`/v1beta/${model["name"]}`)).json()).toEqual(model)
    }
  })
  test("the list under /v1 has the form that the caller's headers ask for", async () => {
    expect((await gateway.get("/v1/models", { "x-goog-api-client": "x" })).json()).toHaveProperty("models")
    expect((await gateway.get("/v1/models")).json()).toHaveProperty("data")
    expect((await gateway.get("/v1/models", { "anthropic-version": "2023-06-01" })).json()).toHaveProperty("has_more")
  })
  test("an unknown one is not found in this dialect's envelope", async () => {
    const reply = await gateway.get("/v1beta/models/no-such-model")
    expect(reply.json()).toMatchObject({ error: { code: 404, status: "NOT_FOUND" } })
  })
})

describe("counting", () => {
  const count = async (body: JsonObject) =>
    Number((await gateway.post(`${MODEL}:countTokens`, body)).json()["totalTokens"])

  test("J2: is deterministic, grows with the content and asks no upstream", async () => {
    const few = await count(BODY)
    expect(few).toBeGreaterThan(0)
    expect(await count(BODY)).toBe(few)
    expect(await count({ generateContentRequest: { model: "models/x", ...BODY } })).toBe(few)
    expect(await count({ contents: [...BODY.contents, ...BODY.contents] })).toBeGreaterThan(few)
    expect(gateway.turns()).toHaveLength(0)
  })
  test("nothing to count is refused", async () => {
    const reply = await gateway.post(`${MODEL}:countTokens`, { contents: [] })
    expect(reply.json()).toMatchObject({ error: { code: 400, status: "INVALID_ARGUMENT" } })
  })
})

describe("failures", () => {
  test("41: a limit told inside a 200 is a status of its own, once no account is left to try", async () => {
    gateway.control.script({ scenario: "failure", settings: { code: "rate_limit_exceeded", errorForm: "failed" } })
    const reply = await gateway.post(STREAM, BODY)
    expect(reply.status).toBeGreaterThanOrEqual(429)
    expect(reply.headers.get("content-type")).toContain("json")
    const { error } = reply.json() as { error: JsonObject }
    expect(error["code"]).toBe(reply.status)
    expect((arrayAt(error, "details") ?? []).filter(isJsonObject)).toMatchObject([{ retryDelay: expect.any(String) }])
  })

  test.each([STREAM, ARRAY])("40: a client that leaves %s ends the upstream request at once", async path => {
    await gateway.configure({})
    gateway.control.script({ scenario: "text", settings: { hold: "middle", holdAfterEvents: 6 } })
    const exchange = gateway.open(path, BODY)
    await gateway.control.untilWaiting("middle", 1)
    await exchange.until("candidates")
    exchange.leave()
    await until("the upstream sees its client go", () => gateway.control.waiting("middle") === 0, 200)
    await gateway.idle()
    expect(gateway.turns()).toHaveLength(1)
  })

  test("26, 55: a silent stream is filled with chunks of an empty text, and then goes on", async () => {
    gateway.control.script({ scenario: "text", settings: { hold: "middle", holdAfterEvents: 6 } })
    const exchange = gateway.open(STREAM, BODY)
    await gateway.control.untilWaiting("middle", 1)
    const EMPTY = '"parts":[{"text":""}]'
    await until("a chunk without text came", () => exchange.text().includes(EMPTY), 5000)
    gateway.control.release("middle")
    expect(await exchange.ended).toBe("whole")
    const sent = exchange.text().slice(exchange.text().indexOf("data: "))
    expect(sent).not.toContain("\n:")
    expect(sent).toContain('"finishReason":"STOP"')
  })
})
