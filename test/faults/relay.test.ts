/** Two relay threads in front of the owner: every dialect, healing unseen, cuts, departures, and what is not carried. */

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"

import { arrayAt, isJsonObject, type JsonObject, objectAt, stringAt } from "#core/json.ts"

import { dial, openResponsesSocket } from "../support/responses-socket.ts"
import { chat, type FaultGateway, PROMPT_MARK, startFaultGateway, startOwnGateway, turn, until } from "./fixture.ts"
import { rawRequest } from "./raw-client.ts"

setDefaultTimeout(30_000)

const RELAYS = { workers: 2 }
const ANSWER = "This answer comes from the Sluice simulator"

let gateway: FaultGateway

beforeAll(async () => {
  gateway = await startFaultGateway({ accounts: 2, settings: RELAYS })
})
afterAll(async () => {
  await gateway.idle()
  await gateway.stop()
})

const startRelayed = (settings: JsonObject = {}, accounts = 2) =>
  startOwnGateway({ accounts, settings: { ...RELAYS, ...settings } })

const user = (text = "hello") => ({ role: "user", content: `${PROMPT_MARK} ${text}` })
const contents = [{ role: "user", parts: [{ text: `${PROMPT_MARK} hello` }] }]
const message = { model: "gpt-5.5", max_tokens: 500, messages: [user()] }

/** The texts of a stream's JSON lines, wherever a dialect puts them. */
function streamedText(body: string): string {
  return [...body.matchAll(/"(?:content|text|delta)":"((?:[^"\\]|\\.)*)"/g)].map(([, text]) => text).join("")
}

describe("text", () => {
  test.each([
    ["Chat", "/v1/chat/completions", chat({ stream: true }), "[DONE]"],
    ["Completions", "/v1/completions", { model: "gpt-5.5", prompt: PROMPT_MARK, stream: true }, "[DONE]"],
    ["Responses", "/v1/responses", turn({ stream: true }), "response.completed"],
    ["Messages", "/v1/messages", { ...message, stream: true }, "message_stop"],
    ["Gemini", "/v1beta/models/gpt-5.5:streamGenerateContent?alt=sse", { contents }, '"finishReason":"STOP"'],
  ] as const)("%s, streamed", async (_, path, body, end) => {
    const reply = await gateway.post(path, body)
    expect(reply.status).toBe(200)
    expect(reply.headers.get("content-type")).toStartWith("text/event-stream")
    expect(reply.headers.get("x-request-id")).toStartWith("req_")
    expect(streamedText(reply.text)).toContain(ANSWER)
    expect(reply.text).toContain(end)
  })

  test.each([
    ["Chat", "/v1/chat/completions", chat()],
    ["Completions", "/v1/completions", { model: "gpt-5.5", prompt: PROMPT_MARK }],
    ["Responses", "/v1/responses", turn()],
    ["Messages", "/v1/messages", message],
    ["Gemini", "/v1beta/models/gpt-5.5:generateContent", { contents }],
  ] as const)("%s, whole", async (_, path, body) => {
    const reply = await gateway.post(path, body)
    expect(reply.status).toBe(200)
    expect(reply.headers.get("content-type")).toStartWith("application/json")
    expect(reply.headers.get("x-request-id")).toStartWith("req_")
    expect(JSON.stringify(reply.json())).toContain(ANSWER)
  })

  test("Gemini as one array that grows", async () => {
    const reply = await gateway.post("/v1beta/models/gpt-5.5:streamGenerateContent", { contents })
    expect(reply.headers.get("content-type")).toBe("application/json")
    expect(streamedText(JSON.stringify(JSON.parse(reply.text)))).toContain(ANSWER)
  })

  test("both threads serve, and both are shown", async () => {
    await Promise.all(Array.from({ length: 40 }, () => gateway.post("/v1/chat/completions", chat({ stream: true }))))
    const { relays } = (await gateway.get("/stats")).json()
    expect(relays).toMatchObject({ count: 2, alive: 2, threads: [{ restarts: 0 }, { restarts: 0 }] })
    expect((await gateway.get("/health")).json()["relays"]).toMatchObject({ count: 2, alive: 2 })
  })
})

test("a tool is called, and its result is understood", async () => {
  const tools = [{ type: "function", function: { name: "look_up", parameters: { type: "object", properties: {} } } }]
  gateway.control.script({ scenario: "call", times: 1 })
  const called = await gateway.post("/v1/chat/completions", { ...chat(), tools })
  const [choice] = (arrayAt(called.json(), "choices") ?? []).filter(isJsonObject)
  const said = objectAt(choice ?? {}, "message") ?? {}
  const [call] = (arrayAt(said, "tool_calls") ?? []).filter(isJsonObject)
  expect(stringAt(objectAt(call ?? {}, "function") ?? {}, "name")).toBe("look_up")
  const result = { role: "tool", tool_call_id: stringAt(call ?? {}, "id") ?? "", content: "42" }
  const answered = await gateway.post("/v1/chat/completions", { ...chat(), messages: [user(), said, result], tools })
  expect(answered.status).toBe(200)
  expect(answered.text).toContain(ANSWER)
})

