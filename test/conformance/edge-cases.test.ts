/** Edge cases and invariants that need the whole gateway; the numbers go on from the files in `test/unit/protocols`. */

import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"
import { zstdCompressSync } from "node:zlib"

import { arrayAt, isJsonObject, type Json, type JsonObject, objectAt, stringAt } from "#core/json.ts"

import { type SimulatedGateway, startSimulatedGateway } from "../support/simulated-gateway.ts"
import { readEvents } from "../support/sse.ts"

setDefaultTimeout(60_000)

const CODEX = { "user-agent": "codex_exec/0.169.0 (Linux)", originator: "codex_exec" }

let gateway: SimulatedGateway

beforeAll(async () => {
  // Failures rest accounts, and each test should find a fresh one.
  gateway = await startSimulatedGateway({ accounts: 40, settings: { "keepalive-interval": 0 } })
})
afterEach(() => {
  gateway.control.clearScripts()
  gateway.control.clearRecorded()
})
afterAll(() => gateway.stop())

/** Runs `use` with a gateway of one account that nothing else has failed on. */
async function withOwnGateway(use: (own: SimulatedGateway) => Promise<void>): Promise<void> {
  const own = await startSimulatedGateway({ accounts: 1 })
  try {
    await use(own)
  } finally {
    await own.stop()
  }
}

type Sent = {
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
  /** The gateway to ask, if not the shared one. */
  readonly to?: SimulatedGateway
}

function send(path: string, body: BodyInit, { headers, signal, to = gateway }: Sent = {}): Promise<Response> {
  return fetch(`${to.url}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${to.key}`, "content-type": "application/json", ...headers },
    body,
    ...(signal !== undefined && { signal }),
  })
}

function chat(text: string, more: JsonObject = {}): JsonObject {
  return { model: "gpt-5.5", messages: [{ role: "user", content: text }], ...more }
}

function responses(text: string, more: JsonObject = {}): JsonObject {
  return { model: "gpt-5.5", input: text, ...more }
}

const DIALECTS = [
  { dialect: "chat", path: "/v1/chat/completions", body: chat },
  { dialect: "responses", path: "/v1/responses", body: responses },
] as const

/** The upstream bodies since the last test. */
function upstreamBodies(): readonly JsonObject[] {
  return gateway.control
    .recorded({ path: "/codex/responses" })
    .map(({ body }) => body)
    .filter(isJsonObject)
}

function inputOf(body: JsonObject | undefined): readonly Json[] {
  return arrayAt(body ?? {}, "input") ?? []
}

/** Reads a stream to its end; a reset behind the last event is part of what is tested. */
async function textUntilCut(response: Response): Promise<string> {
  const decoder = new TextDecoder()
  let text = ""
  try {
    for await (const chunk of response.body ?? []) text += decoder.decode(chunk, { stream: true })
  } catch (error) {
    expect(String(error)).toMatch(/closed|reset/i)
  }
  return text
}

async function errorOf(response: Response): Promise<JsonObject> {
  expect(response.headers.get("content-type")).toStartWith("application/json")
  const error = objectAt(JSON.parse(await response.text()), "error") ?? {}
  expect(Object.keys(error)).toEqual(expect.arrayContaining(["message", "type", "param", "code"]))
  return error
}

