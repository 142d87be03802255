/** Failures inside a 200: repaired before the first token, told honestly after it. */

import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"

import { isJsonObject, type JsonObject } from "#core/json.ts"

import { readEvents } from "../support/sse.ts"
import { chat, type FaultGateway, startFaultGateway, turn } from "./fixture.ts"
import type { RawExchange } from "./raw-client.ts"

setDefaultTimeout(30_000)

let gateway: FaultGateway

beforeAll(async () => {
  // A usage limit takes its account out for the rest of the file: there are enough for every case.
  gateway = await startFaultGateway({ accounts: 40 })
})
afterEach(async () => {
  gateway.control.clearScripts()
  await gateway.idle()
})
afterAll(() => gateway.stop())

const FORMS = ["pair", "flat", "failed"] as const

/** `dispatches`: overload and server errors are tried once more on the same account, then elsewhere. */
const CAUSES = [
  { code: "server_is_overloaded", failures: 2, dispatches: 3 },
  { code: "server_error", failures: 2, dispatches: 3 },
  { code: "usage_limit_reached", failures: 1, dispatches: 2 },
  { code: "rate_limit_exceeded", failures: 1, dispatches: 2 },
] as const

const DIALECTS = [
  { name: "chat", path: "/v1/chat/completions", body: chat },
  { name: "responses", path: "/v1/responses", body: turn },
] as const

type Case = {
  readonly label: string
  readonly path: string
  readonly body: JsonObject
  readonly stream: boolean
  readonly dispatches: number
}

function casesOf(form: (typeof FORMS)[number]): readonly Case[] {
  return CAUSES.flatMap(({ code, failures, dispatches }) =>
    DIALECTS.flatMap(({ name, path, body }) =>
      [true, false].map(stream => {
        const label = `${form}-${code}-${name}-${stream ? "stream" : "json"}`
        const text = `[[simulate: failure code=${code} error-form=${form} times=${failures} text=${label}]]`
        return { label, path, body: body({ text, stream }), stream, dispatches }
      }),
    ),
  )
}

function turnsOf(label: string) {
  return gateway.turns().filter(({ body }) => JSON.stringify(body).includes(`text=${label}]]`))
}

function expectCleanStream(text: string): void {
  const events = readEvents(text)
  expect(text).not.toContain('"error":{')
  const starts = events.filter(
    ({ event, data }) => event === "response.created" || data.includes('"role":"assistant","con'),
  )
  expect(starts).toHaveLength(1)
  const ends = events.filter(({ event, data }) => event === "response.completed" || data === "[DONE]")
  expect(ends).toHaveLength(1)
}

describe("fault 42: a failure inside a 200 before any output is repaired on another account", () => {
  test.each(FORMS)("said as %s, for every cause, in both dialects, streamed and whole", async form => {
    await gateway.earnRetries(60)
    gateway.control.clearRecorded()
    const cases = casesOf(form)
    const replies = await Promise.all(cases.map(({ path, body }) => gateway.post(path, body)))
    for (const [index, { label, stream, dispatches }] of cases.entries()) {
      const reply = replies[index]
      const seen = turnsOf(label)
      expect({ label, status: reply?.status, dispatches: seen.length }).toEqual({ label, status: 200, dispatches })
      expect(new Set(seen.map(({ account }) => account)).size).toBe(2)
      if (stream) expectCleanStream(reply?.text ?? "")
      else expect(reply?.json()["error"] ?? null).toBeNull()
    }
  })
})

async function finish(exchange: RawExchange) {
  const end = await exchange.ended
  return { status: await exchange.status, end, events: readEvents(exchange.text()), text: exchange.text() }
}

function errorOf(data: string): JsonObject {
  const parsed: JsonObject = JSON.parse(data)
  const error = parsed["error"] ?? (isJsonObject(parsed["response"]) ? parsed["response"]["error"] : undefined)
  return isJsonObject(error) ? error : parsed
}

