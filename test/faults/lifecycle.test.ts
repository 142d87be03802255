/** Starting, stopping, dying, and changing files under a running gateway. */

import { afterEach, expect, setDefaultTimeout, test } from "bun:test"
import { rm, writeFile } from "node:fs/promises"
import { join } from "node:path"

import { arrayAt, isJsonObject, numberAt, objectAt, stringAt } from "#core/json.ts"

import { compiledBinary } from "../support/binary.ts"
import {
  chat,
  type FaultGateway,
  type FaultOptions,
  type StatsBody,
  startFaultGateway,
  turn,
  until,
  writeAccount,
} from "./fixture.ts"

setDefaultTimeout(20_000)

const started: FaultGateway[] = []

async function start(options: FaultOptions = {}): Promise<FaultGateway> {
  const gateway = await startFaultGateway(options)
  started.push(gateway)
  return gateway
}

afterEach(async () => {
  for (const gateway of started.splice(0)) await gateway.stop()
})

async function statsOf(gateway: FaultGateway): Promise<StatsBody> {
  return (await gateway.get("/stats")).json() as unknown as StatsBody
}

/** A stream that waits at the gate `held` in the middle of its answer. */
async function heldStream(gateway: FaultGateway) {
  gateway.control.script({ scenario: "text", settings: { hold: "held", holdAfterEvents: 6 } })
  const exchange = gateway.open("/v1/responses", turn({ stream: true }))
  await gateway.control.untilWaiting("held", 1)
  await exchange.until("delta")
  return exchange
}

const signal = (gateway: FaultGateway) => process.kill(gateway.process().pid, "SIGTERM")

