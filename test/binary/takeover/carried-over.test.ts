/** What goes over to the process that takes over: tokens, answers that clients continue, what keys have used. */

import { afterEach, expect, setDefaultTimeout, test } from "bun:test"

import type { JsonObject } from "#core/json.ts"

import { turn, until } from "../../faults/fixture.ts"
import { exchangesByToken, hasStopped, makeStarted, takeOver } from "./fixture.ts"

setDefaultTimeout(90_000)

const { start, stopAll } = makeStarted()
afterEach(stopAll)

test("a request that meets 401 in the old process gets the token that the new one has fetched", async () => {
  const gateway = await start({ accounts: 2 })
  await gateway.earnRetries(2)
  gateway.control.clearRecorded()
  gateway.control.script({ scenario: "overloaded", settings: { hold: "first", holdAfterEvents: -1 }, times: 1 })
  const call = gateway.post("/v1/responses", turn({ text: "once more" }))
  await gateway.control.untilWaiting("first", 1)
  const old = await takeOver(gateway)
  for (const { name } of gateway.control.accounts()) gateway.control.markAccess(name, "expired")
  gateway.control.release("first")
  expect((await call).status).toBe(200)
  expect(exchangesByToken(gateway)).toEqual([1])
  expect(gateway.turns().map(({ status }) => status)).toContain(401)
  await hasStopped(old)
})

test("clients continue answers by their ids: those from before, and those that end in the old process", async () => {
  const gateway = await start()
  const first = (await gateway.post("/v1/responses", turn({ text: "first" }))).json()
  gateway.control.script({ scenario: "text", settings: { hold: "middle", holdAfterEvents: 6 }, times: 1 })
  const next = { ...turn({ text: "second", stream: true }), previous_response_id: first["id"] }
  const second = gateway.open("/v1/responses", next)
  await gateway.control.untilWaiting("middle", 1)
  await takeOver(gateway)
  const third = await gateway.post("/v1/responses", { ...turn({ text: "third" }), previous_response_id: first["id"] })
  expect(third.status).toBe(200)
  gateway.control.release("middle")
  await second.ended
  const id = /"id":"(resp_[^"]+)"/.exec(second.text())?.[1]
  const answer = () => gateway.post("/v1/responses", { ...turn({ text: "fourth" }), previous_response_id: id })
  await until("the answer is known", async () => (await answer()).status === 200)
  const sent = JSON.stringify(gateway.turns().at(-1)?.body)
  for (const word of ["first", "second", "fourth"]) expect(sent).toContain(word)
})

test("what a stored key has used adds up over a takeover, also for what ends in the old process", async () => {
  const gateway = await start({ settings: { "account-concurrency": 20 } })
  gateway.control.script({ scenario: "text" })
  const made = await gateway.post("/api/admin/keys", { name: "tenant" }, { authorization: "" })
  const { id, key } = made.json()
  const auth = { authorization: `Bearer ${String(key)}` }
  const usage = async () => {
    const answer = await gateway.get(`/api/admin/keys/${String(id)}/usage`, { authorization: "" })
    return JSON.stringify((answer.json()["usage"] as JsonObject)["total"])
  }
  expect((await gateway.post("/v1/responses", turn(), auth)).status).toBe(200)
  const one = JSON.parse(await usage()) as Record<string, number>
  gateway.control.script({ scenario: "text", settings: { hold: "middle", holdAfterEvents: 6 }, times: 2 })
  const streams = [1, 2].map(() => gateway.open("/v1/responses", turn({ stream: true }), auth))
  await gateway.control.untilWaiting("middle", 2)
  const old = await takeOver(gateway)
  expect((await gateway.post("/v1/responses", turn(), auth)).status).toBe(200)
  gateway.control.release("middle")
  for (const stream of streams) expect(await stream.ended).toBe("whole")
  await hasStopped(old)
  await until("four requests are counted", async () => JSON.parse(await usage())["requests"] === 4)
  const four = JSON.parse(await usage()) as Record<string, number>
  expect(four["output_tokens"]).toBe(4 * Number(one["output_tokens"]))
  expect(four["input_tokens"]).toBe(4 * Number(one["input_tokens"]))
  // Nothing is held for anybody any more, and a restart finds the same.
  await gateway.process().stop()
  await gateway.startAgain()
  expect(JSON.parse(await usage())).toEqual(four)
})