test("an answer is continued by its id, whichever thread carried it", async () => {
  const first = await gateway.post("/v1/responses", { ...turn({ text: "one" }), store: true })
  const previous = stringAt(first.json(), "id") ?? ""
  for (let index = 0; index < 6; index += 1) {
    const next = await gateway.post("/v1/responses", { ...turn({ text: "two" }), previous_response_id: previous })
    expect(next.status).toBe(200)
  }
})

describe("healed unseen", () => {
  test("an access token that is refused is refreshed, and the same account asked again", async () => {
    await using own = await startRelayed({}, 1)
    own.control.markAccess("account-1", "expired")
    const reply = await own.post("/v1/chat/completions", chat({ stream: true }))
    expect(reply.text).toEndWith("data: [DONE]\n\n")
    expect(own.turns().map(({ status }) => status)).toEqual([401, 200])
  })

  test("an account whose quota is spent is passed over for another one", async () => {
    await using own = await startRelayed()
    own.control.script({ scenario: "usage-limit", times: 1 })
    const reply = await own.post("/v1/messages", { ...message, stream: true })
    expect(reply.text).toContain("message_stop")
    const [first, second] = own.turns()
    expect(first?.status).toBe(429)
    expect(second?.account).not.toBe(first?.account)
  })

  test("a failure inside a 200 before any output is none to the client", async () => {
    await using own = await startRelayed()
    own.control.script({ scenario: "failure", settings: { errorForm: "failed" }, times: 1 })
    const reply = await own.post("/v1/responses", turn({ stream: true }))
    expect(reply.text).toContain("response.completed")
    expect(own.turns()).toHaveLength(2)
  })

  test("an answer without output is asked for once more, elsewhere", async () => {
    await using own = await startRelayed()
    own.control.script({ scenario: "empty", times: 1 })
    const reply = await own.post("/v1/chat/completions", chat({ stream: true }))
    expect(streamedText(reply.text)).toContain(ANSWER)
    expect(own.turns()).toHaveLength(2)
  })

  test("without output everywhere the second one is handed on", async () => {
    await using own = await startRelayed()
    own.control.script({ scenario: "empty" })
    const reply = await own.post("/v1/chat/completions", chat({ stream: true }))
    expect(reply.status).toBe(200)
    expect(reply.text).toEndWith("data: [DONE]\n\n")
  })
})

describe("not healed", () => {
  test("a cut in the middle is told inside the stream, and the connection reset", async () => {
    await using own = await startRelayed()
    own.control.script({ settings: { cut: "reset", cutAfterEvents: 8 } })
    const exchange = own.open("/v1/chat/completions", chat({ stream: true }))
    expect(await exchange.status).toBe(200)
    expect(await exchange.ended).toBe("cut")
    expect(exchange.text()).toContain('"error"')
    expect(own.turns()).toHaveLength(1)
  })

  test("a refusal of the request itself reaches the client in its dialect", async () => {
    const reply = await gateway.post("/v1/messages", { ...message, model: "no-such-model" })
    expect(reply.status).toBe(404)
    expect(reply.json()).toMatchObject({ type: "error", error: { type: "not_found_error" } })
  })

  test("a key that is none is refused before a large body is read", async () => {
    const headers = { "content-length": String(50 * 1024 * 1024), authorization: "Bearer wrong" }
    const exchange = rawRequest(gateway.url, { path: "/v1/chat/completions", headers })
    expect(await exchange.status).toBe(401)
    exchange.leave()
  })

  test("a body over the limit is refused by what it states", async () => {
    await using own = await startRelayed({ "max-body-bytes": 2_000_000 })
    const reply = await own.post("/v1/chat/completions", chat({ text: "x".repeat(2_100_000) }))
    expect(reply.status).toBe(413)
    expect(reply.json()).toMatchObject({ error: { code: "request_too_large" } })
  })

  test("a body that stops coming is told so in its dialect", async () => {
    await using own = await startRelayed({ "body-timeout": 0.2 })
    const headers = { "content-length": "500", authorization: `Bearer ${own.key}` }
    const exchange = rawRequest(own.url, { path: "/v1/messages", headers })
    expect(await exchange.status).toBe(408)
    expect(await exchange.until("did not arrive in time")).toContain('"type":"error"')
  })
})

test.each([200_000, 3_000_000])("a body of %d bytes arrives whole", async bytes => {
  // Whatever is cut off takes the last brace along.
  const body = `${JSON.stringify(chat())
    .slice(0, -1)
    .padEnd(bytes - 1)}}`
  const reply = await gateway.post("/v1/chat/completions", body)
  expect(reply.status).toBe(200)
  expect(JSON.stringify(reply.json())).toContain(ANSWER)
})

test("a client that leaves ends the upstream request, and its lease comes back", async () => {
  await using own = await startRelayed()
  own.control.script({ settings: { hold: "held", holdAfterEvents: 6 } })
  const exchange = own.open("/v1/chat/completions", chat({ stream: true }))
  await exchange.until("chat.completion.chunk")
  exchange.leave()
  await until("the upstream sees its client go", () => own.control.waiting("held") === 0, 1_000)
  await own.idle()
})

