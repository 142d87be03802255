/** `sluice serve --takeover` with the compiled binary: what clients, accounts and the books see of an upgrade. */

import { Database } from "bun:sqlite"
import { afterEach, expect, setDefaultTimeout, test } from "bun:test"
import { join } from "node:path"

import type { JsonObject } from "#core/json.ts"
import { readOwner } from "#store/owner-lock.ts"

import { type FaultGateway, type FaultOptions, startFaultGateway, turn, until } from "../faults/fixture.ts"
import { compiledBinary, launchGateway } from "../support/binary.ts"
import { keepAliveClient } from "../support/keep-alive-client.ts"

setDefaultTimeout(90_000)

const started: FaultGateway[] = []

async function start(options: FaultOptions = {}): Promise<FaultGateway> {
  const gateway = await startFaultGateway(options)
  started.push(gateway)
  return gateway
}

afterEach(async () => {
  for (const gateway of started.splice(0)) await gateway.stop()
})

type Process = ReturnType<FaultGateway["process"]>

const hasStopped = (one: Process) => until("the old process has ended", () => /"stopped"/.test(one.output()), 20_000)

/** Replaces the running process; returns the old one, which may still have answers to finish. */
async function takeOver(gateway: FaultGateway): Promise<Process> {
  const old = gateway.process()
  await gateway.startAgain("--takeover")
  expect(gateway.process().pid).not.toBe(old.pid)
  return old
}

/** What each refresh token was used for, by the token. */
function exchangesByToken(gateway: FaultGateway): readonly number[] {
  const tokens = gateway.control.recorded({ path: "/oauth/token" }).map(({ body }) => JSON.stringify(body))
  return [...Map.groupBy(tokens, text => /"refresh_token":"([^"]+)"/.exec(text)?.[1] ?? text).values()].map(
    uses => uses.length,
  )
}

function loggedRequests(gateway: FaultGateway): number {
  using database = new Database(join(gateway.folder, "data", "log.db"), { readonly: true })
  return database.query<{ rows: number }, []>("select count(*) as rows from requests").get()?.rows ?? 0
}

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

test("three takeovers under load: nothing is refused or cut, every request is in the log, every token is used once", async () => {
  const gateway = await start({ accounts: 4, settings: { "account-concurrency": 100 } })
  gateway.control.script({ scenario: "text", settings: { eventDelayMs: 15 } })
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
  const workers = Array.from({ length: 8 }, (_, index) => [streams(`stream-${index}`), calls(`call-${index}`)]).flat()

  const before: Process[] = []
  for (const account of ["account-1", "account-2", "account-3"]) {
    await Bun.sleep(300)
    gateway.control.markAccess(account, "expired")
    before.push(await takeOver(gateway))
  }
  for (const old of before) await hasStopped(old)
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
  expect(accounts.size).toBe(16)
  for (const [, turns] of accounts) expect(new Set(turns.map(({ account }) => account)).size).toBe(1)
  await until("every request is in the log", () => loggedRequests(gateway) >= sent)
  expect(loggedRequests(gateway)).toBe(sent)
  console.log(`${sent} requests over three takeovers`)
})

/** Starts a successor and does not wait for it. */
function launchSuccessor(gateway: FaultGateway, binary: string) {
  return launchGateway({
    command: [binary, "serve", "--config", join(gateway.folder, "sluice.yaml"), "--takeover"],
    url: gateway.url,
    cwd: gateway.folder,
    env: { HOME: gateway.folder, PATH: "/usr/bin:/bin" },
  })
}

const STEPS = {
  "when it has knocked": (gateway: FaultGateway) => gateway.process().output().includes("another process takes over"),
  "when it has the lock": (gateway: FaultGateway, pid: number) =>
    readOwner(join(gateway.folder, "data")).pid === String(pid),
}

for (const [step, isThere] of Object.entries(STEPS)) {
  test(`a successor that is killed ${step}: the running process goes on as if nothing had happened`, async () => {
    const binary = await compiledBinary()
    for (;;) {
      const gateway = await start()
      gateway.control.script({ scenario: "text", settings: { hold: "middle", holdAfterEvents: 6 }, times: 1 })
      const stream = gateway.open("/v1/responses", turn({ stream: true }))
      await gateway.control.untilWaiting("middle", 1)
      const successor = launchSuccessor(gateway, binary)
      await until("it has come so far", () => isThere(gateway, successor.pid))
      await successor.kill()
      // Too late: it serves already, and its death is that of any gateway.
      if (gateway.process().output().includes("has taken over")) continue
      await until("the folder is back", () => gateway.process().output().includes("everything goes on as before"))
      gateway.control.release("middle")
      expect(await stream.ended).toBe("whole")
      gateway.control.markAccess("account-1", "expired")
      gateway.control.markAccess("account-2", "expired")
      expect((await gateway.post("/v1/responses", turn())).status).toBe(200)
      expect(exchangesByToken(gateway)).toEqual([1])
      await until("both requests are in the log", () => loggedRequests(gateway) === 2)
      expect(readOwner(join(gateway.folder, "data"))).toMatchObject({
        pid: String(gateway.process().pid),
        url: `${gateway.url}/`,
      })
      const old = await takeOver(gateway)
      await hasStopped(old)
      return
    }
  })
}