/** Waits for the end without another signal; the exit code. */
async function exitOf(gateway: FaultGateway): Promise<number> {
  const { pid, stop } = gateway.process()
  await until("the process has ended", () => !isAlive(pid))
  // Too late to be a signal: it only tells the code.
  return stop()
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

const isRefused = (gateway: FaultGateway) =>
  fetch(`${gateway.url}/health/live`).then(
    async response => {
      await response.arrayBuffer()
      return false
    },
    () => true,
  )

test("SIGTERM: nobody new is let in, the running stream ends whole, the exit code is 0", async () => {
  const gateway = await start()
  const stream = await heldStream(gateway)
  signal(gateway)
  await until("new connections are refused", () => isRefused(gateway))
  gateway.control.release("held")
  expect(await stream.ended).toBe("whole")
  expect(stream.text()).toContain("response.completed")
  expect(await exitOf(gateway)).toBe(0)
})

test("SIGTERM: a stream that does not end is cut after shutdown-timeout, and the exit code is 0", async () => {
  const gateway = await start({ settings: { "shutdown-timeout": 1 } })
  const stream = await heldStream(gateway)
  signal(gateway)
  expect(await stream.ended).toBe("cut")
  await until("the upstream sees its client go", () => gateway.control.waiting("held") === 0)
  expect(await exitOf(gateway)).toBe(0)
})

test("a second signal ends at once, with the signal's exit code", async () => {
  const gateway = await start()
  const stream = await heldStream(gateway)
  signal(gateway)
  await until("the first signal has arrived", () => gateway.process().output().includes("stopping"))
  const sentMs = performance.now()
  // Sends the second one.
  expect(await gateway.process().stop()).toBe(143)
  expect(performance.now() - sentMs).toBeLessThan(1_000)
  expect(await stream.ended).toBe("cut")
})

test("what was learned of an account outlives a restart", async () => {
  const gateway = await start()
  gateway.control.script({ scenario: "usage-limit", settings: { resetsInSec: 7200 }, times: 1 })
  expect((await gateway.post("/v1/responses", turn())).status).toBe(200)
  expect(await gateway.process().stop()).toBe(0)
  await gateway.startAgain()
  const words = (await statsOf(gateway)).accounts.map(({ status, reason }) => `${status} ${reason ?? ""}`)
  expect(words.toSorted()).toEqual(["cooldown quota", "ready "])
})

/** Runs the binary to its end. */
async function run(gateway: FaultGateway, ...args: readonly string[]) {
  const child = Bun.spawn([await compiledBinary(), ...args], {
    cwd: gateway.folder,
    env: { HOME: gateway.folder, PATH: "/usr/bin:/bin" },
    stdout: "pipe",
    stderr: "pipe",
    timeout: 10_000,
  })
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  return { code: await child.exited, err, lines: `${out}${err}`.trim().split("\n") }
}

const serve = (gateway: FaultGateway, ...flags: readonly string[]) =>
  run(gateway, "serve", "--config", join(gateway.folder, "sluice.yaml"), ...flags)

function expectShortError(result: Awaited<ReturnType<typeof run>>, pattern: RegExp): void {
  expect({ code: result.code, err: result.err }).toEqual({ code: 1, err: expect.stringMatching(pattern) })
  // One line that says what is wrong, and what to do about it: no stack.
  expect(result.err).not.toMatch(/^\s+at /m)
  expect(result.lines.length).toBeLessThanOrEqual(4)
}

test("fault 32: a second process on the same data directory refuses to start and names the first", async () => {
  const gateway = await start()
  const result = await serve(gateway, "--listen", "127.0.0.1:0")
  expectShortError(result, new RegExp(`in use by process ${gateway.process().pid}`))
  expect((await gateway.get("/health/live")).status).toBe(200)
})

test("faults of a start end with one clear line, a hint and exit code 1", async () => {
  const gateway = await start()
  const data = (name: string) => join(gateway.folder, name)
  expectShortError(
    await serve(gateway, "--listen", "0.0.0.0:0", "--data-dir", data("a"), "--api-keys", ""),
    /Add a key under api-keys/,
  )
  const { port } = new URL(gateway.url)
  expectShortError(
    await serve(gateway, "--listen", `127.0.0.1:${port}`, "--data-dir", data("b")),
    /Cannot listen.*\n.*--listen/,
  )
  await writeFile(data("a-file"), "in the way")
  expectShortError(
    await serve(gateway, "--listen", "127.0.0.1:0", "--data-dir", data("a-file/data")),
    /a-file.*\n.*--data-dir/,
  )
  await Bun.write(join(data("damaged"), "core.db"), "this is no database, whatever its name says".repeat(200))
  expectShortError(await serve(gateway, "--listen", "127.0.0.1:0", "--data-dir", data("damaged")), /core\.db.*\n.*Move/)
  // fault 64: nothing is written over it.
  expect(await Bun.file(join(data("damaged"), "core.db")).text()).toStartWith("this is no database")
})

test("account files that come, change, break and go are noticed, and nobody else is disturbed", async () => {
  const gateway = await start()
  const stream = await heldStream(gateway)
  const total = async () => (await statsOf(gateway)).pool.total
  gateway.control.createAccount({ name: "account-3" })
  await writeAccount(gateway.folder, gateway.control, "account-3")
  await until("the new account is there", async () => (await total()) === 3)
  await writeFile(join(gateway.folder, "auths", "account-4.json"), '{"type": "codex", "access_')
  await until("the broken file is told of", () => gateway.process().output().includes("account file cannot be used"))
  expect(await total()).toBe(3)
  await rm(join(gateway.folder, "auths", "account-3.json"))
  await until("the account is gone", async () => (await total()) === 2)
  gateway.control.release("held")
  expect(await stream.ended).toBe("whole")
})

test("api-keys, max-retry and log-level change without a restart; a broken edit changes nothing", async () => {
  const gateway = await start({ accounts: 5, settings: { "log-level": "info" } })
  const askWith = async (key: string) => (await gateway.get("/v1/models", { authorization: `Bearer ${key}` })).status
  await gateway.configure({ "api-keys": ["sk-second-test-key", gateway.key], "max-retry": 0, "log-level": "debug" })
  await until("the new key is known", async () => (await askWith("sk-second-test-key")) === 200)
  gateway.control.script({ scenario: "payment-required", times: 1 })
  gateway.control.clearRecorded()
  expect((await gateway.post("/v1/responses", turn())).status).toBe(503)
  expect(gateway.turns()).toHaveLength(1)
  await writeFile(join(gateway.folder, "sluice.yaml"), "max-retry: [\n")
  await until("the broken edit is told of", () => gateway.process().output().includes("the one in force stays"))
  expect(await askWith("sk-second-test-key")).toBe(200)
  await gateway.configure({})
  await until("the key is withdrawn", async () => (await askWith("sk-second-test-key")) === 401)
})

const tokenFileOf = (gateway: FaultGateway, name: string): Promise<Record<string, unknown>> =>
  Bun.file(join(gateway.folder, "auths", `${name}.json`)).json()

test("a token that expired while the gateway was down is refreshed before it is used", async () => {
  const gateway = await start({
    accounts: 0,
    prepare: async (folder, control) => {
      control.createAccount({ name: "account-1", accessLifetimeSec: -60 })
      await writeAccount(folder, control, "account-1")
      control.updateAccount("account-1", { accessLifetimeSec: 864_000 })
    },
  })
  expect((await gateway.post("/v1/responses", turn())).status).toBe(200)
  expect(gateway.turns().map(({ status }) => status)).toEqual([200])
  expect(gateway.control.recorded({ path: "/oauth/token" })).toHaveLength(1)
})

test("a token that is due is refreshed in the background and the account's file holds the new one", async () => {
  const gateway = await start({
    accounts: 0,
    prepare: async (folder, control) => {
      control.createAccount({ name: "account-1", accessLifetimeSec: 3 })
      await writeAccount(folder, control, "account-1")
      control.updateAccount("account-1", { accessLifetimeSec: 864_000 })
    },
  })
  const before = await tokenFileOf(gateway, "account-1")
  await until("the file has changed", async () => {
    const now = await tokenFileOf(gateway, "account-1")
    return now["refresh_token"] !== before["refresh_token"]
  })
  const { access_token, refresh_token } = gateway.control.accountFile("account-1")
  expect(await tokenFileOf(gateway, "account-1")).toMatchObject({ access_token, refresh_token })
  expect((await gateway.post("/v1/responses", turn())).status).toBe(200)
  expect(gateway.control.recorded({ path: "/oauth/token" })).toHaveLength(1)
})

test("after kill -9 behind a refresh the rotated tokens are still there", async () => {
  const gateway = await start({ accounts: 3 })
  const reports = arrayAt((await gateway.post("/refresh", "")).json(), "accounts") ?? []
  expect(reports.filter(isJsonObject).map(report => stringAt(report, "status"))).toEqual(Array(3).fill("refreshed"))
  process.kill(gateway.process().pid, "SIGKILL")
  await gateway.process().stop()
  await gateway.startAgain()
  for (const { name } of gateway.control.accounts()) gateway.control.markAccess(name, "expired")
  // Refresh tokens are good for one exchange: with an old one this would fail.
  const again = arrayAt((await gateway.post("/refresh", "")).json(), "accounts") ?? []
  expect(again.filter(isJsonObject).map(report => stringAt(report, "status"))).toEqual(Array(3).fill("refreshed"))
  expect((await gateway.post("/v1/chat/completions", chat())).status).toBe(200)
})

test("fault 28: a client that leaves during the token exchange does not lose the new token", async () => {
  const gateway = await start({ accounts: 1 })
  gateway.control.markAccess("account-1", "expired")
  gateway.control.script({ endpoint: "token", settings: { headersDelayMs: 300 }, times: 1 })
  const exchange = gateway.open("/v1/responses", turn())
  await until("the exchange has begun", () => gateway.control.recorded({ path: "/oauth/token" }).length === 1)
  exchange.leave()
  await gateway.idle()
  await until("the exchange is over", () => gateway.control.recorded({ path: "/oauth/token" })[0]?.status === 200)
  expect((await gateway.post("/v1/responses", turn())).status).toBe(200)
  expect(gateway.control.recorded({ path: "/oauth/token" })).toHaveLength(1)
})

test.each(["server-error", "burst", "bad-gateway"])(
  "fault 29: a token endpoint that answers %s is asked again later; the account is not lost",
  async refuse => {
    const gateway = await start({ accounts: 2 })
    gateway.control.markAccess("account-1", "expired")
    gateway.control.script({ endpoint: "token", settings: { refuse }, times: 1 })
    for (let index = 0; index < 4; index += 1) {
      expect((await gateway.post("/v1/responses", turn({ text: `while it fails ${index}` }))).status).toBe(200)
    }
    expect((await statsOf(gateway)).accounts.filter(({ reason }) => reason === "needs-login")).toHaveLength(0)
  },
)

test("the numbers of a gateway that was killed start anew and it serves", async () => {
  const gateway = await start()
  await gateway.post("/v1/responses", turn())
  process.kill(gateway.process().pid, "SIGKILL")
  await gateway.process().stop()
  await gateway.startAgain()
  expect((await gateway.post("/v1/responses", turn())).status).toBe(200)
  const totals = objectAt((await gateway.get("/stats")).json(), "totals") ?? {}
  expect(numberAt(totals, "requests")).toBe(1)
})
