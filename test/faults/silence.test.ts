/** Silence: of an upstream that thinks, of one that is gone, and what clients hear meanwhile. */

import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from "bun:test"

import { isJsonObject, type JsonObject } from "#core/json.ts"

import { chat, type FaultGateway, startFaultGateway, turn, until } from "./fixture.ts"
import { type RawExchange, rawRequest } from "./raw-client.ts"

setDefaultTimeout(30_000)

let gateway: FaultGateway
let patient: FaultGateway
let silent: RawExchange
let silentSinceMs = 0
let unfinished: RawExchange

beforeAll(async () => {
  gateway = await startFaultGateway({
    settings: { "client-keepalive": 1, "idle-timeout": 3, "first-byte-timeout": 2 },
  })
  // Runs beside the other tests: nothing is sent on it for longer than the server's own default would allow.
  patient = await startFaultGateway({ settings: { "client-keepalive": 0 } })
  patient.control.script({ scenario: "text", settings: { hold: "long", holdAfterEvents: 6 } })
  silent = patient.open("/v1/chat/completions", chat({ stream: true }))
  await patient.control.untilWaiting("long", 1)
  silentSinceMs = performance.now()
  unfinished = rawRequest(patient.url, { path: "/v1/responses", headers: { "x-unfinished": "yes" } }, "head-only")
})
afterEach(async () => {
  gateway.control.release()
  gateway.control.clearScripts()
  await gateway.idle()
  gateway.control.clearRecorded()
})
afterAll(async () => {
  await gateway.stop()
  await patient.stop()
})

function holdInTheMiddle(): void {
  gateway.control.script({ scenario: "text", settings: { hold: "middle", holdAfterEvents: 6 } })
}

test("fault 39: a silent stream is kept alive in its dialect's own way, and then goes on as if nothing was", async () => {
  holdInTheMiddle()
  const inChat = gateway.open("/v1/chat/completions", chat({ stream: true }))
  const inResponses = gateway.open("/v1/responses", turn({ stream: true }))
  await gateway.control.untilWaiting("middle", 2)
  await Promise.all([inChat.until("\n: keepalive\n"), inResponses.until("event: keepalive\n")])
  gateway.control.release("middle")
  expect(await Promise.all([inChat.ended, inResponses.ended])).toEqual(["whole", "whole"])
  expect(inChat.text()).toEndWith("data: [DONE]\n\n")
  // Every event after the keep-alive still counts up: clients order by this number.
  const numbers = [...inResponses.text().matchAll(/"sequence_number":(\d+)/g)].map(match => Number(match[1]))
  expect(numbers).toEqual([...numbers].sort((left, right) => left - right))
  expect(new Set(numbers).size).toBe(numbers.length)
})

function lastData(exchange: RawExchange): JsonObject {
  const line = exchange
    .text()
    .split("\n")
    .findLast(text => text.startsWith("data: "))
  return JSON.parse(line?.slice(6) ?? "{}")
}

test("idle-timeout ends a stream with the dialect's error and a cut connection, and the upstream is let go", async () => {
  holdInTheMiddle()
  const inChat = gateway.open("/v1/chat/completions", chat({ stream: true }))
  const inResponses = gateway.open("/v1/responses", turn({ stream: true }))
  const whole = gateway.post("/v1/responses", turn())
  expect(await Promise.all([inChat.ended, inResponses.ended])).toEqual(["cut", "cut"])
  const { error } = lastData(inChat)
  expect(isJsonObject(error) ? error : {}).toMatchObject({ type: "server_error", code: "upstream_timeout" })
  expect(lastData(inResponses)).toMatchObject({ type: "error", code: "upstream_timeout" })
  const reply = await whole
  expect(reply.status).toBe(504)
  expect(reply.json()["error"]).toMatchObject({ type: "server_error", code: "upstream_timeout" })
  await until("the upstream sees its clients go", () => gateway.control.waiting("middle") === 0, 200)
  expect(gateway.turns()).toHaveLength(3)
})

test.each([
  { what: "headers", hold: -1 },
  { what: "output", hold: 2 },
])("first-byte-timeout: no $what in time is 504, asked once", async ({ hold }) => {
  gateway.control.script({ settings: { hold: "head", holdAfterEvents: hold } })
  const replies = await Promise.all([
    gateway.post("/v1/chat/completions", chat({ stream: true })),
    gateway.post("/v1/responses", turn()),
  ])
  for (const reply of replies) {
    expect(reply.status).toBe(504)
    expect(reply.json()["error"]).toMatchObject({ type: "server_error", code: "upstream_timeout" })
  }
  expect(gateway.turns()).toHaveLength(2)
})

test("a connection that never finishes the head of its request is closed", async () => {
  expect(await unfinished.ended).toBe("cut")
  expect(performance.now() - silentSinceMs).toBeLessThan(20_000)
})

test("fault 40: a stream without a byte for as long, and 11 seconds at least, survives", async () => {
  await unfinished.ended
  await Bun.sleep(Math.max(500, 11_000 - (performance.now() - silentSinceMs)))
  patient.control.release("long")
  expect(await silent.ended).toBe("whole")
  expect(silent.text()).not.toContain("keepalive")
  expect(silent.text()).toEndWith("data: [DONE]\n\n")
  await patient.idle()
})
