/** Faults as clients of the Messages dialect meet them. */

import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"

import { arrayAt, isJsonObject, type JsonObject, objectAt, stringAt } from "#core/json.ts"

import { type FaultGateway, PROMPT_MARK, startFaultGateway, until } from "./fixture.ts"

setDefaultTimeout(30_000)

const PATH = "/v1/messages"

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

function body(more: JsonObject = {}): JsonObject {
  return { model: "gpt-5.5", max_tokens: 100, messages: [{ role: "user", content: `Say ${PROMPT_MARK}` }], ...more }
}

function turns(): readonly JsonObject[] {
  return gateway.turns().map(({ body: sent }) => (isJsonObject(sent) ? sent : {}))
}

test("33: sub-agents begin on the account of their session, each with a prompt cache of its own", async () => {
  const agents = [undefined, "agent-a", "agent-b"]
  for (const session of ["one", "two", "three", "four"]) {
    for (const agent of agents) {
      const headers = { "x-claude-code-session-id": session, ...(agent && { "x-claude-code-agent-id": agent }) }
      expect((await gateway.post(PATH, body(), headers)).status).toBe(200)
    }
  }
  const served = Map.groupBy(gateway.turns(), (_, index) => Math.floor(index / agents.length))
  for (const requests of served.values()) {
    expect(new Set(requests.map(({ account }) => account)).size).toBe(1)
    const keys = requests.map(({ body: sent }) => (isJsonObject(sent) ? sent["prompt_cache_key"] : ""))
    expect(new Set(keys).size).toBe(agents.length)
  }
})

test("59: a limit told inside a 200 is a status of its own, once no account is left to try", async () => {
  gateway.control.script({ scenario: "failure", settings: { code: "rate_limit_exceeded", errorForm: "failed" } })
  const reply = await gateway.post(PATH, body({ stream: true }))
  expect(reply.status).toBeGreaterThanOrEqual(429)
  expect(reply.headers.get("content-type")).toContain("json")
  expect(Number(reply.headers.get("retry-after"))).toBeGreaterThan(0)
  expect(reply.json()).toMatchObject({ type: "error", request_id: reply.headers.get("request-id") })
})

describe("65: a client that leaves", () => {
  test.each([true, false])("ends the upstream request at once (streaming: %p)", async stream => {
    await gateway.configure({})
    gateway.control.script({ scenario: "text", settings: { hold: "middle", holdAfterEvents: 6 } })
    const exchange = gateway.open(PATH, body({ stream }))
    await gateway.control.untilWaiting("middle", 1)
    if (stream) await exchange.until("content_block_delta")
    exchange.leave()
    await until("the upstream sees its client go", () => gateway.control.waiting("middle") === 0, 200)
    await gateway.idle()
    expect(turns()).toHaveLength(1)
  })
})

test("I14: a silent stream is filled with pings, which are events, and then goes on", async () => {
  gateway.control.script({ scenario: "text", settings: { hold: "middle", holdAfterEvents: 6 } })
  const exchange = gateway.open(PATH, body({ stream: true }))
  await gateway.control.untilWaiting("middle", 1)
  // The first ping belongs to the beginning of every message.
  const text = await exchange.until("content_block_delta")
  const before = text.split("event: ping").length
  await until("another ping came", () => exchange.text().split("event: ping").length > before, 3000)
  gateway.control.release("middle")
  expect(await exchange.ended).toBe("whole")
  expect(exchange.text()).toEndWith('event: message_stop\ndata: {"type":"message_stop"}\n\n')
})

test("a request for no tokens is answered without an upstream", async () => {
  const whole = await gateway.post(PATH, body({ max_tokens: 0 }))
  expect(whole.json()).toMatchObject({ content: [], stop_reason: "max_tokens", usage: { output_tokens: 0 } })
  const streamed = await gateway.post(PATH, body({ max_tokens: 0, stream: true }))
  expect(streamed.text).toContain("event: message_stop")
  expect(turns()).toHaveLength(0)
})

describe("reasoning that another account has sealed", () => {
  const thinking = { type: "adaptive" }

  async function firstAnswer(): Promise<readonly JsonObject[]> {
    const reply = await gateway.post(PATH, body({ thinking }))
    return (arrayAt(reply.json(), "content") ?? []).filter(isJsonObject)
  }

  test("26: comes back to its own account, and is left out for another one", async () => {
    const content = await firstAnswer()
    const messages = [
      ...(arrayAt(body(), "messages") ?? []),
      { role: "assistant", content },
      { role: "user", content: "go on" },
    ]
    const again = { ...body({ thinking }), messages }
    expect((await gateway.post(PATH, again)).status).toBe(200)
    expect(JSON.stringify(turns()[1])).toContain("encrypted_content")

    const account = gateway.turns()[1]?.account ?? ""
    gateway.control.script({ scenario: "usage-limit", account })
    expect((await gateway.post(PATH, again)).status).toBe(200)
    const last = turns().at(-1) ?? {}
    const types = (arrayAt(last, "input") ?? []).filter(isJsonObject).map(item => item["type"])
    expect(types).not.toContain("reasoning")
    expect(types).toContain("message")
  })
})

test("70: tokens are counted although no account can serve", async () => {
  gateway.control.script({ scenario: "usage-limit" })
  const refused = await gateway.post(PATH, body())
  expect(refused.status).toBe(429)
  const reply = await gateway.post(`${PATH}/count_tokens`, body())
  expect(reply.status).toBe(200)
  expect(Number(reply.json()["input_tokens"])).toBeGreaterThan(3)
  expect(reply.headers.get("request-id")).toMatch(/^req_/)
})

test("an unknown model, a wrong key and a broken body are refused in the dialect", async () => {
  const typeOf = (json: JsonObject) => stringAt(objectAt(json, "error") ?? {}, "type")
  expect(typeOf((await gateway.post(PATH, body({ model: "nobody-knows" }))).json())).toBe("not_found_error")
  expect(typeOf((await gateway.post(`${PATH}/count_tokens`, body({ model: "nobody-knows" }))).json())).toBe(
    "not_found_error",
  )
  expect(typeOf((await gateway.post(PATH, body(), { authorization: "Bearer wrong" })).json())).toBe(
    "authentication_error",
  )
  expect(typeOf((await gateway.post(PATH, "{broken")).json())).toBe("invalid_request_error")
})