describe.each(["reset", "end"] as const)("fault 38: the upstream breaks off after output (%s)", cut => {
  const script = () => gateway.control.script({ scenario: "text", settings: { cut, cutAfterEvents: 6 } })

  test("a chat stream ends with an error frame and a cut connection, without [DONE] and without finish_reason", async () => {
    script()
    gateway.control.clearRecorded()
    const { status, end, events, text } = await finish(gateway.open("/v1/chat/completions", chat({ stream: true })))
    expect({ status, end }).toEqual({ status: 200, end: "cut" })
    expect(errorOf(events.at(-1)?.data ?? "")).toMatchObject({
      message: expect.any(String),
      type: "server_error",
      code: "upstream_stream_break",
      param: null,
    })
    expect(text).not.toContain("[DONE]")
    expect(text).not.toMatch(/"finish_reason":"/)
    expect(gateway.turns()).toHaveLength(1)
  })

  test.each([
    { client: "any client", headers: {}, ending: "error" },
    // Codex skips a bare `error` event: https://github.com/openai/codex codex-api/src/sse/responses.rs
    { client: "Codex", headers: { originator: "codex_cli_rs" }, ending: "response.failed" },
  ])("a responses stream of $client ends with $ending and a cut connection", async ({ headers, ending }) => {
    script()
    gateway.control.clearRecorded()
    const { status, end, events } = await finish(gateway.open("/v1/responses", turn({ stream: true }), headers))
    expect({ status, end }).toEqual({ status: 200, end: "cut" })
    expect(events.at(-1)?.event).toBe(ending)
    expect(errorOf(events.at(-1)?.data ?? "")).toMatchObject({ code: "upstream_stream_break" })
    expect(events.filter(({ event }) => event === "response.completed")).toHaveLength(0)
    expect(gateway.turns()).toHaveLength(1)
  })

  test.each(DIALECTS)("a whole $name answer becomes 502 upstream_stream_break", async ({ path, body }) => {
    script()
    gateway.control.clearRecorded()
    const reply = await gateway.post(path, body())
    expect(reply.status).toBe(502)
    expect(reply.json()["error"]).toMatchObject({ type: "server_error", code: "upstream_stream_break", param: null })
    expect(gateway.turns()).toHaveLength(1)
  })

  test("the account that broke off stays in use", async () => {
    script()
    await finish(gateway.open("/v1/responses", turn({ stream: true })))
    const { accounts } = (await gateway.get("/stats")).json() as unknown as {
      readonly accounts: readonly { readonly transitions: readonly { readonly detail: string }[] }[]
    }
    const charged = accounts.filter(({ transitions }) => transitions.some(({ detail }) => detail.includes("break")))
    expect(charged).toHaveLength(0)
  })
})

test("a failure event after output is passed on in the dialect and the connection is cut", async () => {
  gateway.control.script({ scenario: "late-failure", settings: { code: "server_is_overloaded" } })
  gateway.control.clearRecorded()
  const inChat = await finish(gateway.open("/v1/chat/completions", chat({ stream: true })))
  expect(errorOf(inChat.events.at(-1)?.data ?? "")).toMatchObject({
    type: "server_error",
    code: "server_is_overloaded",
  })
  expect(inChat.end).toBe("cut")
  const inResponses = await finish(gateway.open("/v1/responses", turn({ stream: true })))
  expect(inResponses.events.at(-1)?.event).toBe("error")
  expect(inResponses.end).toBe("cut")
  expect(gateway.turns()).toHaveLength(2)
})

test("the event that ends a cut stream arrives although the connection is reset behind it", async () => {
  gateway.control.script({ scenario: "text", settings: { cut: "end", cutAfterEvents: 6 } })
  const bodies = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const exchange = gateway.open("/v1/chat/completions", chat({ stream: true }))
      await exchange.ended
      return exchange.text()
    }),
  )
  expect(bodies.filter(body => body.includes("upstream_stream_break"))).toHaveLength(20)
})

test.each(["dead", "truncated"])(
  "a stream that is %s before output is tried again, once on the same account",
  async scenario => {
    await gateway.earnRetries(10)
    gateway.control.clearRecorded()
    gateway.control.script({ scenario, settings: { cutAfterEvents: scenario === "dead" ? 0 : 2 }, times: 1 })
    const reply = await gateway.post("/v1/chat/completions", chat({ stream: true }))
    expect(reply.status).toBe(200)
    expectCleanStream(reply.text)
    const accounts = gateway.turns().map(({ account }) => account)
    expect(accounts).toHaveLength(2)
    expect(accounts[0]).toBe(accounts[1] ?? "")
  },
)