/** A successor that is no gateway: says what it is told to, and hears what is answered. */
async function pretend(gateway: FaultGateway) {
  const heard: JsonObject[] = []
  const unix = join(gateway.folder, "data", "takeover.sock")
  const socket = await Bun.connect({
    unix,
    socket: {
      data: (_, piece) => {
        for (const line of piece.toString().trim().split("\n")) heard.push(JSON.parse(line))
      },
    },
  })
  socket.write(`${JSON.stringify({ type: "hello", protocol: 1, version: "next", pid: process.pid })}\n`)
  return { heard, end: () => socket.end() }
}

const has = (one: { readonly heard: readonly JsonObject[] }, type: string) =>
  until(`it says ${type}`, () => one.heard.some(message => message["type"] === type))

test("a second successor at the same time is refused", async () => {
  const gateway = await start()
  const first = await pretend(gateway)
  await has(first, "yours")
  const second = await pretend(gateway)
  await has(second, "refused")
  first.end()
  await until("the folder is back", () => gateway.process().output().includes("everything goes on as before"))
})

test("while the folder is given away, orders of operators wait and model calls do not", async () => {
  const gateway = await start()
  const successor = await pretend(gateway)
  await has(successor, "yours")
  let isAnswered = false
  const order = gateway.post("/api/admin/keys", { name: "late" }, { authorization: "" }).then(answer => {
    isAnswered = true
    return answer
  })
  expect((await gateway.post("/v1/responses", turn())).status).toBe(200)
  expect((await gateway.get("/health/live")).status).toBe(200)
  expect(isAnswered).toBeFalse()
  successor.end()
  expect((await order).status).toBe(200)
  await until("the request is in the log", () => loggedRequests(gateway) === 1)
})

test("a successor that changed the tables and died: the running process does not write to them, and says why it ends", async () => {
  const gateway = await start()
  const running = gateway.process()
  gateway.control.script({ scenario: "text", settings: { hold: "middle", holdAfterEvents: 6 }, times: 1 })
  const stream = gateway.open("/v1/responses", turn({ stream: true }))
  await gateway.control.untilWaiting("middle", 1)
  const successor = await pretend(gateway)
  await has(successor, "told")
  new Database(join(gateway.folder, "data", "core.db")).run("pragma user_version = 999")
  successor.end()
  await until("it says so", () => running.output().includes("cannot be taken back"))
  expect(running.output()).toContain("was written by a newer version")
  gateway.control.release("middle")
  expect(await stream.ended).toBe("whole")
  await hasStopped(running)
  expect(await running.stop()).toBe(1)
})

test("without a gateway to replace, --takeover simply starts; a second process without it is refused by name", async () => {
  const gateway = await start()
  await gateway.process().stop()
  await gateway.startAgain("--takeover")
  expect((await gateway.post("/v1/responses", turn())).status).toBe(200)
  await takeOver(gateway)
  const second = Bun.spawnSync([await compiledBinary(), "serve", "--config", join(gateway.folder, "sluice.yaml")], {
    cwd: gateway.folder,
    env: { HOME: gateway.folder, PATH: "/usr/bin:/bin" },
    timeout: 20_000,
  })
  expect(second.exitCode).toBe(1)
  expect(second.stderr.toString()).toContain(`is in use by process ${gateway.process().pid}.`)
  const port = new URL(gateway.url).port
  const elsewhere = Bun.spawnSync(
    [await compiledBinary(), "serve", "--takeover", "--listen", `127.0.0.1:${port}`, "--data-dir", "elsewhere"],
    { cwd: gateway.folder, env: { HOME: gateway.folder, PATH: "/usr/bin:/bin" }, timeout: 20_000 },
  )
  expect(elsewhere.exitCode).toBe(1)
  expect(elsewhere.stderr.toString()).toMatch(/Cannot listen/)
})
