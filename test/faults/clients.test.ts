/** Clients that leave, stall, dawdle or flood: nobody else notices and nothing stays behind. */

import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"
import { readFileSync } from "node:fs"

import { isJsonObject, type JsonObject } from "#core/json.ts"

import { chat, type FaultGateway, type StatsBody, startFaultGateway, turn, until } from "./fixture.ts"
import { type RawExchange, rawRequest } from "./raw-client.ts"

setDefaultTimeout(20_000)

let gateway: FaultGateway

beforeAll(async () => {
  gateway = await startFaultGateway({
    accounts: 1,
    settings: { "account-concurrency": 1, "body-timeout": 1, "max-body-bytes": 200_000 },
  })
})
afterEach(async () => {
  gateway.control.release()
  gateway.control.clearScripts()
  await gateway.idle()
  gateway.control.clearRecorded()
})
afterAll(() => gateway.stop())

const LANES = [
  { lane: "a chat stream", path: "/v1/chat/completions", body: chat({ stream: true }) },
  { lane: "a chat answer", path: "/v1/chat/completions", body: chat() },
  { lane: "a responses stream", path: "/v1/responses", body: turn({ stream: true }) },
  { lane: "a responses answer", path: "/v1/responses", body: turn() },
] as const

async function poolOf(): Promise<StatsBody["pool"]> {
  return ((await gateway.get("/stats")).json() as unknown as StatsBody).pool
}

/** Leaves, and expects the upstream to see it within 100 ms and the slot to be free. */
async function leaveAndExpectClosed(exchange: RawExchange, gate: string): Promise<void> {
  exchange.leave()
  await until("the upstream sees its client go", () => gateway.control.waiting(gate) === 0, 100)
  await gateway.idle()
  expect(gateway.turns()).toHaveLength(1)
}

describe.each(LANES)("fault 43: the client of $lane leaves", ({ path, body }) => {
  test("while it waits for an account: nothing is ever sent for it", async () => {
    gateway.control.script({ settings: { hold: "first", holdAfterEvents: 2 } })
    const first = gateway.open("/v1/responses", turn({ text: "first", stream: true }))
    await gateway.control.untilWaiting("first", 1)
    const queued = gateway.open(path, body)
    await until("it waits", async () => (await poolOf()).waiting === 1)
    queued.leave()
    await until("it no longer waits", async () => (await poolOf()).waiting === 0, 100)
    gateway.control.release("first")
    expect(await first.ended).toBe("whole")
    expect(gateway.turns()).toHaveLength(1)
  })

  test("before the upstream's headers: the upstream request is closed and not tried again", async () => {
    gateway.control.script({ settings: { hold: "headers", holdAfterEvents: -1 } })
    const exchange = gateway.open(path, body)
    await gateway.control.untilWaiting("headers", 1)
    await leaveAndExpectClosed(exchange, "headers")
  })

  test("in the middle of the answer: the upstream request is closed and not tried again", async () => {
    gateway.control.script({ scenario: "text", settings: { hold: "middle", holdAfterEvents: 6 } })
    const exchange = gateway.open(path, body)
    await gateway.control.untilWaiting("middle", 1)
    if (body["stream"] === true) await exchange.until("delta")
    await leaveAndExpectClosed(exchange, "middle")
  })
})

test("a client that leaves is no error of the gateway or of the account", async () => {
  const { totals, accounts } = (await gateway.get("/stats")).json() as unknown as {
    readonly totals: { readonly errors: number; readonly cancelled: number }
    readonly accounts: readonly { readonly status: string }[]
  }
  expect(totals.errors).toBe(0)
  expect(totals.cancelled).toBe(12)
  expect(accounts.map(({ status }) => status)).toEqual(["ready"])
})

test("a client that leaves in the pause before another try ends the tries", async () => {
  await gateway.earnRetries(5)
  gateway.control.clearRecorded()
  gateway.control.script({ scenario: "overloaded", times: 1 })
  const exchange = gateway.open("/v1/responses", turn())
  await until("the first try was refused", () => gateway.turns()[0]?.status === 503)
  exchange.leave()
  // Longer than the pause before a second try.
  await Bun.sleep(900)
  expect(gateway.turns()).toHaveLength(1)
})

test("clients that leave at any moment leave no slot taken", async () => {
  gateway.control.script({ scenario: "text", settings: { words: 20, eventDelayMs: 1 } })
  for (let wave = 0; wave < 6; wave += 1) {
    const leaving = Array.from({ length: 40 }, async (_, index) => {
      const exchange = gateway.open("/v1/responses", turn({ text: `leaving ${wave} ${index}`, stream: index % 3 > 0 }))
      await Bun.sleep((index * 7 + wave * 3) % 41)
      exchange.leave()
    })
    await Promise.all(leaving)
  }
  await gateway.idle()
})

test("an operator who leaves in the middle of a long report disturbs nobody", async () => {
  gateway.control.script({ endpoint: "token", settings: { headersDelayMs: 100 }, times: 1 })
  const exchange = gateway.open("/refresh", "", { accept: "text/event-stream" })
  await until("the exchange has begun", () => gateway.control.recorded({ path: "/oauth/token" }).length === 1)
  exchange.leave()
  await until("the exchange is over", () => gateway.control.recorded({ path: "/oauth/token" })[0]?.status === 200)
  expect((await gateway.post("/v1/responses", turn())).status).toBe(200)
})

/** Resident memory of the gateway in bytes. */
function rssBytes(): number {
  const status = readFileSync(`/proc/${gateway.process().pid}/status`, "utf8")
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024
}

