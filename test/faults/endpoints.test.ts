/** What the operators' routes, the model lists and compaction answer over the wire. */

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"

import { arrayAt, isJsonObject, type JsonObject, numberAt, objectAt, stringAt } from "#core/json.ts"

import { readEvents } from "../support/sse.ts"
import { chat, type FaultGateway, startFaultGateway, turn } from "./fixture.ts"

setDefaultTimeout(20_000)

let gateway: FaultGateway

beforeAll(async () => {
  gateway = await startFaultGateway({ accounts: 3 })
})
afterAll(async () => {
  await gateway.idle()
  await gateway.stop()
})

const PREFIXES = ["/v1", "", "/backend-api/codex", "/v1/v1"] as const

describe("health", () => {
  test("live, ready and health of a gateway that can serve", async () => {
    expect((await gateway.get("/health/live")).json()).toEqual({ status: "ok" })
    expect((await gateway.get("/health/ready")).json()).toEqual({ ready: true, reasons: [] })
    // Said only where threads carry bytes, which the tests of those look at.
    const { relays: _, ...health } = (await gateway.get("/health")).json()
    expect(health).toEqual({ status: "ok", available: 3, total: 3 })
  })

  test("without any account it lives, is not ready and says why", async () => {
    const empty = await startFaultGateway({ accounts: 0 })
    try {
      expect((await empty.get("/health/live")).status).toBe(200)
      const ready = await empty.get("/health/ready")
      expect(ready.status).toBe(503)
      expect(ready.json()).toEqual({ ready: false, reasons: [expect.stringContaining("`sluice login`")] })
      expect((await empty.get("/health")).json()).toMatchObject({ status: "unavailable", total: 0 })
      const refused = await empty.post("/v1/chat/completions", chat())
      expect(refused.status).toBe(503)
      expect(refused.json()["error"]).toMatchObject({ type: "server_error" })
      expect(refused.headers.get("retry-after")).not.toBeNull()
    } finally {
      await empty.stop()
    }
  })

  test("with every account out it is not ready and counts the reasons", async () => {
    const spent = await startFaultGateway({ accounts: 2 })
    try {
      spent.control.script({ scenario: "usage-limit" })
      await spent.post("/v1/responses", turn())
      const ready = await spent.get("/health/ready")
      expect(ready.status).toBe(503)
      expect(ready.json()).toEqual({ ready: false, reasons: [expect.stringMatching(/2 accounts.*2 quota/)] })
      expect((await spent.get("/health")).json()).toMatchObject({ status: "unavailable", available: 0, total: 2 })
    } finally {
      await spent.stop()
    }
  })
})

test("stats count requests, tokens and load, and show no address, token or account id of the vendor", async () => {
  await gateway.post("/v1/chat/completions", chat())
  const reply = await gateway.get("/stats")
  expect(reply.json()).toMatchObject({
    version: expect.any(String),
    uptime_seconds: expect.any(Number),
    pool: { total: 3, available: 3, leases: 0, waiting: 0 },
    totals: { requests: expect.any(Number), errors: 0, inputTokens: expect.any(Number) },
  })
  expect(arrayAt(reply.json(), "accounts")).toHaveLength(3)
  for (const { email, workspaceId, userId } of gateway.control.accounts()) {
    for (const secret of [email, workspaceId, userId]) expect(reply.text).not.toContain(secret)
  }
})