describe("request side", () => {
  test("28: fast is priority upstream, and auto is left out", async () => {
    await send("/v1/chat/completions", JSON.stringify(chat("hi", { service_tier: "fast" })))
    await send("/v1/chat/completions", JSON.stringify(chat("hi", { service_tier: "auto" })))
    expect(upstreamBodies().map(body => body["service_tier"])).toEqual(["priority", undefined])
  })

  test("30: an effort in the model's name is taken off the name", async () => {
    await send("/v1/chat/completions", JSON.stringify({ ...chat("hi"), model: "gpt-5.5-xhigh" }))
    expect(upstreamBodies()[0]).toMatchObject({ model: "gpt-5.5", reasoning: { effort: "xhigh" } })
  })

  test.each(DIALECTS)("31: a $dialect request with an image of 32 MiB is served", async ({ dialect, path }) => {
    const url = `data:image/png;base64,${"QUJD".repeat(8 * 1024 * 1024 - 1024)}`
    const part =
      dialect === "chat" ? { type: "image_url", image_url: { url } } : { type: "input_image", image_url: url }
    const turn = [{ role: "user", content: [part] }]
    const body = dialect === "chat" ? { model: "gpt-5.5", messages: turn } : { model: "gpt-5.5", input: turn }
    expect((await send(path, JSON.stringify(body))).status).toBe(200)
    const [item] = inputOf(upstreamBodies()[0]).filter(isJsonObject)
    const [image] = arrayAt(item ?? {}, "content") ?? []
    expect(isJsonObject(image) && image["image_url"] === url).toBe(true)
  })

  test.each(DIALECTS)(
    "76: compressed $dialect bodies are read, and unknown encodings are 415",
    async ({ path, body }) => {
      const text = Buffer.from(JSON.stringify(body("hi")))
      const packed: readonly (readonly [string, Uint8Array<ArrayBuffer>])[] = [
        ["gzip", Bun.gzipSync(text)],
        ["zstd", new Uint8Array(zstdCompressSync(text))],
      ]
      for (const [encoding, bytes] of packed) {
        expect((await send(path, bytes, { headers: { "content-encoding": encoding } })).status).toBe(200)
      }
      const refused = await send(path, text, { headers: { "content-encoding": "br" } })
      expect(refused.status).toBe(415)
      expect(await errorOf(refused)).toMatchObject({ type: "invalid_request_error" })
    },
  )

  test("61: refused encrypted reasoning is taken out and the request sent once more", async () => {
    gateway.control.script({ scenario: "encrypted-content", times: 1 })
    const input = [
      { role: "user", content: "a" },
      { type: "reasoning", summary: [], encrypted_content: "gAAAAAforeign" },
      { role: "assistant", content: "b" },
      { role: "user", content: "c" },
    ]
    expect((await send("/v1/responses", JSON.stringify({ model: "gpt-5.5", input }))).status).toBe(200)
    const types = upstreamBodies().map(body =>
      inputOf(body)
        .filter(isJsonObject)
        .map(item => item["type"]),
    )
    expect(types).toEqual([
      ["message", "reasoning", "message", "message"],
      ["message", "message", "message"],
    ])
  })

  test("63: an unknown previous response is a 400 and nothing is sent upstream", async () => {
    const refused = await send(
      "/v1/responses",
      JSON.stringify(responses("hi", { store: true, previous_response_id: "resp_1" })),
    )
    expect(refused.status).toBe(400)
    expect(await errorOf(refused)).toMatchObject({ code: "previous_response_not_found", param: "previous_response_id" })
    expect(upstreamBodies()).toEqual([])
  })

  test("69: a compaction trigger gives exactly one compaction item", async () => {
    const input = [{ role: "user", content: "a" }, { type: "compaction_trigger" }]
    const answer = await send("/v1/responses", JSON.stringify({ model: "gpt-5.5", input }), { headers: CODEX })
    const output = arrayAt(JSON.parse(await answer.text()), "output") ?? []
    expect(output.filter(isJsonObject).map(item => item["type"])).toEqual(["compaction"])
  })
})