test.skipIf(process.platform !== "linux")(
  "fault 44: memory stays flat for a client that never reads a 40 MB answer",
  async () => {
    gateway.control.script({ scenario: "text", settings: { words: 200_000 } })
    const beforeBytes = rssBytes()
    const exchange = gateway.open("/v1/chat/completions", chat({ stream: true }))
    exchange.socket.pause()
    await until("the upstream is asked", () => gateway.turns().length === 1)
    let highestBytes = 0
    for (let looks = 0; looks < 20; looks += 1) {
      await Bun.sleep(100)
      highestBytes = Math.max(highestBytes, rssBytes())
    }
    expect(highestBytes - beforeBytes).toBeLessThan(48 * 1024 * 1024)
    exchange.leave()
    await gateway.idle()
  },
)

function expectEnvelope(text: string): JsonObject {
  const error = (JSON.parse(text) as JsonObject)["error"]
  if (!isJsonObject(error)) throw new Error(`no error object: ${text}`)
  expect(error).toMatchObject({ message: expect.any(String), type: expect.any(String), code: expect.any(String) })
  expect(error).toHaveProperty("param")
  return error
}

describe("bodies", () => {
  const head = (headers: Readonly<Record<string, string>>): RawExchange =>
    rawRequest(gateway.url, {
      path: "/v1/chat/completions",
      headers: { authorization: `Bearer ${gateway.key}`, "content-type": "application/json", ...headers },
    })

  test("one that trickles and then stops ends with 408 in the envelope", async () => {
    const exchange = head({ "content-length": "1000" })
    for (let sent = 0; sent < 4; sent += 1) {
      exchange.socket.write('{"a"')
      await Bun.sleep(300)
    }
    expect(await exchange.status).toBe(408)
    await exchange.until("}")
    expect(expectEnvelope(exchange.text())).toMatchObject({ code: "request_timeout" })
    expect(exchange.headers()["x-request-id"]).toMatch(/^req_/)
    // What may still come of the body must not be read as the next request.
    if (!exchange.socket.closed) await new Promise(resolve => exchange.socket.once("close", resolve))
  })

  test("one that comes slowly but steadily is served, however long it takes", async () => {
    const body = JSON.stringify(chat())
    const exchange = head({ "content-length": String(body.length) })
    for (let at = 0; at < body.length; at += 20) {
      exchange.socket.write(body.slice(at, at + 20))
      await Bun.sleep(250)
    }
    expect(await exchange.status).toBe(200)
  })

  test("one whose client leaves half-way is nobody's error", async () => {
    const exchange = head({ "content-length": "1000" })
    exchange.socket.write('{"model":')
    await Bun.sleep(50)
    exchange.leave()
    expect((await gateway.get("/health")).status).toBe(200)
  })

  test("one over the limit is refused by its stated length, and the next request is served", async () => {
    const reply = await gateway.post("/v1/chat/completions", chat({ text: "x".repeat(300_000) }))
    expect(reply.status).toBe(413)
    expect(expectEnvelope(reply.text)).toMatchObject({ type: "invalid_request_error", code: "request_too_large" })
    expect((await gateway.post("/v1/chat/completions", chat())).status).toBe(200)
  })

  test("one over the limit is refused although it never states its length", async () => {
    const exchange = head({ "transfer-encoding": "chunked" })
    const piece = "x".repeat(60_000)
    for (let sent = 0; sent < 5; sent += 1) exchange.socket.write(`${piece.length.toString(16)}\r\n${piece}\r\n`)
    exchange.socket.write("0\r\n\r\n")
    expect(await exchange.status).toBe(413)
    await exchange.until("}")
    expect(expectEnvelope(exchange.text())).toMatchObject({ code: "request_too_large" })
    exchange.leave()
    expect((await gateway.post("/v1/chat/completions", chat())).status).toBe(200)
  })

  test.each([
    { what: "broken JSON", body: '{"model": "gpt-5.5", ', code: "invalid_json" },
    { what: "an array", body: "[]", code: "invalid_json" },
    { what: "null", body: "null", code: "invalid_json" },
    { what: "nothing", body: "", code: "invalid_json" },
  ])("$what is 400 $code", async ({ body, code }) => {
    for (const path of ["/v1/chat/completions", "/v1/responses"]) {
      const reply = await gateway.post(path, body)
      expect(reply.status).toBe(400)
      expect(expectEnvelope(reply.text)).toMatchObject({ type: "invalid_request_error", code })
      expect(reply.headers.get("x-request-id")).toMatch(/^req_/)
    }
    expect(gateway.turns()).toHaveLength(0)
  })
})

test("a flood of headers is refused or cut off, and the process lives on", async () => {
  const flood = Object.fromEntries(Array.from({ length: 2_000 }, (_, index) => [`x-flood-${index}`, "y".repeat(100)]))
  const exchange = rawRequest(gateway.url, { method: "GET", path: "/health", headers: flood })
  const status = await exchange.status.catch(() => 0)
  expect([0, 400, 413, 431]).toContain(status)
  exchange.leave()
  expect((await gateway.get("/health")).status).toBe(200)
})

test("bytes that are no HTTP do not disturb the process", async () => {
  const exchange = rawRequest(gateway.url, { method: "\u0016\u0003\u0001", path: "\u0000\u0001" })
  await exchange.status.catch(() => 0)
  exchange.leave()
  expect((await gateway.get("/health")).status).toBe(200)
})

test("a hundred connections that say nothing do not keep anyone else from being served", async () => {
  const silent = Array.from({ length: 100 }, () =>
    rawRequest(gateway.url, { path: "/v1/responses", headers: { "content-length": "5" } }),
  )
  expect((await gateway.post("/v1/chat/completions", chat())).status).toBe(200)
  for (const exchange of silent) exchange.leave()
})
