/** Ollama's port as its clients, and as foreign pages, meet it: addresses, faults, and the configuration changing under it. */

import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"

import { type JsonObject, stringAt } from "#core/json.ts"

import { freePort } from "../support/binary.ts"
import { brokenOllamaInvariants, foldOllamaStream, ollamaLines } from "../support/ollama-invariants.ts"
import { type FaultGateway, PROMPT_MARK, startFaultGateway, until } from "./fixture.ts"
import { type RawExchange, rawRequest } from "./raw-client.ts"

setDefaultTimeout(30_000)

const MODEL = "gpt-5.5:latest"
const PORT = freePort()
const OLLAMA = { enabled: true, port: PORT }
const URL_OF_PORT = `http://127.0.0.1:${PORT}`

let gateway: FaultGateway

beforeAll(async () => {
  gateway = await startFaultGateway({ accounts: 2, settings: { "client-keepalive": 1, ollama: OLLAMA } })
})
afterEach(async () => {
  gateway.control.release()
  gateway.control.clearScripts()
  await gateway.idle()
  gateway.control.clearRecorded()
})
afterAll(() => gateway.stop())

type Answer = { readonly status: number; readonly type: string; readonly text: string; readonly headers: Headers }

async function ask(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const answer = await fetch(`${URL_OF_PORT}${path}`, {
    method,
    headers,
    ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
  })
  return {
    status: answer.status,
    type: answer.headers.get("content-type") ?? "",
    text: await answer.text(),
    headers: answer.headers,
  }
}

const get = (path: string, headers?: Record<string, string>) => ask("GET", path, undefined, headers)
const post = (path: string, body: unknown, headers?: Record<string, string>) => ask("POST", path, body, headers)
const json = (answer: Answer): JsonObject => JSON.parse(answer.text)
const chat = (more: JsonObject = {}): JsonObject => ({
  model: MODEL,
  messages: [{ role: "user", content: `Say ${PROMPT_MARK}` }],
  ...more,
})

function open(body: JsonObject, headers: Record<string, string> = {}): RawExchange {
  return rawRequest(URL_OF_PORT, { path: "/api/chat", body: JSON.stringify(body), headers })
}

