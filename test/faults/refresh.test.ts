/** Token refreshes that go wrong, seen from outside: what clients get, what operators are shown, what survives. */

import { afterEach, expect, setDefaultTimeout, test } from "bun:test"
import { join } from "node:path"

import { arrayAt, isJsonObject, type JsonObject, stringAt } from "#core/json.ts"

import { type FaultGateway, type FaultOptions, startFaultGateway, turn, until } from "./fixture.ts"

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

const exchanges = (gateway: FaultGateway) => gateway.control.recorded({ path: "/oauth/token" })

async function accountsOf(gateway: FaultGateway): Promise<readonly JsonObject[]> {
  return (arrayAt((await gateway.get("/stats")).json(), "accounts") ?? []).filter(isJsonObject)
}

async function onlyAccount(gateway: FaultGateway): Promise<JsonObject> {
  const [account, ...others] = await accountsOf(gateway)
  if (account === undefined || others.length > 0) throw new Error("not exactly one account")
  return account
}

/** `POST /refresh`: what became of each account. */
async function refreshAll(gateway: FaultGateway): Promise<readonly (string | undefined)[]> {
  const reports = arrayAt((await gateway.post("/refresh", "")).json(), "accounts") ?? []
  return reports.filter(isJsonObject).map(report => stringAt(report, "error") ?? stringAt(report, "status"))
}

test("fault 25: a hundred requests that meet 401 at once cause one exchange, and all are served", async () => {
  const gateway = await start({ accounts: 1, settings: { "account-concurrency": 100 } })
  gateway.control.markAccess("account-1", "expired")
  gateway.control.script({ endpoint: "token", settings: { hold: "exchange", holdAfterEvents: -1 } })
  const answers = Array.from({ length: 100 }, (_, index) => gateway.post("/v1/responses", turn({ text: `${index}` })))
  await until("all have met 401", () => gateway.turns().filter(({ status }) => status === 401).length === 100)
  await until("the exchange has begun", () => gateway.control.waiting("exchange") === 1)
  gateway.control.release("exchange")
  expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(Array(100).fill(200))
  expect(exchanges(gateway)).toHaveLength(1)
})

test("fault 26: a refresh whose answer is lost shows as uncertain, serves on, and asks for a login with the reason", async () => {
  const gateway = await start({ accounts: 1 })
  expect(await onlyAccount(gateway)).toMatchObject({ status: "ready", credential: "fresh" })
  gateway.control.setSignIn("account-1", { dropAfterConsuming: 1 })
  expect(await refreshAll(gateway)).toEqual(["upstream-unavailable"])
  expect(await onlyAccount(gateway)).toMatchObject({ status: "ready", credential: "uncertain" })
  expect((await gateway.post("/v1/responses", turn())).status).toBe(200)
  expect(await refreshAll(gateway)).toEqual(["refresh_token_reused"])
  const login = { status: "error", reason: "needs-login" }
  expect(await onlyAccount(gateway)).toMatchObject(login)
  expect(arrayAt(await onlyAccount(gateway), "transitions")?.at(-1)).toMatchObject({
    change: "needs-login",
    detail: "refresh_token_reused, after an answer that was lost",
  })
  expect(gateway.process().output()).toContain('"explanation":"a refresh used the token up')

  // A restart has not forgotten it.
  process.kill(gateway.process().pid, "SIGKILL")
  await gateway.process().stop()
  await gateway.startAgain()
  await until("it is asked for again", async () => (await onlyAccount(gateway))["reason"] === "needs-login")
  expect(gateway.process().output()).toContain('"origin":"earlier-run"')
  const signedIn = gateway.control.signInAgain("account-1")
  await Bun.write(join(gateway.folder, "auths", "account-1.json"), JSON.stringify(signedIn))
  await until("the sign-in is taken up", async () => (await onlyAccount(gateway))["status"] === "ready")
  expect(await refreshAll(gateway)).toEqual(["refreshed"])
})

test("fault 26: an exchange that a kill interrupted before it reached the endpoint heals by itself", async () => {
  const gateway = await start({ accounts: 1 })
  gateway.control.script({ endpoint: "token", settings: { headersDelayMs: 60_000 }, times: 1 })
  const asked = gateway.open("/refresh", "")
  await until("the exchange has begun", () => exchanges(gateway).length === 1)
  process.kill(gateway.process().pid, "SIGKILL")
  await gateway.process().stop()
  await asked.ended
  await gateway.startAgain()
  expect(gateway.process().output()).toContain("a token refresh has no known end")
  await until("it is healed", async () => (await onlyAccount(gateway))["credential"] === "fresh")
  expect(await refreshAll(gateway)).toEqual(["refreshed"])
})

test.each(["SIGSEGV", "SIGABRT", "SIGKILL"] as const)(
  "a process that dies of %s leaves no secret in what it prints or in its folders",
  async signal => {
    const gateway = await start({ accounts: 3 })
    expect(await refreshAll(gateway)).toEqual(Array(3).fill("refreshed"))
    process.kill(gateway.process().pid, signal)
    await until("it has ended", () => hasEnded(gateway))
    // What stands in log, answers and folders is searched at the end of every test.
    await gateway.startAgain()
    expect(await refreshAll(gateway)).toEqual(Array(3).fill("refreshed"))
  },
)

function hasEnded(gateway: FaultGateway): Promise<boolean> {
  return fetch(`${gateway.url}/health/live`).then(
    () => false,
    () => true,
  )
}