describe("not carried", () => {
  test("the operators' surface is served over a relay, bodies and all", async () => {
    const accounts = await gateway.get("/api/admin/accounts", { authorization: "" })
    expect(accounts.status).toBe(200)
    expect(arrayAt(accounts.json(), "accounts")).toHaveLength(2)
    const made = await gateway.post("/api/admin/keys", { name: "tenant" }, { authorization: "" })
    expect(made.status).toBe(200)
    expect((await gateway.get("/v1/models")).status).toBe(200)
    const counted = await gateway.post("/v1/messages/count_tokens", message)
    expect(counted.json()["input_tokens"]).toBeGreaterThan(0)
    expect((await gateway.get("/nowhere")).status).toBe(404)
  })

  test("a client's word about where it is counts for nothing, carried or passed on", async () => {
    const order = { name: "elsewhere", addresses: ["10.0.0.0/8"] }
    const made = await gateway.post("/api/admin/keys", order, { authorization: "" })
    const headers = { authorization: `Bearer ${made.json()["key"]}`, "x-sluice-passed-peer": "10.1.2.3" }
    expect((await gateway.post("/v1/chat/completions", chat(), headers)).status).toBe(403)
    expect((await gateway.get("/v1/models", headers)).status).toBe(403)
    // And one that claims to be from elsewhere is still at this machine.
    const here = await gateway.get("/api/admin/accounts", { authorization: "", "x-sluice-passed-peer": "192.0.2.1" })
    expect(here.status).toBe(200)
    expect(gateway.turns().every(({ headers }) => headers["x-sluice-passed-peer"] === undefined)).toBe(true)
  })

  test("a WebSocket is bridged frame by frame", async () => {
    const socket = await openResponsesSocket(`${gateway.url}/v1/responses`, { authorization: `Bearer ${gateway.key}` })
    for (const text of ["one", "two"]) {
      const input = `${PROMPT_MARK} ${text}`
      const frames = await socket.ask({ type: "response.create", model: "gpt-5.5", input, store: false })
      expect(frames.at(-1)?.["type"]).toBe("response.completed")
    }
    socket.close()
    await socket.closed
  })

  test("a WebSocket without a key is refused in words", async () => {
    const refused = dial(`${gateway.url}/v1/responses`, { authorization: "Bearer wrong" })
    const closed = await new Promise<boolean>(resolve => {
      refused.onopen = () => resolve(false)
      refused.onclose = () => resolve(true)
    })
    expect(closed).toBe(true)
    const headers = { authorization: "Bearer wrong", upgrade: "websocket", connection: "upgrade" }
    const exchange = rawRequest(gateway.url, { method: "GET", path: "/v1/responses", headers })
    expect(await exchange.status).toBe(401)
    expect(await exchange.until("invalid_api_key")).toContain("error")
  })

  test("turns over WebSockets to the upstream are the owner's", async () => {
    await using own = await startRelayed({ "upstream-transport": "ws" })
    const reply = await own.post("/v1/chat/completions", chat({ stream: true }))
    expect(reply.text).toEndWith("data: [DONE]\n\n")
    expect(own.control.sockets()).toHaveLength(1)
  })
})

describe("the end", () => {
  test("a stop lets a stream finish that is carried", async () => {
    const own = await startFaultGateway({ settings: RELAYS })
    own.control.script({ settings: { hold: "last", holdAfterEvents: 6 } })
    const exchange = own.open("/v1/chat/completions", chat({ stream: true }))
    await exchange.until("chat.completion.chunk")
    const stopped = own.process().stop()
    await until("it is told to stop", () => own.process().output().includes("stopping"))
    own.control.release()
    expect(await exchange.ended).toBe("whole")
    expect(exchange.text()).toEndWith("data: [DONE]\n\n")
    expect(await stopped).toBe(0)
    await own.stop()
  })

  test("a stream that does not finish in time is told why", async () => {
    const own = await startFaultGateway({ settings: { ...RELAYS, "shutdown-timeout": 0.2 } })
    own.control.script({ settings: { hold: "never", holdAfterEvents: 6 } })
    const exchange = own.open("/v1/chat/completions", chat({ stream: true }))
    await exchange.until("chat.completion.chunk")
    expect(await own.process().stop()).toBe(0)
    expect(await exchange.ended).toBe("cut")
    expect(exchange.text()).toContain("gateway_stopping")
    await own.stop()
  })

  test("a port that another program has is refused, with relays as without", async () => {
    const taken = Bun.serve({ port: 0, hostname: "127.0.0.1", reusePort: true, fetch: () => new Response() })
    try {
      const listen = `127.0.0.1:${taken.port}`
      await expect(startFaultGateway({ settings: { ...RELAYS, listen } })).rejects.toThrow("Cannot listen")
    } finally {
      await taken.stop(true)
    }
  })
})
