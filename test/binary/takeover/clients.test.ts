/** `sluice serve --takeover` with the compiled binary: no client sees an upgrade, and no token is used twice. */

import { afterEach, expect, setDefaultTimeout, test } from "bun:test"

import { turn, until } from "../../faults/fixture.ts"
import { keepAliveClient } from "../../support/keep-alive-client.ts"
import { openResponsesSocket } from "../../support/responses-socket.ts"
import { exchangesByToken, hasStopped, loggedRequests, makeStarted, type Process, takeOver } from "./fixture.ts"

setDefaultTimeout(90_000)

const { start, stopAll } = makeStarted()
afterEach(stopAll)

test("a takeover while a stream runs: it ends whole in the old process, the next request is served by the new one", async () => {
  const gateway = await start()
  gateway.control.script({ scenario: "text", settings: { hold: "middle", holdAfterEvents: 6 }, times: 1 })
  const stream = gateway.open("/v1/responses", turn({ stream: true }))
  await gateway.control.untilWaiting("middle", 1)
  const old = await takeOver(gateway)
  expect((await gateway.post("/v1/responses", turn())).status).toBe(200)
  gateway.control.release("middle")
  expect(await stream.ended).toBe("whole")
  expect(stream.text()).toContain("response.completed")
  await hasStopped(old)
  expect(await old.stop()).toBe(0)
  await until("both requests are in the log", () => loggedRequests(gateway) === 2)
})

test.each([
  ["on one thread", 1],
  ["on relay threads", 2],
])(
  "three takeovers under load, %s: nothing is refused or cut, every request is in the log, every token is used once",
  async (_, threads) => {
    const gateway = await start({
      accounts: 4,
      simulator: { recordLimit: 50_000 },
      settings: { "account-concurrency": 100, workers: threads },
    })
    gateway.control.script({ scenario: "text", settings: { eventDelayMs: 5 } })
    const auth = { authorization: `Bearer ${gateway.key}` }
    let isOver = false
    let sent = 0
    const wrong: string[] = []

    async function streams(name: string): Promise<void> {
      while (!isOver) {
        sent += 1
        const exchange = gateway.open("/v1/responses", { ...turn({ stream: true }), prompt_cache_key: name })
        const end = await exchange.ended
        exchange.leave()
        if (end !== "whole" || !exchange.text().includes("response.completed")) wrong.push(`${name}: ${end}`)
      }
    }
    async function calls(name: string): Promise<void> {
      const client = keepAliveClient(gateway.url)
      while (!isOver) {
        sent += 1
        const answer = await client.post("/v1/responses", { ...turn(), prompt_cache_key: name }, auth)
        if (answer === "cut" || answer.status !== 200) wrong.push(`${name}: ${JSON.stringify(answer)}`)
      }
      client.close()
    }
    const workers = Array.from({ length: 16 }, (_, index) => [
      streams(`stream-${index}`),
      calls(`call-${index}`),
    ]).flat()

    const before: Process[] = []
    for (const account of ["account-1", "account-2", "account-3"]) {
      await Bun.sleep(300)
      gateway.control.markAccess(account, "expired")
      before.push(await takeOver(gateway))
    }
    for (const old of before) {
      await hasStopped(old)
      expect(old.output().includes("relay threads share the port")).toBe(threads > 1)
    }
    isOver = true
    await Promise.all(workers)

    expect(wrong).toEqual([])
    for (const old of before) expect(await old.stop()).toBe(0)
    expect(exchangesByToken(gateway).filter(uses => uses !== 1)).toEqual([])
    expect(exchangesByToken(gateway).length).toBeGreaterThanOrEqual(3)
    const accounts = Map.groupBy(
      gateway.turns().filter(({ status }) => status === 200),
      ({ body }) => JSON.stringify(body).match(/"prompt_cache_key":"([^"]+)"/)?.[1],
    )
    expect(accounts.size).toBe(32)
    for (const [, turns] of accounts) expect(new Set(turns.map(({ account }) => account)).size).toBe(1)
    await until("every request is in the log", () => loggedRequests(gateway) >= sent)
    expect(loggedRequests(gateway)).toBe(sent)
    expect(sent).toBeGreaterThan(100)
  },
)

test("a connection that was kept is answered by the new process and ends with that answer", async () => {
  const gateway = await start()
  const client = keepAliveClient(gateway.url)
  const auth = { authorization: `Bearer ${gateway.key}` }
  expect(await client.post("/v1/responses", turn(), auth)).toMatchObject({ status: 200 })
  const old = await takeOver(gateway)
  const before = lines(old, "req_")
  expect(await client.post("/v1/responses", turn(), auth)).toMatchObject({ status: 200 })
  expect(client.connections()).toBe(1)
  expect(lines(old, "req_")).toBe(before)
  expect(lines(gateway.process(), "req_")).toBe(1)
  expect(await client.post("/v1/responses", turn(), auth)).toMatchObject({ status: 200 })
  expect(client.connections()).toBe(2)
  client.close()
})

test("a socket: its running turn ends whole in the old process, then it is closed, and the client finds the new one", async () => {
  const gateway = await start()
  const dial = () => openResponsesSocket(`${gateway.url}/v1/responses`, { authorization: `Bearer ${gateway.key}` })
  const socket = await dial()
  const idle = await dial()
  gateway.control.script({ scenario: "text", settings: { hold: "middle", holdAfterEvents: 6 }, times: 1 })
  const turned = socket.ask({ type: "response.create", ...turn() })
  await gateway.control.untilWaiting("middle", 1)
  const old = await takeOver(gateway)
  gateway.control.release("middle")
  expect((await turned).at(-1)?.["type"]).toBe("response.completed")
  for (const one of [socket, idle]) expect((await one.closed).code).toBe(1001)
  await hasStopped(old)
  const next = await dial()
  expect((await next.ask({ type: "response.create", ...turn() })).at(-1)?.["type"]).toBe("response.completed")
  next.close()
})

const lines = (one: Process, part: string) =>
  one
    .output()
    .split("\n")
    .filter(line => line.includes(part)).length