describe("operators' work", () => {
  const reportOf = (body: JsonObject) => (arrayAt(body, "accounts") ?? []).filter(isJsonObject)

  test("POST /refresh exchanges every account's token once, and says so", async () => {
    gateway.control.clearRecorded()
    const reply = await gateway.post("/refresh", "")
    expect(reply.status).toBe(200)
    expect(reportOf(reply.json()).map(report => stringAt(report, "status"))).toEqual([
      "refreshed",
      "refreshed",
      "refreshed",
    ])
    expect(gateway.control.recorded({ path: "/oauth/token" })).toHaveLength(3)
    expect((await gateway.post("/v1/responses", turn())).status).toBe(200)
  })

  test("POST /refresh names the account that failed and refreshes the others", async () => {
    gateway.control.script({ endpoint: "token", settings: { refuse: "server-error" }, times: 1 })
    const reports = reportOf((await gateway.post("/refresh", "")).json())
    expect(reports.map(report => stringAt(report, "status")).toSorted()).toEqual(["failed", "refreshed", "refreshed"])
    expect(reports.filter(report => stringAt(report, "error") !== undefined)).toHaveLength(1)
  })

  test("POST /check-quota reports the windows of every account", async () => {
    const reports = reportOf((await gateway.post("/check-quota", "")).json())
    expect(reports).toHaveLength(3)
    for (const report of reports) {
      expect(stringAt(report, "status")).toBe("ok")
      expect(arrayAt(objectAt(report, "quota") ?? {}, "windows")).toHaveLength(2)
    }
  })

  test.each(["/refresh", "/check-quota"])("%s tells its steps to a client that asks for events", async path => {
    const reply = await gateway.post(path, "", { accept: "text/event-stream" })
    expect(reply.headers.get("content-type")).toStartWith("text/event-stream")
    const events = readEvents(reply.text)
    expect(events.map(({ event }) => event)).toEqual(["progress", "progress", "progress", "done"])
    const steps = events.map(({ data }) => JSON.parse(data) as JsonObject)
    expect(steps.slice(0, 3).map(step => [numberAt(step, "done"), numberAt(step, "total")])).toEqual([
      [1, 3],
      [2, 3],
      [3, 3],
    ])
    expect(reportOf(steps[3] ?? {})).toHaveLength(3)
  })

  test("fault 8: a quota that was reset early is noticed by /check-quota, and the account serves again", async () => {
    const spent = await startFaultGateway({ accounts: 1 })
    try {
      spent.control.setQuota("account-1", { primary: { usedPercent: 100, resetsInSec: 7200 } })
      expect((await spent.post("/v1/responses", turn())).status).toBe(429)
      spent.control.setQuota("account-1", { primary: { usedPercent: 0 } })
      expect((await spent.post("/v1/responses", turn())).status).toBe(429)
      await spent.post("/check-quota", "")
      expect((await spent.post("/v1/responses", turn())).status).toBe(200)
    } finally {
      await spent.stop()
    }
  })
})

describe("models", () => {
  test.each(PREFIXES)("under %p: list, one, info and catalog, with and without a slash at the end", async prefix => {
    const isCodex = prefix === "/backend-api/codex"
    for (const slash of ["", "/"]) {
      const list = await gateway.get(`${prefix}/models${slash}`)
      expect(list.status).toBe(200)
      expect(list.json()).toMatchObject(
        isCodex ? { models: expect.any(Array) } : { object: "list", data: expect.any(Array) },
      )
      expect((await gateway.get(`${prefix}/models/gpt-5.5${slash}`)).json()).toMatchObject({
        id: "gpt-5.5",
        object: "model",
      })
      expect((await gateway.get(`${prefix}/models/gpt-5.5/info${slash}`)).status).toBe(200)
      expect((await gateway.get(`${prefix}/models/catalog${slash}`)).status).toBe(200)
    }
  })

  test("a model that does not exist is 404 in the envelope", async () => {
    const reply = await gateway.get("/v1/models/gpt-nothing")
    expect(reply.status).toBe(404)
    expect(reply.json()["error"]).toMatchObject({ code: "model_not_found" })
  })

  test("the manifest carries an ETag, and who has it gets 304 without a body", async () => {
    const path = "/v1/models?client_version=0.155.0"
    const first = await gateway.get(path)
    const etag = first.headers.get("etag") ?? ""
    expect(etag).not.toBe("")
    expect(arrayAt(first.json(), "models")?.length).toBeGreaterThan(0)
    for (const known of [etag, `"other", ${etag}`, "*"]) {
      const again = await gateway.get(path, { "if-none-match": known })
      expect({ known, status: again.status, text: again.text }).toEqual({ known, status: 304, text: "" })
      expect(again.headers.get("etag")).toBe(etag)
    }
    expect((await gateway.get(path, { "if-none-match": '"other"' })).status).toBe(200)
  })

  test("answers that name another version of the list do not cause a question each", async () => {
    gateway.control.changeModels()
    gateway.control.clearRecorded()
    for (let index = 0; index < 10; index += 1) await gateway.post("/v1/responses", turn({ text: `tag ${index}` }))
    expect(gateway.turns()).toHaveLength(10)
    expect(gateway.control.recorded({ path: "/models" }).length).toBeLessThanOrEqual(1)
  })
})