describe("addresses", () => {
  test("GET and HEAD of the root say that Ollama is running, and nothing else", async () => {
    expect(await get("/")).toMatchObject({ status: 200, text: "Ollama is running" })
    for (const path of ["/", "/api/version", "/api/tags"]) {
      expect(await ask("HEAD", path)).toMatchObject({ status: 200, text: "" })
    }
    expect(json(await get("/api/version"))).toEqual({ version: "0.18.3" })
    expect(json(await get("/api/ps"))).toEqual({ models: [] })
  })
  test("44, O1: a stream is what comes unless it is refused, whatever the type of the body", async () => {
    const type = { "content-type": "application/x-www-form-urlencoded" }
    const streamed = await post("/api/chat", chat(), type)
    expect(streamed.type).toBe("application/x-ndjson")
    expect(brokenOllamaInvariants(streamed.text, MODEL)).toEqual([])
    const whole = await post("/api/chat", chat({ stream: false }))
    expect(whole.type).toBe("application/json")
    expect(json(whole)["message"]).toEqual(foldOllamaStream(streamed.text)["message"] as JsonObject)
    expect((await post("/api/chat", chat({ stream: "no" }))).status).toBe(400)
  })
  test("a prompt is answered with a bare text", async () => {
    const asked = { model: MODEL, prompt: `Say ${PROMPT_MARK}` }
    const streamed = await post("/api/generate", asked)
    expect(brokenOllamaInvariants(streamed.text, MODEL)).toEqual([])
    const whole = json(await post("/api/generate", { ...asked, stream: false }))
    expect(whole).toMatchObject({ model: MODEL, done_reason: "stop" })
    expect(whole["response"]).toContain(PROMPT_MARK)
    expect(foldOllamaStream(streamed.text)["response"]).toBe(whole["response"] as string)
  })
  test.each([
    ["/api/chat", { model: MODEL }, "load"],
    ["/api/chat", { model: MODEL, messages: [], keep_alive: 0 }, "unload"],
    ["/api/generate", { model: MODEL }, "load"],
    ["/api/generate", { model: MODEL, prompt: "", keep_alive: "0s" }, "unload"],
  ])("52: %s with %j is about the model alone and goes nowhere", async (path, body, reason) => {
    for (const stream of [true, false]) {
      const answer = await post(path, { ...body, stream })
      expect(ollamaLines(`${answer.text.trimEnd()}\n`)).toMatchObject([{ done: true, done_reason: reason }])
    }
    expect(gateway.turns()).toHaveLength(0)
  })
  test("43, O8: every listed name works in show, chat and under /v1, with its tag and without", async () => {
    const { models } = json(await get("/api/tags")) as { models: readonly JsonObject[] }
    expect(models.length).toBeGreaterThan(2)
    for (const name of models.map(model => stringAt(model, "name") ?? "")) {
      expect(name).toEndWith(":latest")
      for (const model of [name, name.slice(0, -":latest".length)]) {
        expect((await post("/api/show", { name: model })).status).toBe(200)
        expect(json(await post("/api/chat", chat({ model, stream: false })))["model"]).toBe(model)
        expect((await post("/v1/chat/completions", chat({ model }))).status).toBe(200)
      }
    }
  })
  test("49: an unknown model is not found, in the words that clients look for", async () => {
    for (const path of ["/api/show", "/api/chat", "/api/generate", "/api/pull"]) {
      const answer = await post(path, chat({ model: "nope:7b" }))
      expect([path, answer.status, json(answer)]).toEqual([path, 404, { error: "model 'nope:7b' not found" }])
    }
  })
  test("a model that is served needs no pulling", async () => {
    expect(await post("/api/pull", { model: MODEL })).toMatchObject({ status: 200, text: '{"status":"success"}\n' })
    expect(json(await post("/api/pull", { name: MODEL, stream: false }))).toEqual({ status: "success" })
  })
  test.each(["push", "create", "copy", "embed", "embeddings", "blobs/sha256:ab"])(
    "/api/%s is refused with the reason",
    async path => {
      const answer = await post(`/api/${path}`, { model: MODEL })
      expect(answer.status).toBe(501)
      expect(json(answer)).toEqual({ error: expect.stringMatching(/.{20}/) })
    },
  )
  test("deleting is refused, a wrong method and an unknown address are named", async () => {
    expect((await ask("DELETE", "/api/delete", { model: MODEL })).status).toBe(501)
    expect((await get("/api/chat")).status).toBe(405)
    expect(await get("/api/unheard-of")).toMatchObject({ status: 404, text: expect.stringContaining('{"error":"') })
  })
  test("a body that is missing or says no model is refused", async () => {
    for (const path of ["/api/chat", "/api/generate", "/api/show", "/api/pull"]) {
      expect(await ask("POST", path)).toMatchObject({ status: 400, text: '{"error":"missing request body"}' })
      expect(await post(path, {})).toMatchObject({ status: 400, text: expect.stringMatching(/"error":"[^"]*model/) })
      expect((await post(path, "{")).status).toBe(400)
    }
  })
  test("a program that shows the base name is told the name it has asked for", async () => {
    const headers = { "user-agent": "GitHubCopilotChat/0.30" }
    const shown = json(await post("/api/show", { model: MODEL }, headers)) as { model_info: JsonObject }
    expect(shown.model_info["general.basename"]).toBe(MODEL)
  })
})

test("a client that names no host is served", async () => {
  const empty = { host: "" }
  const exchanges = [
    rawRequest(URL_OF_PORT, { method: "GET", path: "/api/tags", headers: empty }),
    rawRequest(URL_OF_PORT, { method: "GET", path: "/v1/models", headers: empty }),
    open(chat({ stream: false }), empty),
  ]
  for (const exchange of exchanges) {
    expect(await exchange.status).toBe(200)
    await exchange.until("model")
    exchange.leave()
  }
})

describe("/v1", () => {
  test("is the gateway's own, without a key and whatever key is sent along", async () => {
    for (const headers of [{}, { authorization: "Bearer somebody-else's" }]) {
      expect(json(await get("/v1/models", headers))).toHaveProperty("data")
      const answer = await post("/v1/chat/completions", chat({ stream: true }), headers)
      expect(answer.type).toStartWith("text/event-stream")
      expect(answer.text).toEndWith("data: [DONE]\n\n")
    }
    expect(JSON.stringify(gateway.turns()[1])).not.toContain("somebody-else")
    const message = { model: MODEL, max_tokens: 9, messages: [{ role: "user", content: `Say ${PROMPT_MARK}` }] }
    expect(json(await post("/v1/messages", message))).toMatchObject({ type: "message" })
    const turn = { model: MODEL, input: `Say ${PROMPT_MARK}` }
    expect(json(await post("/v1/responses", turn))).toMatchObject({ object: "response" })
    expect((await get(`/v1/models/${MODEL}`)).status).toBe(200)
    expect((await post("/v1/unheard-of", {})).status).toBe(404)
  })
  test("the gateway's own port still wants its key", async () => {
    expect((await fetch(`${gateway.url}/v1/models`)).status).toBe(401)
    expect((await fetch(`${gateway.url}/api/tags`)).status).toBe(404)
  })
})

