/** What must not take accounts out of service: outages, pages of an edge, one refused path; and how the operator brings them back. */

import { expect, setDefaultTimeout, test } from "bun:test"

import type { SimulatorControl } from "#simulator/control.ts"

import { chat, type FaultGateway, type FaultOptions, startOwnGateway, turn, until } from "./fixture.ts"

setDefaultTimeout(20_000)

type Shown = {
  readonly pool: { readonly available: number; readonly total: number }
  readonly accounts: readonly {
    readonly id: string
    readonly status: string
    readonly reason?: string
    readonly until?: string
    readonly concurrency: number
  }[]
}

type ShownAccount = {
  readonly id: string
  readonly email: string
  readonly state: string
  readonly blocks: readonly {
    readonly scope: string
    readonly cause: string
    readonly since: string
    readonly until: string
  }[]
}

async function statsOf(gateway: FaultGateway): Promise<Shown> {
  return (await gateway.get("/stats")).json() as unknown as Shown
}

async function accountsOf(gateway: FaultGateway): Promise<readonly ShownAccount[]> {
  const list = (await gateway.get("/api/admin/accounts")).json() as unknown as { readonly accounts: ShownAccount[] }
  return list.accounts.toSorted((one, other) => one.email.localeCompare(other.email))
}

const ask = (gateway: FaultGateway, text: string) => gateway.post("/v1/responses", turn({ text }))
const usageCalls = (gateway: FaultGateway) => gateway.control.recorded({ path: "/wham/usage" })

test.concurrent("fault 16: 503s on the only account that can serve keep no request from it", async () => {
  await using gateway = await startOwnGateway()
  gateway.control.script({
    scenario: "usage-limit",
    account: "account-1",
    settings: { resetsInSec: 7200 },
    times: 1,
  })
  let asked = 0
  await until("one account is out of quota", async () => {
    await ask(gateway, `find it ${asked++}`)
    return (await statsOf(gateway)).pool.available === 1
  })
  await gateway.earnRetries(5)
  gateway.control.script({ scenario: "overloaded" })
  for (let index = 0; index < 4; index += 1) {
    gateway.control.clearRecorded()
    expect((await ask(gateway, `refused ${index}`)).status).toBe(503)
    expect(gateway.turns().map(({ account }) => account)).toContain("account-2")
    expect((await statsOf(gateway)).pool.available).toBe(1)
  }
  gateway.control.clearScripts()
  expect((await ask(gateway, "afterwards")).status).toBe(200)
})

test.concurrent.each(["unauthorized", "access-restricted", "not-found"])(
  "fault 18: one account whose usage endpoint answers %s for ever serves on, although the others' works",
  async refuse => {
    const settings = { "health-check-interval": 1, "health-check-max-failures": 1 }
    await using gateway = await startOwnGateway({ accounts: 3, settings })
    gateway.control.script({ endpoint: "usage", account: "account-1", settings: { refuse } })
    const refused = () => usageCalls(gateway).filter(({ account, status }) => account === "account-1" && status !== 200)
    await until("it was refused three times", () => refused().length >= 3, 15_000)
    const { pool, accounts } = await statsOf(gateway)
    expect(pool.available).toBe(3)
    expect(accounts.map(({ status }) => status)).toEqual(Array(3).fill("ready"))
  },
)

test.concurrent.each([200, 403])(
  "fault 19: a challenge page with %d rests the way out, and no account",
  async status => {
    await using gateway = await startOwnGateway()
    gateway.control.script({ scenario: "challenge", settings: { status }, times: 1 })
    const reply = await gateway.post("/v1/chat/completions", chat())
    expect(reply.status).toBe(502)
    expect(reply.json()["error"]).toMatchObject({ code: "upstream_blocked" })
    expect(reply.text).not.toContain("_cf_chl")
    // Both accounts share the way out that was challenged.
    expect(gateway.turns()).toHaveLength(1)
    const accounts = await accountsOf(gateway)
    expect(accounts.flatMap(({ blocks }) => blocks).map(({ scope }) => scope)).toEqual(["egress", "egress"])
    expect((await statsOf(gateway)).accounts.map(({ reason }) => reason)).toEqual(["challenge", "challenge"])
  },
)

test.concurrent.each([503, 529])("fault 20: a burst of %d overload starts no ladder of rate limits", async status => {
  // Health would lower the same number: without it, only a learned limit does.
  await using gateway = await startOwnGateway({ accounts: 3, settings: { scheduler: { "health-tiers": false } } })
  gateway.control.script({ scenario: "overloaded", settings: { status } })
  const replies = await Promise.all(Array.from({ length: 12 }, (_, index) => ask(gateway, `crowd ${index}`)))
  for (const reply of replies) expect(reply.status).toBe(503)
  for (let index = 0; index < 6; index += 1) expect((await ask(gateway, `later ${index}`)).status).toBe(503)
  const { accounts } = await statsOf(gateway)
  // Nobody learned a limit, and whatever rests does so for a minute at most.
  expect(accounts.map(({ concurrency }) => concurrency)).toEqual([4, 4, 4])
  const blocks = (await accountsOf(gateway)).flatMap(one => one.blocks)
  expect(blocks.filter(({ cause }) => cause !== "overload")).toEqual([])
  for (const { since, until: end } of blocks) expect(Date.parse(end) - Date.parse(since)).toBeLessThanOrEqual(60_000)
  gateway.control.clearScripts()
  expect((await ask(gateway, "afterwards")).status).toBe(200)
})

