/** Responses that are continued, referred to, read and forgotten by their id, over an upstream that stores none. */

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"

import { arrayAt, isJsonObject, type JsonObject, stringAt } from "#core/json.ts"

import { readEvents } from "../support/sse.ts"
import { type FaultGateway, PROMPT_MARK, startFaultGateway, startOwnGateway } from "./fixture.ts"

setDefaultTimeout(20_000)

let gateway: FaultGateway
const OTHER_KEY = "sk-sluice-another-key"

beforeAll(async () => {
  gateway = await startFaultGateway({ accounts: 2, settings: { "api-keys": ["sk-sluice-fault-test-key", OTHER_KEY] } })
})
afterAll(async () => {
  await gateway.idle()
  await gateway.stop()
})

const weather = { type: "function", name: "weather", parameters: { type: "object", properties: {} } }
const ask = (input: unknown, more: JsonObject = {}) => ({ model: "gpt-5.5", input, ...more }) as JsonObject
const idOf = (body: JsonObject) => stringAt(body, "id") ?? ""
const itemsOf = (body: JsonObject, list = "output") => (arrayAt(body, list) ?? []).filter(isJsonObject)

/** What the last turn has sent upstream. */
function sentInput(): readonly JsonObject[] {
  const body = gateway.turns().at(-1)?.body
  return isJsonObject(body) ? itemsOf(body, "input") : []
}

const textOf = (item: JsonObject | undefined) => stringAt(itemsOf(item ?? {}, "content")[0] ?? {}, "text") ?? ""

describe("previous_response_id", () => {
  test.each([false, true])("continues an answer that was streamed: %p", async stream => {
    const first = await gateway.post("/v1/responses", ask(`${PROMPT_MARK} first`, { stream }))
    const answer = stream ? JSON.parse(readEvents(first.text).at(-1)?.data ?? "{}").response : first.json()
    const second = await gateway.post(
      "/v1/responses",
      ask(`${PROMPT_MARK} second`, { previous_response_id: idOf(answer) }),
    )
    expect(second.status).toBe(200)
    const sent = sentInput()
    expect(textOf(sent[0])).toContain("first")
    expect(textOf(sent.at(-1))).toContain("second")
    expect(sent.some(item => item["role"] === "assistant")).toBeTrue()
  })

  test("a tool round with nothing but the result, on the account that made the call", async () => {
    const first = await gateway.post("/v1/responses", ask(`${PROMPT_MARK} use the tool weather`, { tools: [weather] }))
    const call = itemsOf(first.json()).find(item => item["type"] === "function_call")
    expect(call).toBeDefined()
    const result = { type: "function_call_output", call_id: call?.["call_id"] ?? "", output: "21 degrees" }
    const more = { tools: [weather], previous_response_id: idOf(first.json()) }
    const second = await gateway.post("/v1/responses", ask([result], more))
    expect(second.status).toBe(200)
    expect(sentInput().map(item => item["type"])).toContain("function_call")
    const accounts = gateway
      .turns()
      .slice(-2)
      .map(({ account }) => account)
    expect(new Set(accounts).size).toBe(1)
  })

  test.each([
    ["resp_never", "previous_response_not_found"],
    ["msg_1", "previous_response_not_found"],
  ])("%s is a clear 400 and costs no turn", async (id, code) => {
    gateway.control.clearRecorded()
    const reply = await gateway.post("/v1/responses", ask("x", { previous_response_id: id }))
    expect(reply.status).toBe(400)
    expect(reply.json()["error"]).toMatchObject({ code, param: "previous_response_id" })
    expect(gateway.turns()).toHaveLength(0)
  })

  test("of another key, or not stored, is not there", async () => {
    const stored = await gateway.post("/v1/responses", ask(`${PROMPT_MARK} mine`))
    const as = { authorization: `Bearer ${OTHER_KEY}` }
    const continued = ask("x", { previous_response_id: idOf(stored.json()) })
    expect((await gateway.post("/v1/responses", continued, as)).status).toBe(400)
    expect((await gateway.get(`/v1/responses/${idOf(stored.json())}`, as)).status).toBe(404)
    const unstored = await gateway.post("/v1/responses", ask(`${PROMPT_MARK} off the record`, { store: false }))
    expect((await gateway.get(`/v1/responses/${idOf(unstored.json())}`)).status).toBe(404)
  })
})

test("references to items are written out", async () => {
  const first = await gateway.post("/v1/responses", ask(`${PROMPT_MARK} first`))
  const message = itemsOf(first.json()).find(item => item["type"] === "message")
  const reference = { type: "item_reference", id: stringAt(message ?? {}, "id") ?? "" }
  const user = { role: "user", content: `${PROMPT_MARK} again` }
  expect((await gateway.post("/v1/responses", ask([reference, user]))).status).toBe(200)
  expect(sentInput().map(item => item["role"])).toEqual(["assistant", "user"])
  const lost = await gateway.post("/v1/responses", ask([{ type: "item_reference", id: "msg_lost" }, user]))
  expect([lost.status, lost.json()["error"]]).toEqual([
    400,
    expect.objectContaining({ code: "item_reference_not_found", param: "input[0].id" }),
  ])
})

test("a response is read, its input listed, and it is forgotten", async () => {
  const made = (await gateway.post("/v1/responses", ask(`${PROMPT_MARK} keep this`))).json()
  const address = `/v1/responses/${idOf(made)}`
  expect((await gateway.get(address)).json()).toEqual(made)
  const input = (await gateway.get(`${address}/input_items`)).json()
  expect(input).toMatchObject({ object: "list", has_more: false })
  expect(textOf(itemsOf(input, "data")[0])).toContain("keep this")
  const auth = { authorization: `Bearer ${gateway.key}` }
  const removed = await fetch(`${gateway.url}${address}`, { method: "DELETE", headers: auth })
  expect(await removed.json()).toEqual({ id: idOf(made), object: "response", deleted: true })
  expect((await gateway.get(address)).json()["error"]).toMatchObject({ code: "response_not_found" })
  expect((await gateway.post(`${address}/cancel`, "")).status).toBe(400)
})

test("tokens of a continued conversation are counted with what it continues", async () => {
  const first = await gateway.post("/v1/responses", ask(`${PROMPT_MARK} ${"word ".repeat(300)}`))
  const count = async (body: JsonObject) =>
    (await gateway.post("/v1/responses/input_tokens", body)).json()["input_tokens"]
  const alone = Number(await count(ask("more")))
  expect(Number(await count(ask("more", { previous_response_id: idOf(first.json()) })))).toBeGreaterThan(alone + 300)
})

test("switched off, nothing is kept and the client is told to send everything", async () => {
  await using off = await startOwnGateway({ settings: { "response-memory": { enabled: false } } })
  const first = await off.post("/v1/responses", ask(`${PROMPT_MARK} first`))
  expect((await off.get(`/v1/responses/${idOf(first.json())}`)).status).toBe(404)
  const second = await off.post("/v1/responses", ask("x", { previous_response_id: idOf(first.json()) }))
  expect(second.status).toBe(400)
  expect(stringAt(second.json()["error"] as JsonObject, "message")).toContain("send the whole conversation")
})