describe("50, O10: pages", () => {
  const EVERY_ROUTE = [
    ["GET", "/"],
    ["GET", "/api/version"],
    ["GET", "/api/tags"],
    ["GET", "/api/ps"],
    ["POST", "/api/show"],
    ["POST", "/api/chat"],
    ["POST", "/api/generate"],
    ["POST", "/api/pull"],
    ["POST", "/api/embed"],
    ["GET", "/v1/models"],
    ["POST", "/v1/chat/completions"],
    ["POST", "/v1/messages"],
    ["POST", "/v1/responses"],
    ["OPTIONS", "/api/chat"],
    ["OPTIONS", "/v1/chat/completions"],
  ] as const
  const FOREIGN = [
    { origin: "https://evil.example" },
    { origin: "null" },
    { host: "rebound.evil.example:11434" },
    // A name pointed at this machine makes both one site: the browser then sends this origin, or none.
    { host: "rebound.evil.example:11434", origin: "http://rebound.evil.example:11434" },
    { "sec-fetch-site": "cross-site" },
  ] as readonly Record<string, string>[]

  test.each(FOREIGN)("with %j may neither read nor do anything", async headers => {
    for (const [method, path] of EVERY_ROUTE) {
      // As a form sends it, which asks no leave first.
      const simple = { ...headers, "content-type": "text/plain" }
      const exchange = rawRequest(URL_OF_PORT, {
        method,
        path,
        headers: simple,
        ...(method === "POST" && { body: JSON.stringify({ ...chat(), prompt: "x", input: "x" }) }),
      })
      expect([method, path, await exchange.status]).toEqual([method, path, 403])
      await exchange.ended.catch(() => undefined)
      expect(Object.keys(exchange.headers()).filter(name => name.startsWith("access-control"))).toEqual([])
      exchange.leave()
    }
    expect(gateway.turns()).toHaveLength(0)
  })

  test("of this machine, and desktop programs, may do both, and nobody else may read along", async () => {
    for (const origin of ["http://localhost:3000", "app://obsidian.md", "vscode-webview://x"]) {
      const leave = await ask("OPTIONS", "/api/chat", undefined, {
        origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type",
      })
      expect(leave.status).toBe(204)
      expect(leave.headers.get("access-control-allow-headers")).toContain("Content-Type")
      const answer = await post("/api/chat", chat(), { origin })
      for (const { headers } of [leave, answer]) {
        expect(headers.get("access-control-allow-origin")).toBe(origin)
        expect(headers.get("vary")).toContain("Origin")
      }
    }
  })

  test("that the operator names may, from the moment the file is written", async () => {
    const headers = { origin: "https://chat.example.com" }
    expect((await get("/api/tags", headers)).status).toBe(403)
    await gateway.configure({ ollama: { ...OLLAMA, origins: "https://chat.example.com" } })
    await until("the page is let in", async () => (await get("/api/tags", headers)).status === 200)
    expect((await get("/api/tags", { origin: "https://other.example.com" })).status).toBe(403)
    await gateway.configure({})
  })
})

