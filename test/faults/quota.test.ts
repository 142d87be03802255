/** What accounts have left: heard from whatever says it, and acted on. */

import { expect, setDefaultTimeout, test } from "bun:test"

import { chat, type FaultGateway, type Reply, startOwnGateway, turn, until } from "./fixture.ts"

setDefaultTimeout(20_000)

const HOUR_SEC = 3600
const DAY_SEC = 24 * HOUR_SEC

type Shown = {
  readonly id: string
  readonly label: string
  readonly status: string
  readonly reason?: string
  readonly until?: string
  readonly concurrency: number
  readonly quota?: { readonly windows: readonly { readonly usedPercent: number; readonly windowSec: number }[] }
}

async function accountsOf(gateway: FaultGateway): Promise<readonly Shown[]> {
  return ((await gateway.get("/stats")).json() as unknown as { readonly accounts: readonly Shown[] }).accounts
}

type ShownBlock = { readonly scope: string; readonly cause: string; readonly since: string; readonly until: string }

/** Blocks of every account, as operators see them. */
async function blocksOf(gateway: FaultGateway): Promise<readonly ShownBlock[]> {
  const list = (await gateway.get("/api/admin/accounts")).json() as unknown as {
    readonly accounts: readonly { readonly blocks: readonly ShownBlock[] }[]
  }
  return list.accounts.flatMap(({ blocks }) => blocks)
}

function lengthSec({ since, until: end }: Pick<ShownBlock, "since" | "until">): number {
  return (Date.parse(end) - Date.parse(since)) / 1000
}

/** Used percent of each window of the only account. */
async function usedOf(gateway: FaultGateway): Promise<readonly number[]> {
  return (await accountsOf(gateway))[0]?.quota?.windows.map(window => window.usedPercent) ?? []
}

/** Asks without a retry of its own: what the client gets is what the pool could do. */
function ask(gateway: FaultGateway, text: string): Promise<Reply> {
  return gateway.post("/v1/responses", turn({ text }))
}

test.concurrent("quota is heard from events inside a stream, in every lane", async () => {
  await using gateway = await startOwnGateway({ accounts: 1 })
  gateway.control.script({ scenario: "quota-event-alone" })
  const calls = [
    ["/v1/responses", turn({ stream: true })],
    ["/v1/responses", turn({ stream: false })],
    ["/v1/chat/completions", chat({ stream: true })],
    ["/v1/chat/completions", chat({ stream: false })],
  ] as const
  for (const [index, [path, body]] of calls.entries()) {
    gateway.control.setQuota(gateway.control.accounts()[0]?.name ?? "", {
      primary: { usedPercent: 10 * (index + 1) },
      usePercentPerRequest: 0,
    })
    expect((await gateway.post(path, body)).status).toBe(200)
    expect((await usedOf(gateway))[0]).toBe(10 * (index + 1))
  }
})

test.concurrent("fault 1: a named quota that is spent rests its own model, and the account serves the others", async () => {
  await using gateway = await startOwnGateway({
    accounts: 1,
    prepare: async (folder, control) => {
      control.updateAccount("account-1", { plan: "pro" })
      const path = `${folder}/auths/account-1.json`
      await Bun.write(path, JSON.stringify(control.accountFile("account-1")))
    },
  })
  gateway.control.setQuota("account-1", {
    family: "codex_bengalfox",
    primary: { usedPercent: 100, resetsInSec: 2 * HOUR_SEC },
  })
  const spark = await gateway.post("/v1/responses", { ...turn(), model: "gpt-5.3-codex-spark" })
  expect(spark.status).toBe(429)
  const serving = await ask(gateway, "another model")
  expect(serving.status).toBe(200)
  expect((await blocksOf(gateway)).map(({ scope, cause }) => `${cause}, ${scope}`)).toEqual([
    "quota, model gpt-5.3-codex-spark",
  ])
})

test.concurrent.each([
  { where: "inside a 200 stream", scenario: "failure", settings: { code: "usage_limit_reached", errorForm: "failed" } },
  { where: "wrapped in a 500", scenario: "usage-limit", settings: { status: 500, resetsInSec: 5 * HOUR_SEC } },
  { where: "wrapped in a 503", scenario: "usage-limit", settings: { status: 503, resetsInSec: 5 * HOUR_SEC } },
] as const)("fault 2: a usage limit $where rests the account for its quota, and another one serves", async one => {
  await using gateway = await startOwnGateway()
  gateway.control.script({ scenario: one.scenario, settings: one.settings, times: 1 })
  expect((await ask(gateway, "limited")).status).toBe(200)
  expect(gateway.turns().map(({ account }) => account)).toHaveLength(2)
  expect(new Set(gateway.turns().map(({ account }) => account)).size).toBe(2)
  const [block, ...others] = await blocksOf(gateway)
  expect(others).toEqual([])
  expect(block).toMatchObject({ scope: "account", cause: "quota" })
  const statedSec = "resetsInSec" in one.settings ? one.settings.resetsInSec : 300
  expect(lengthSec(block ?? { since: "", until: "" })).toBeGreaterThan(statedSec - 60)
  expect(lengthSec(block ?? { since: "", until: "" })).toBeLessThan(statedSec + 35)
})