describe("output side", () => {
  test.each(DIALECTS)(
    "46: a failure as the first event of a $dialect stream is an HTTP error in JSON",
    async ({ path, body }) => {
      for (const [code, status] of [
        ["server_is_overloaded", 503],
        ["rate_limit_exceeded", 429],
      ] as const) {
        // With one account nobody is left who could still serve, so the refusal is the answer.
        await withOwnGateway(async own => {
          own.control.script({ scenario: "failure", settings: { code } })
          const refused = await send(path, JSON.stringify(body("hi", { stream: true })), { to: own })
          expect(refused.status).toBe(status)
          // Invariant 36: limits say when to come back.
          expect(refused.headers.get("retry-after")).toMatch(/^\d+$/)
          expect(await errorOf(refused)).toMatchObject({ code })
        })
      }
    },
  )

  test("47: a chat stream that breaks off ends with a retryable error, without finish and [DONE]", async () => {
    gateway.control.script({ scenario: "reset", settings: { cutAfterEvents: 20, words: 200 }, times: 1 })
    const text = await textUntilCut(await send("/v1/chat/completions", JSON.stringify(chat("hi", { stream: true }))))
    const frames = readEvents(text).map(({ data }) => data)
    expect(JSON.parse(frames.at(-1) ?? "{}")).toMatchObject({
      error: { type: "server_error", code: "upstream_stream_break" },
    })
    expect(frames).not.toContain("[DONE]")
    expect(text).not.toContain('"finish_reason":"')
  })

  test.each(DIALECTS)("77: a $dialect stream that has begun is never tried again elsewhere", async ({ path, body }) => {
    gateway.control.script({ scenario: "reset", settings: { cutAfterEvents: 20, words: 200 } })
    await textUntilCut(await send(path, JSON.stringify(body("hi", { stream: true }))))
    expect(upstreamBodies()).toHaveLength(1)
  })

  test.each(DIALECTS)(
    "56: a $dialect client that leaves frees the account, and nothing is left unhandled",
    async ({ path, body }) => {
      gateway.control.script({ scenario: "hold", settings: { hold: "leaving", holdAfterEvents: 6 }, times: 1 })
      const leaving = new AbortController()
      const answer = await send(path, JSON.stringify(body("hi", { stream: true })), { signal: leaving.signal })
      await gateway.control.untilWaiting("leaving", 1)
      leaving.abort()
      await answer.text().catch(() => "")
      for (;;) {
        const stats = await fetch(`${gateway.url}/stats`, { headers: { authorization: `Bearer ${gateway.key}` } })
        if (objectAt(JSON.parse(await stats.text()), "pool")?.["leases"] === 0) break
        await Bun.sleep(5)
      }
      expect(gateway.process.output()).not.toMatch(/unhandled/i)
      expect((await send(path, JSON.stringify(body("hi")))).status).toBe(200)
    },
  )

  test("57: keep-alive comments stand alone between whole frames", async () => {
    gateway.control.script({ scenario: "keep-alive-comments", times: 1 })
    const answer = await send("/v1/chat/completions", JSON.stringify(chat("hi", { stream: true })))
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache",
      "x-accel-buffering": "no",
    })
    const text = await answer.text()
    for (const frame of text.split("\n\n")) expect(frame).toMatch(/^(data: .+|:.*|)$/)
  })

  test.each(DIALECTS)("80: a page instead of an error never reaches a $dialect client", async ({ path, body }) => {
    for (const scenario of ["challenge", "blocked", "bad-gateway", "html-200"]) {
      // A page of the edge closes the way out for every account of a gateway.
      await withOwnGateway(async own => {
        own.control.script({ scenario })
        const refused = await send(path, JSON.stringify(body("hi")), { to: own })
        expect(refused.status).toBeGreaterThanOrEqual(500)
        expect(stringAt(await errorOf(refused), "message")).not.toMatch(/[<>]/)
      })
    }
  })

  test("65: Codex is told of a broken stream by response.failed", async () => {
    gateway.control.script({ scenario: "truncated", settings: { cutAfterEvents: 20, words: 200 }, times: 1 })
    const answer = await send("/v1/responses", JSON.stringify(responses("hi", { stream: true })), { headers: CODEX })
    expect(readEvents(await textUntilCut(answer)).at(-1)?.event).toBe("response.failed")
  })

  test("75: a list of models asked for with a client version is the manifest", async () => {
    const get = async (path: string): Promise<JsonObject> => {
      const answer = await fetch(`${gateway.url}${path}`, { headers: { authorization: `Bearer ${gateway.key}` } })
      return JSON.parse(await answer.text())
    }
    expect(Object.keys(await get("/v1/models?client_version=0.169.0"))).toEqual(["models"])
    expect(await get("/v1/models")).toMatchObject({ object: "list" })
  })
})

