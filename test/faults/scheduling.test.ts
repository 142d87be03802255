/** What the scheduler learns from whole requests: limits, outages, and a policy that changes while it runs. */

import { expect, setDefaultTimeout, test } from "bun:test"

import { chat, type FaultGateway, type FaultOptions, startFaultGateway, turn, until } from "./fixture.ts"

setDefaultTimeout(20_000)

type Shown = {
  readonly pool: { readonly available: number; readonly breaker?: { readonly failure: string } }
  readonly accounts: readonly {
    readonly status: string
    readonly concurrency: number
    readonly in_flight: number
    readonly score: number
    readonly requests?: { readonly requests: number }
  }[]
}

async function start(options: FaultOptions): Promise<FaultGateway & AsyncDisposable> {
  const gateway = await startFaultGateway(options)
  return { ...gateway, [Symbol.asyncDispose]: gateway.stop }
}

async function statsOf(gateway: FaultGateway): Promise<Shown> {
  return (await gateway.get("/stats")).json() as unknown as Shown
}

test.concurrent("fault 4: a refusal for concurrency teaches the account's limit, and blocks nothing", async () => {
  const settings = { "account-concurrency": 10, scheduler: { "health-tiers": false } }
  await using gateway = await start({ accounts: 2, settings })
  gateway.control.script({ settings: { hold: "all", holdAfterEvents: 2 }, times: 8 })
  const streams = Array.from({ length: 8 }, (_, index) =>
    gateway.open("/v1/chat/completions", chat({ text: `stream ${index}`, stream: true })),
  )
  await gateway.control.untilWaiting("all", 8)
  const message = "Concurrency limit exceeded for user, please retry later"
  gateway.control.script({ scenario: "failure", settings: { message, errorForm: "failed" }, times: 1 })
  expect((await gateway.post("/v1/responses", turn())).status).toBe(200)
  const { pool, accounts } = await statsOf(gateway)
  // The fifth request of an account was refused: 85 % of five.
  expect(accounts.map(({ concurrency }) => concurrency).toSorted((left, right) => left - right)).toEqual([4, 10])
  expect(pool.available).toBe(2)
  expect(accounts.map(({ score }) => score)).toContain(100)
  const listed = (await gateway.get("/api/admin/accounts")).json() as unknown as {
    readonly accounts: readonly { readonly blocks: readonly unknown[] }[]
  }
  expect(listed.accounts.flatMap(({ blocks }) => blocks)).toEqual([])
  gateway.control.release("all")
  await Promise.all(streams.map(stream => stream.ended))
})

test.concurrent("when every account is refused as deactivated, none loses its place, and one success ends it", async () => {
  await using gateway = await start({ accounts: 8 })
  expect((await gateway.post("/v1/responses", turn())).status).toBe(200)
  gateway.control.script({ scenario: "account-deactivated" })
  for (let index = 0; index < 4; index += 1) await gateway.post("/v1/responses", turn({ text: `lost ${index}` }))
  const during = await statsOf(gateway)
  expect(during.pool.breaker?.failure).toBe("auth")
  expect(during.accounts.map(({ status }) => status)).toEqual(Array(8).fill("ready"))
  expect(gateway.process().output()).toContain("accounts failed alike (auth)")
  gateway.control.clearScripts()
  expect((await gateway.post("/v1/responses", turn({ text: "back" }))).status).toBe(200)
  expect((await statsOf(gateway)).pool).toMatchObject({ available: 8 })
  expect((await statsOf(gateway)).pool.breaker).toBeUndefined()
})

test.concurrent("the policy changes while the gateway runs", async () => {
  await using gateway = await start({ accounts: 3 })
  const countsOf = async () =>
    (await statsOf(gateway)).accounts
      .map(({ requests }) => requests?.requests ?? 0)
      .toSorted((one, other) => other - one)
  for (let index = 0; index < 20; index += 1) await gateway.post("/v1/responses", turn({ text: `spread ${index}` }))
  expect((await countsOf())[0]).toBeLessThan(20)
  const before = (await countsOf())[0] ?? 0
  await gateway.configure({ scheduler: { strategy: "fill-first" } })
  await until("all requests go to one account", async () => {
    const total = (await countsOf()).reduce((sum, count) => sum + count, 0)
    for (let index = 0; index < 4; index += 1)
      await gateway.post("/v1/responses", turn({ text: `fill ${total} ${index}` }))
    return ((await countsOf())[0] ?? 0) >= before + 4
  })
})