test.concurrent("fault 3: a 429 without a code on an account at work costs it seconds and one slot, not the request", async () => {
  // Health would halve the same number: without it, only the learned limit shows.
  await using gateway = await startOwnGateway({ settings: { scheduler: { "health-tiers": false } } })
  gateway.control.script({ settings: { hold: "all", holdAfterEvents: 2 }, times: 4 })
  const streams = Array.from({ length: 4 }, (_, index) =>
    gateway.open("/v1/chat/completions", chat({ text: `stream ${index}`, stream: true })),
  )
  await gateway.control.untilWaiting("all", 4)
  gateway.control.script({ scenario: "burst", times: 1 })
  const asked = gateway.turns().length
  expect((await ask(gateway, "one too many")).status).toBe(200)
  expect(
    new Set(
      gateway
        .turns()
        .slice(asked)
        .map(({ account }) => account),
    ).size,
  ).toBe(2)
  // The third request of an account was refused: 85 % of three.
  expect((await accountsOf(gateway)).map(({ concurrency }) => concurrency).toSorted()).toEqual([2, 4])
  const [block, ...others] = await blocksOf(gateway)
  expect(others).toEqual([])
  expect(block).toMatchObject({ scope: "model gpt-5.5", cause: "burst" })
  expect(lengthSec(block ?? { since: "", until: "" })).toBeLessThanOrEqual(5)
  gateway.control.release("all")
  await Promise.all(streams.map(stream => stream.ended))
})

test.concurrent.each([
  { what: "whose stream was under way", holdAfterEvents: 2 },
  { what: "that had not been answered yet", holdAfterEvents: -1 },
])("fault 5: the success of an attempt $what does not lift a newer usage limit", async ({ holdAfterEvents }) => {
  await using gateway = await startOwnGateway({ accounts: 1 })
  gateway.control.script({ settings: { hold: "older", holdAfterEvents }, times: 1 })
  const older = gateway.open("/v1/responses", turn({ text: "older", stream: true }))
  await gateway.control.untilWaiting("older", 1)
  gateway.control.script({ scenario: "usage-limit", settings: { resetsInSec: 2 * HOUR_SEC }, times: 1 })
  expect((await ask(gateway, "newer")).status).toBe(429)
  gateway.control.release("older")
  await older.ended
  expect(older.text()).toContain("response.completed")
  await gateway.idle()
  expect((await ask(gateway, "afterwards")).status).toBe(429)
  expect((await accountsOf(gateway))[0]).toMatchObject({ status: "cooldown", reason: "quota" })
  expect(gateway.turns()).toHaveLength(2)
})

test.concurrent("fault 6: a reset that lies in the past rests the account for seconds", async () => {
  await using gateway = await startOwnGateway()
  gateway.control.script({ scenario: "usage-limit", settings: { resetsInSec: -60 }, times: 1 })
  expect((await ask(gateway, "limited")).status).toBe(200)
  const blocks = (await blocksOf(gateway)).filter(({ cause }) => cause === "quota")
  for (const block of blocks) expect(lengthSec(block)).toBeLessThanOrEqual(3)
  const shown = await accountsOf(gateway)
  await until("both serve", async () => (await accountsOf(gateway)).every(({ status }) => status === "ready"))
  expect(shown).toHaveLength(2)
})

test.concurrent.each(["a refusal", "the usage endpoint"])(
  "fault 6: a reset 18 days away on a window of five hours, said by %s, rests the account for five hours",
  async source => {
    await using gateway = await startOwnGateway({ accounts: 1 })
    gateway.control.setQuota("account-1", { primary: { usedPercent: 100, resetsInSec: 18 * DAY_SEC } })
    if (source === "a refusal") expect((await ask(gateway, "limited")).status).toBe(429)
    else await gateway.post("/check-quota", "")
    const blocks = await blocksOf(gateway)
    expect(blocks.map(({ cause }) => cause)).toEqual(["quota"])
    for (const block of blocks) {
      expect(lengthSec(block)).toBeGreaterThan(5 * HOUR_SEC - 60)
      expect(lengthSec(block)).toBeLessThan(5 * HOUR_SEC + 30)
    }
  },
)

