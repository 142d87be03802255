/** What the token endpoint and this machine do to a refresh, and what becomes of the account; real files, store and endpoint. */

import { afterEach, beforeEach, expect, test } from "bun:test"

import type { AccountPool } from "#accounts/account-pool.ts"
import type { Account } from "#core/account.ts"

import { makePoolFixture, waitUntil } from "../pool-fixture.ts"
import { writeFlatFile } from "../token-endpoint.ts"

let world: ReturnType<typeof makePoolFixture>
let pool: AccountPool | undefined

beforeEach(() => {
  world = makePoolFixture()
})

afterEach(async () => {
  world.tokens.answerWith(undefined)
  await pool?.close()
  pool = undefined
  await world.stop()
})

/** Starts over one account whose access token is good for days. */
async function start(parts: Parameters<typeof world.makePool>[0] = {}): Promise<AccountPool> {
  world.tokens.valid.set("rt_ann_0", "ann")
  writeFlatFile(world.authDir, "ann")
  pool = world.makePool(parts)
  await pool.start()
  return pool
}

function onlyAccount(): Account {
  return pool?.accounts()[0] ?? expect.unreachable()
}

const refreshTokenOf = ({ credential }: Account) =>
  credential.type === "chatgpt" ? credential.refreshToken : undefined

const json = (status: number, body: unknown) => () => Response.json(body, { status })
const html = (status: number) => () =>
  new Response("<!DOCTYPE html><html><title>Just a moment...</title></html>", {
    status,
    headers: { "content-type": "text/html" },
  })

test.each([
  ["a page instead of tokens", html(200)],
  ["a challenge page", html(403)],
  ["an empty refusal", () => new Response("", { status: 400 })],
  ["a throttle", json(429, { error: { code: "rate_limit_exceeded" } })],
] as const)("fault 29: %s is a pause: it is asked again by itself, and the account is not lost", async (_, answer) => {
  const started = await start()
  world.tokens.answerWith(answer)
  expect(await started.refresh(onlyAccount().id)).toMatchObject({ type: "failed", failure: { class: "transient" } })
  world.tokens.answerWith(undefined)
  await world.time.advanceAsync(10_000)
  await waitUntil(() => refreshTokenOf(onlyAccount()) === "rt_ann_1")
  expect(world.eventsOf("account-effect")).toEqual([])
})

test.each(["token_expired", "refresh_token_expired", "invalid_grant"])(
  "fault 31: `%s` at the token endpoint, said twice, ends the service of the account",
  async code => {
    const started = await start()
    world.tokens.answerWith(json(401, { error: { code, message: "expired" } }))
    const { id } = onlyAccount()
    expect(await started.refresh(id)).toMatchObject({
      type: "failed",
      failure: { class: "permanent", confirmed: false },
    })
    await world.time.advanceAsync(61_000)
    await waitUntil(() => world.eventsOf("account-effect").length > 0)
    expect(world.eventsOf("account-effect")).toMatchObject([
      { accountId: id, effect: { type: "needs-login" }, detail: code },
    ])
    // It is not asked for ever.
    const calls = world.tokens.calls.length
    await world.time.advanceAsync(24 * 3_600_000)
    expect(world.tokens.calls).toHaveLength(calls)
  },
)

test("fault 34: a refresh that finds the database held by somebody else is done later by itself", async () => {
  const rows = world.store()
  let isHeld = true
  const started = await start({
    rows: {
      ...rows,
      beginRefresh: intent => {
        if (isHeld) throw Object.assign(new Error("database is locked"), { code: "SQLITE_BUSY" })
        rows.beginRefresh(intent)
      },
    },
  })
  const outcome = await started.refresh(onlyAccount().id)
  expect(outcome).toMatchObject({ type: "failed", failure: { code: "storage", retryAtMs: expect.any(Number) } })
  // Without a note on the disk the token must not be used up.
  expect(world.tokens.calls).toEqual([])
  isHeld = false
  await world.time.advanceAsync(10_000)
  await waitUntil(() => refreshTokenOf(onlyAccount()) === "rt_ann_1")
  expect(world.eventsOf("account-effect")).toEqual([])
})