test.concurrent("fault 21: a 404 that names no model rests nobody for more than ten minutes, and no other model", async () => {
  await using gateway = await startOwnGateway({ accounts: 1 })
  gateway.control.script({ scenario: "not-found", times: 1 })
  expect((await ask(gateway, "lost")).status).toBe(502)
  expect((await ask(gateway, "found again")).status).toBe(200)
  gateway.control.script({ scenario: "model-not-found", times: 1 })
  expect((await ask(gateway, "no such model")).status).toBe(404)
  const [account] = await accountsOf(gateway)
  expect(account?.blocks.map(({ scope, cause }) => `${cause}, ${scope}`)).toEqual(["model-unsupported, model gpt-5.5"])
  for (const { since, until: end } of account?.blocks ?? []) {
    expect(Date.parse(end) - Date.parse(since)).toBeLessThanOrEqual(600_000)
  }
  const other = await gateway.post("/v1/responses", { ...turn(), model: "gpt-5.6-luna" })
  expect(other.status).toBe(200)
})

/** Accounts 1 to 3 share a workspace, the last one has its own. */
const SEATS: FaultOptions = {
  accounts: 4,
  prepare: async (folder, control: SimulatorControl) => {
    for (const name of ["account-1", "account-2", "account-3"]) {
      control.updateAccount(name, { workspaceId: "0c0ffee0-0000-4000-8000-000000000001" })
      await Bun.write(`${folder}/auths/${name}.json`, JSON.stringify(control.accountFile(name)))
    }
  },
}

/** Asks until account-1 has been told that its workspace is closed. */
async function closeFirstSeat(gateway: FaultGateway): Promise<void> {
  let asked = 0
  await until("the seat was closed", async () => {
    // Each a conversation of its own: one alone would stay with the account it met first.
    expect((await ask(gateway, `whose turn is it ${asked++}`)).status).toBe(200)
    return (await accountsOf(gateway))[0]?.state === "suspended"
  })
}

test.concurrent("fault 23: the other seats of a closed workspace are looked at, and those that answer serve on", async () => {
  await using gateway = await startOwnGateway(SEATS)
  gateway.control.script({ scenario: "deactivated-workspace", account: "account-1" })
  gateway.control.script({ endpoint: "usage", settings: { hold: "look", holdAfterEvents: -1 } })
  await closeFirstSeat(gateway)
  await gateway.control.untilWaiting("look", 2)
  const asked = usageCalls(gateway).map(({ account }) => account ?? "")
  expect(asked.toSorted()).toEqual(["account-2", "account-3"])
  const during = (await accountsOf(gateway)).map(({ state }) => state)
  expect(during).toEqual(["suspended", "cooldown", "cooldown", "ready"])
  gateway.control.release("look")
  await until("the other seats serve", async () => (await statsOf(gateway)).pool.available === 3)
  expect((await accountsOf(gateway)).map(({ state }) => state)).toEqual(["suspended", "ready", "ready", "ready"])
})

test.concurrent("fault 23: seats whose look is refused rest for ten minutes and are not suspended unseen", async () => {
  await using gateway = await startOwnGateway(SEATS)
  gateway.control.script({ scenario: "deactivated-workspace", account: "account-1" })
  gateway.control.script({ endpoint: "usage", settings: { refuse: "deactivated-workspace" } })
  await closeFirstSeat(gateway)
  await until("both were looked at", () => usageCalls(gateway).filter(({ status }) => status === 402).length === 2)
  gateway.control.clearRecorded()
  for (let index = 0; index < 8; index += 1) expect((await ask(gateway, `goes on ${index}`)).status).toBe(200)
  expect(new Set(gateway.turns().map(({ account }) => account))).toEqual(new Set(["account-4"]))
  const [, second, third] = await accountsOf(gateway)
  for (const seat of [second, third]) {
    expect(seat?.state).toBe("cooldown")
    expect(seat?.blocks.map(({ cause }) => cause)).toEqual(["workspace"])
    const block = seat?.blocks[0]
    expect(Date.parse(block?.until ?? "") - Date.parse(block?.since ?? "")).toBe(600_000)
  }
})

test.concurrent("fault 24: one reset brings an account back from every kind of refusal", async () => {
  await using gateway = await startOwnGateway({ accounts: 1 })
  const [account] = await accountsOf(gateway)
  const kinds = [
    "usage-limit",
    "burst",
    "payment-required",
    "access-restricted",
    "missing-scope",
    "account-deactivated",
    "deactivated-workspace",
    "workspace-mismatch",
    "model-not-found",
    "model-not-supported",
    "challenge",
    "blocked",
    "usage-not-included",
  ]
  for (const scenario of kinds) {
    gateway.control.script({ scenario, settings: { retryAfterSec: 600 }, times: 1 })
    const refused = await ask(gateway, scenario)
    expect({ scenario, isRefused: refused.status >= 400 }).toEqual({ scenario, isRefused: true })
    const asked = gateway.turns().length
    expect((await ask(gateway, `still ${scenario}`)).status).toBeGreaterThanOrEqual(400)
    expect({ scenario, asked: gateway.turns().length }).toEqual({ scenario, asked })
    expect((await gateway.post(`/api/admin/accounts/${account?.id}/reset`, {})).status).toBe(200)
    expect({ scenario, status: (await ask(gateway, `after ${scenario}`)).status }).toEqual({ scenario, status: 200 })
  }
})