test.concurrent("fault 8: a quota that was reset early is noticed by the next probe, without anybody ordering it", async () => {
  await using gateway = await startOwnGateway({ accounts: 1, settings: { "health-check-interval": 1 } })
  gateway.control.setQuota("account-1", { primary: { usedPercent: 100, resetsInSec: 2 * HOUR_SEC } })
  expect((await ask(gateway, "limited")).status).toBe(429)
  gateway.control.setQuota("account-1", { primary: { usedPercent: 0 } })
  await until("the account serves", async () => (await accountsOf(gateway))[0]?.status === "ready", 10_000)
  expect((await ask(gateway, "afterwards")).status).toBe(200)
})

test.concurrent.each([
  { what: "the week alone in the first slot", quota: { layout: "weekly-in-primary" }, lengths: [604_800] },
  {
    what: "the week first and the five hours second",
    quota: { primary: { windowMinutes: 10_080, resetsInSec: 6 * DAY_SEC }, secondary: { windowMinutes: 300 } },
    lengths: [18_000, 604_800],
  },
  {
    what: "thirty days in the first slot",
    quota: { primary: { windowMinutes: 43_200, resetsInSec: 20 * DAY_SEC }, secondary: null },
    lengths: [2_592_000],
  },
] as const)("fault 11: windows go by their length: $what", async ({ quota, lengths }) => {
  await using gateway = await startOwnGateway({
    accounts: 1,
    settings: { quota: { "warning-thresholds": { primary: "50", secondary: "90" } } },
  })
  gateway.control.setQuota("account-1", quota)
  // Over the threshold of short windows, under that of long ones.
  gateway.control.setQuota("account-1", { primary: { usedPercent: 60 } })
  if (lengths.length > 1) gateway.control.setQuota("account-1", { secondary: { usedPercent: 60 } })
  expect((await ask(gateway, "hello")).status).toBe(200)
  const windows = (await accountsOf(gateway))[0]?.quota?.windows ?? []
  expect(windows.map(({ windowSec }) => windowSec)).toEqual([...lengths])
  const { warnings } = (await gateway.get("/api/admin/quota/warnings")).json() as unknown as {
    readonly warnings: readonly { readonly window_seconds: number }[]
  }
  expect(warnings.map(one => one.window_seconds)).toEqual(lengths.filter(length => length <= DAY_SEC))
})

test.concurrent("fault 11: a spent window of thirty days rests the account for as long as it says", async () => {
  await using gateway = await startOwnGateway({ accounts: 1 })
  const primary = { windowMinutes: 43_200, resetsInSec: 20 * DAY_SEC, usedPercent: 100 }
  gateway.control.setQuota("account-1", { primary, secondary: null })
  expect((await ask(gateway, "limited")).status).toBe(429)
  const [block] = await blocksOf(gateway)
  expect(lengthSec(block ?? { since: "", until: "" })).toBeGreaterThan(20 * DAY_SEC - 60)
})

test.concurrent("fault 14: a look at the usage that began before a refusal does not lift it; the next look does", async () => {
  await using gateway = await startOwnGateway({ accounts: 1 })
  gateway.control.script({ endpoint: "usage", settings: { hold: "usage", holdAfterEvents: -1 }, times: 1 })
  const early = gateway.post("/check-quota", "")
  await gateway.control.untilWaiting("usage", 1)
  gateway.control.script({ scenario: "usage-limit", settings: { resetsInSec: 2 * HOUR_SEC }, times: 1 })
  expect((await ask(gateway, "limited")).status).toBe(429)
  gateway.control.release("usage")
  expect((await early).text).toContain('"ok"')
  expect((await ask(gateway, "right after")).status).toBe(429)
  expect(gateway.turns()).toHaveLength(1)
  await gateway.post("/check-quota", "")
  expect((await ask(gateway, "later")).status).toBe(200)
})

test.concurrent("fault 15: a refused account is left alone until its short window resets, however little of its week is used", async () => {
  await using gateway = await startOwnGateway({ settings: { scheduler: { strategy: "quota-balanced" } } })
  gateway.control.setQuota("account-1", {
    primary: { usedPercent: 100, resetsInSec: 2 * HOUR_SEC },
    secondary: { usedPercent: 1 },
  })
  gateway.control.setQuota("account-2", { primary: { usedPercent: 40 }, secondary: { usedPercent: 60 } })
  for (let index = 0; index < 12; index += 1) expect((await ask(gateway, `ask ${index}`)).status).toBe(200)
  const asked = gateway.turns().filter(({ account }) => account === "account-1")
  expect(asked.length).toBeLessThanOrEqual(1)
  await gateway.post("/check-quota", "")
  const resting = (await accountsOf(gateway)).find(({ status }) => status === "cooldown")
  expect(resting?.reason).toBe("quota")
  expect((Date.parse(resting?.until ?? "") - Date.now()) / 1000).toBeGreaterThan(2 * HOUR_SEC - 60)
  for (let index = 0; index < 6; index += 1) expect((await ask(gateway, `again ${index}`)).status).toBe(200)
  expect(gateway.turns().filter(({ account }) => account === "account-1")).toHaveLength(asked.length)
})
