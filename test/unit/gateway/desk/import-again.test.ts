/** The same list a second time, after its tokens have been used up: what is there now is newer, and stays. */

import { afterEach, beforeEach, expect, test } from "bun:test"

import type { AccountPool } from "#accounts/account-pool.ts"
import { type ImportOrder, makeIntake } from "#gateway/desk/intake.ts"

import { makePoolFixture } from "../../accounts/pool-fixture.ts"
import { makeJwt, START_SEC } from "../../accounts/token-endpoint.ts"

let world: ReturnType<typeof makePoolFixture>
let pool: AccountPool

beforeEach(async () => {
  world = makePoolFixture()
  pool = world.makePool({ isPlanning: false })
  await pool.start()
})

afterEach(async () => {
  await pool.close()
  await world.stop()
})

async function take(text: string, more: Partial<ImportOrder> = {}): Promise<readonly string[]> {
  const intake = makeIntake({ accounts: () => pool, clock: () => 0, pause: async () => undefined })
  const order = { sources: [{ name: "in", text }], signal: new AbortController().signal, ...more }
  return (await intake.importTexts(order)).results.map(result => result.outcome)
}

async function refreshOnly(): Promise<void> {
  const [account] = pool.accounts()
  if (account === undefined || pool.accounts().length !== 1) throw new Error("not exactly one account")
  expect(await pool.refresh(account.id, { lane: "operator" })).toMatchObject({ type: "fresh", how: "renewed" })
  world.time.advance(0)
}

const tokensOf = () => pool.accounts().map(({ credential }) => "refreshToken" in credential && credential.refreshToken)

test.each([1, 2, 4])("a list of bare tokens brings nothing back after %d refreshes and a restart", async rounds => {
  world.tokens.valid.set("rt_ann_0", "ann")
  expect(await take("rt_ann_0")).toEqual(["added"])
  for (let round = 0; round < rounds; round += 1) await refreshOnly()
  expect(await take("rt_ann_0")).toEqual(["unchanged"])
  await pool.close()
  world.reopenStore()
  pool = world.makePool({ isPlanning: false })
  await pool.start()
  expect(await take("rt_ann_0")).toEqual(["unchanged"])
  expect(tokensOf()).toEqual([`rt_ann_${rounds}`])
})

test.each([1, 2, 4])(
  "a sign-in that is handed over again after %d refreshes does not bring its token back",
  async rounds => {
    world.tokens.valid.set("rt_ann_0", "ann")
    const access = makeJwt({ user: "ann", workspace: "ws-ann", iat: START_SEC, email: "ann@example.com" })
    const signIn = JSON.stringify({ access_token: access, refresh_token: "rt_ann_0" })
    expect(await take(signIn, { isSignIn: true })).toEqual(["added"])
    for (let round = 0; round < rounds; round += 1) await refreshOnly()
    // Whoever sent it saw no answer: the gateway was gone by then.
    expect(await take(signIn, { isSignIn: true })).toEqual(["unchanged"])
    expect(tokensOf()).toEqual([`rt_ann_${rounds}`])
    await refreshOnly()
  },
)