test.each(PREFIXES)("turns are served under %p, with and without a slash at the end", async prefix => {
  for (const slash of ["", "/"]) {
    expect((await gateway.post(`${prefix}/chat/completions${slash}`, chat())).status).toBe(200)
    expect((await gateway.post(`${prefix}/responses${slash}`, turn())).status).toBe(200)
  }
})

describe("compaction", () => {
  const items = (body: JsonObject) => (arrayAt(body, "output") ?? []).filter(isJsonObject)
  const history = { model: "gpt-5.5", instructions: "Be brief.", input: turn()["input"] }

  test("auto: once the older endpoint is gone, a trigger gives exactly one compaction item", async () => {
    gateway.control.clearRecorded()
    for (const expected of [1, 1]) {
      const reply = await gateway.post("/v1/responses/compact", history)
      expect(reply.status).toBe(200)
      expect(items(reply.json()).filter(item => stringAt(item, "type") === "compaction")).toHaveLength(1)
      // It is not asked for again: the second compaction goes straight to the trigger.
      expect(gateway.control.recorded({ path: "/responses/compact" })).toHaveLength(expected)
    }
    expect(gateway.turns()).toHaveLength(2)
    await gateway.idle()
  })

  test("auto uses the older endpoint while the upstream still has it", async () => {
    const older = await startFaultGateway({ accounts: 1 })
    try {
      older.control.setRules({ serveCompactV1: true })
      const reply = await older.post("/v1/responses/compact", history)
      expect(reply.status).toBe(200)
      expect(items(reply.json()).filter(item => stringAt(item, "type") === "compaction")).toHaveLength(1)
      expect(older.control.recorded({ path: "/responses/compact" })).toHaveLength(1)
      expect(older.turns()).toHaveLength(0)
      await older.idle()
    } finally {
      await older.stop()
    }
  })

  test("direct: without the older endpoint the client is told, and nothing else is tried", async () => {
    const direct = await startFaultGateway({ accounts: 2, settings: { compact: "direct" } })
    try {
      const reply = await direct.post("/v1/responses/compact", history)
      expect(reply.status).toBe(404)
      expect(reply.json()["error"]).toMatchObject({ message: expect.any(String) })
      expect(direct.control.recorded({ path: "/responses/compact" })).toHaveLength(1)
      expect(direct.turns()).toHaveLength(0)
      await direct.idle()
    } finally {
      await direct.stop()
    }
  })
})

describe("addresses without a route", () => {
  test.each(["/v1/chat/completions", "/v1/responses/compact", "/v1/responses/input_tokens", "/chat/completions"])(
    "another method at %s is told which one is served",
    async path => {
      const reply = await gateway.get(path)
      expect([reply.status, reply.headers.get("allow")]).toEqual([405, "POST, OPTIONS"])
      expect(reply.json()["error"]).toMatchObject({ type: "invalid_request_error", code: "method_not_allowed" })
    },
  )

  test("a Messages client hears it in its own words", async () => {
    const reply = await gateway.get("/v1/messages")
    expect(reply.status).toBe(405)
    expect(reply.json()).toMatchObject({ type: "error", error: { type: "invalid_request_error" } })
  })

  test("what is nowhere is a 404 in either dialect", async () => {
    expect((await gateway.get("/v1/nothing")).json()["error"]).toMatchObject({ code: "unknown_url" })
    const reply = await gateway.get("/v1/messages/nothing")
    expect([reply.status, objectAt(reply.json(), "error")]).toEqual([
      404,
      expect.objectContaining({ type: "not_found_error" }),
    ])
  })
})
