/** `sluice serve --takeover` with the compiled binary: what clients, accounts and the books see of an upgrade. */

import { Database } from "bun:sqlite"
import { afterEach, expect, setDefaultTimeout, test } from "bun:test"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
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
  const gateway = await start({
    accounts: 4,
    simulator: { recordLimit: 50_000 },
    settings: { "account-concurrency": 100 },
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
  const workers = Array.from({ length: 16 }, (_, index) => [streams(`stream-${index}`), calls(`call-${index}`)]).flat()

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
  expect(accounts.size).toBe(32)
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

test("whoever says in a header that a request was passed on is still who he is", async () => {
  const gateway = await start({ settings: { "admin-key": "sk-admin-of-this-test" } })
  const spoofed = { authorization: "", "x-sluice-passed-peer": "127.0.0.1" }
  expect((await gateway.get("/api/admin/keys", spoofed)).status).toBe(401)
})

test("a hang-up replaces the process with the binary at its path, and the service manager is told", async () => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-notify-"))
  const socket = join(folder, "notify.sock")
  const listener = Bun.spawn(["python3", "-c", LISTEN, socket], { stdout: "pipe", stdin: "ignore" })
  await until("it listens", () => existsSync(socket))
  const gateway = await start({ env: { NOTIFY_SOCKET: socket } })
  const first = gateway.process()
  process.kill(first.pid, "SIGHUP")
  await until("it is replaced", () => first.output().includes("has taken over"), 10_000)
  expect((await gateway.post("/v1/responses", turn())).status).toBe(200)
  const { pid } = readOwner(join(gateway.folder, "data"))
  expect(pid).not.toBe(String(first.pid))
  expect((await new Response(listener.stdout).text()).trim()).toBe(`MAINPID=${pid}`)
  // The new one writes to the same log; it ends by the signal as any other.
  process.kill(Number(pid), "SIGTERM")
  expect(await first.stop()).toBe(0)
  rmSync(folder, { recursive: true })
})

const LISTEN = `
import socket, sys
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind(sys.argv[1])
print(receiver.recv(4096).decode())
`

test("a hang-up of a service whose manager cannot be told only reads the configuration again", async () => {
  const gateway = await start({ env: { INVOCATION_ID: "00000000000000000000000000000000" } })
  const running = gateway.process()
  process.kill(running.pid, "SIGHUP")
  await until("it says so", () => running.output().includes("nothing is replaced"))
  expect((await gateway.get("/health/live")).status).toBe(200)
})

const lines = (one: Process, part: string) =>
  one
    .output()
    .split("\n")
    .filter(line => line.includes(part)).length