describe("invariant 25 through the gateway: an append-only history keeps its head and its cache key", () => {
  test.each(DIALECTS)("$dialect", async ({ dialect, path }) => {
    const member = dialect === "chat" ? "messages" : "input"
    const call = { id: "call_1", type: "function", function: { name: "read", arguments: '{"path":"a"}' } }
    const toolRound: readonly JsonObject[] =
      dialect === "chat"
        ? [
            { role: "assistant", content: null, tool_calls: [call] },
            { role: "tool", tool_call_id: "call_1", content: "done" },
          ]
        : [
            { type: "function_call", call_id: "call_1", name: "read", arguments: '{"path":"a"}' },
            { type: "function_call_output", call_id: "call_1", output: "done" },
          ]
    const turns: readonly (readonly JsonObject[])[] = [
      [
        { role: "system", content: "Be brief." },
        { role: "user", content: "one" },
      ],
      [
        { role: "assistant", content: "1" },
        { role: "user", content: "two" },
      ],
      toolRound,
      [
        { role: "assistant", content: "2" },
        { role: "user", content: "three, as json" },
      ],
    ]
    for (let count = 1; count <= turns.length; count++) {
      const body = { model: "gpt-5.5", [member]: turns.slice(0, count).flat() }
      expect((await send(path, JSON.stringify(body))).status).toBe(200)
    }
    const recorded = gateway.control.recorded({ path: "/codex/responses" })
    const bodies = upstreamBodies()
    expect(bodies).toHaveLength(turns.length)
    for (const [at, body] of bodies.entries()) {
      const before = inputOf(bodies[at - 1]).map(item => JSON.stringify(item))
      expect(
        inputOf(body)
          .slice(0, before.length)
          .map(item => JSON.stringify(item)),
      ).toEqual(before)
    }
    const keys = bodies.map(body => body["prompt_cache_key"])
    expect(new Set([...keys, ...recorded.map(({ headers }) => headers["session-id"])]).size).toBe(1)
    expect(new Set(recorded.map(({ account }) => account)).size).toBe(1)
  })
})

describe("errors", () => {
  const mistakes: readonly (readonly [string, BodyInit, number])[] = [
    ["text that is no JSON", "{", 400],
    ["no object", "[]", 400],
    ["no model", "{}", 400],
    [
      "an unknown model",
      JSON.stringify({ model: "nothing", messages: [{ role: "user", content: "x" }], input: "x" }),
      404,
    ],
  ]

  test.each(mistakes)("invariant 35: %s gives the whole envelope", async (_, body, status) => {
    for (const { path } of DIALECTS) {
      const refused = await send(path, body)
      expect(refused.status).toBe(status)
      await errorOf(refused)
    }
  })

  test("invariant 37: no refusal shows a token, a cookie or an account", async () => {
    for (const scenario of [
      "token-invalidated",
      "usage-limit",
      "deactivated-workspace",
      "server-error",
      "model-not-found",
    ]) {
      gateway.control.script({ scenario })
      for (const { path, body } of DIALECTS) {
        const text = await (await send(path, JSON.stringify(body("hi")))).text()
        for (const { email, workspaceId, userId, name, apiKey } of gateway.control.accounts()) {
          const { access_token } = gateway.control.accountFile(name)
          for (const secret of [email, workspaceId, userId, apiKey, access_token]) expect(text).not.toContain(secret)
        }
        expect(text).not.toMatch(/Bearer|set-cookie|cf_clearance/i)
      }
      gateway.control.clearScripts()
    }
  })
})