describe("failures", () => {
  test("41: a limit told inside a 200 is a status of its own, once no account is left to try", async () => {
    gateway.control.script({ scenario: "failure", settings: { code: "rate_limit_exceeded", errorForm: "failed" } })
    const answer = await post("/api/chat", chat())
    expect(answer.status).toBeGreaterThanOrEqual(429)
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0)
    expect(json(answer)).toEqual({ error: expect.any(String) })
  })

  test.each(["end", "reset"])(
    "27, 53: an answer that breaks off upstream (%s) ends with an error and is not done",
    async cut => {
      gateway.control.script({ scenario: "text", settings: { cut, cutAfterEvents: 8 } })
      const exchange = open(chat())
      expect(await exchange.ended).toBe("cut")
      expect(brokenOllamaInvariants(exchange.text(), MODEL)).toEqual([])
      const lines = ollamaLines(exchange.text())
      expect(lines.length).toBeGreaterThan(1)
      expect(lines.at(-1)).toEqual({ error: expect.any(String) })
    },
  )

  test.each(["pair", "flat", "failed"] as const)(
    "53: a failure behind a whole message (%s) is the last line",
    async errorForm => {
      gateway.control.script({ scenario: "late-failure", settings: { code: "server_error", errorForm } })
      const exchange = open(chat())
      expect(await exchange.ended).toBe("cut")
      expect(await exchange.status).toBe(200)
      expect(brokenOllamaInvariants(exchange.text(), MODEL)).toEqual([])
      const lines = ollamaLines(exchange.text())
      expect(lines.length).toBeGreaterThan(1)
      expect(lines.at(-1)).toEqual({ error: expect.any(String) })
    },
  )

  test("40: a client that leaves ends the upstream request at once", async () => {
    gateway.control.script({ scenario: "text", settings: { hold: "middle", holdAfterEvents: 6 } })
    const exchange = open(chat())
    await gateway.control.untilWaiting("middle", 1)
    await exchange.until('"message"')
    exchange.leave()
    await until("the upstream sees its client go", () => gateway.control.waiting("middle") === 0, 200)
    await gateway.idle()
    expect(gateway.turns()).toHaveLength(1)
  })

  test("55: a silent stream is filled with empty texts, and then goes on", async () => {
    gateway.control.script({ scenario: "text", settings: { hold: "middle", holdAfterEvents: 6 } })
    const exchange = open(chat({ think: false }))
    await gateway.control.untilWaiting("middle", 1)
    await until("a line without text came", () => exchange.text().includes('"content":""},"done":false'), 5000)
    gateway.control.release("middle")
    expect(await exchange.ended).toBe("whole")
    expect(brokenOllamaInvariants(exchange.text(), MODEL)).toEqual([])
    expect(ollamaLines(exchange.text()).at(-1)).toMatchObject({ done: true, done_reason: "stop" })
  })
})

test("a stop tells a running answer so in its last line, and ends", async () => {
  const port = freePort()
  const other = await startFaultGateway({
    accounts: 1,
    settings: { ollama: { enabled: true, port }, "shutdown-timeout": 0.2 },
  })
  try {
    other.control.script({ scenario: "text", settings: { hold: "middle", holdAfterEvents: 6 } })
    const exchange = rawRequest(`http://127.0.0.1:${port}`, { path: "/api/chat", body: JSON.stringify(chat()) })
    await other.control.untilWaiting("middle", 1)
    await exchange.until('"message"')
    const stopped = other.process().stop()
    expect(await exchange.ended).toBe("cut")
    expect(ollamaLines(exchange.text()).at(-1)).toEqual({ error: expect.stringContaining("stopping") })
    expect(await stopped).toBe(0)
  } finally {
    other.control.release()
    await other.stop()
  }
})

describe("the configuration", () => {
  const status = async () => (await gateway.get("/api/admin/ollama-status", NO_KEY)).json()
  // The operators' surface is open to this machine; a client key opens nothing there.
  const NO_KEY = { authorization: "" }

  afterEach(async () => {
    await gateway.configure({})
    await until("the port is back", async () => (await status())["url"] === URL_OF_PORT)
  })

  test("closes the port and opens it again while the gateway runs", async () => {
    await gateway.configure({ ollama: { ...OLLAMA, enabled: false } })
    await until("it is closed", async () => (await status())["running"] === false)
    await expect(get("/")).rejects.toThrow()
    expect((await gateway.get("/v1/models")).status).toBe(200)
  })

  test("moves the port, and an answer under way on the old one is not cut", async () => {
    gateway.control.script({ scenario: "text", settings: { hold: "middle", holdAfterEvents: 6 } })
    const exchange = open(chat())
    await gateway.control.untilWaiting("middle", 1)
    await exchange.until('"message"')
    const port = freePort()
    await gateway.configure({ ollama: { ...OLLAMA, port } })
    await until("it has moved", async () => (await status())["port"] === port)
    expect(await fetch(`http://127.0.0.1:${port}/`).then(answer => answer.text())).toBe("Ollama is running")
    gateway.control.release("middle")
    expect(await exchange.ended).toBe("whole")
    expect(exchange.text()).toContain('"done":true')
  })

  test("51: a port that is taken is told in log and status, and the gateway runs on", async () => {
    const other = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("Ollama is running") })
    await gateway.configure({ ollama: { ...OLLAMA, port: other.port ?? 0 } })
    await until("it is told", async () => typeof (await status())["error"] === "string")
    expect(await status()).toMatchObject({ enabled: true, running: false, port: other.port ?? 0 })
    const lines = gateway
      .process()
      .output()
      .split("\n")
      .filter(line => line.includes("cannot be opened"))
    expect(lines).toHaveLength(1)
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ level: "warn", hint: expect.stringContaining("ollama.port") })
    expect((await gateway.get("/v1/models")).status).toBe(200)
    await other.stop(true)
  })
})
