/** An operator's choice of way out for an account: what it overrules, and what it outlives. */

import { afterEach, beforeEach, expect, test } from "bun:test"

import type { AccountPool } from "#accounts/account-pool.ts"
import { egressOfChoice, readEgressChoice } from "#accounts/sources/egress-choice.ts"
import type { Account } from "#core/account.ts"

import { makePoolFixture } from "../pool-fixture.ts"
import { writeFlatFile } from "../token-endpoint.ts"

let world: ReturnType<typeof makePoolFixture>
let pool: AccountPool | undefined

beforeEach(() => {
  world = makePoolFixture()
})
afterEach(async () => {
  await pool?.close()
  pool = undefined
  await world.stop()
})

async function startPool(parts: Parameters<typeof world.makePool>[0] = {}): Promise<AccountPool> {
  pool = world.makePool(parts)
  await pool.start()
  return pool
}

function only(started: AccountPool): Account {
  const [account] = [...started.accounts()]
  if (account === undefined) throw new Error("no account")
  return account
}

const FIXED = { mode: "fixed", proxy: "px_1" } as const

test.each([
  [{ mode: "direct" }, "direct"],
  [FIXED, "proxy/px_1"],
  [{ mode: "pool", proxy: "px_2" }, "proxy/px_2"],
  [{ mode: "pool" }, "proxy/none"],
  [{ mode: "by-moon" }, "proxy/unreadable"],
  [{ mode: "fixed" }, "proxy/unreadable"],
  ["direct", "proxy/unreadable"],
])("%j goes out by %s", (written, egress) => {
  const choice = readEgressChoice(written)
  expect(choice === undefined ? undefined : egressOfChoice(choice)).toBe(egress)
})

test("the choice is there before the account is told of, also after a restart, and can be taken back", async () => {
  writeFlatFile(world.authDir, "ann")
  const started = await startPool()
  started.changeSettings([only(started).id], { egress: FIXED })
  expect(only(started).egress).toBe("proxy/px_1")
  await started.close()
  world.reopenStore()
  world.events.length = 0
  const again = await startPool()
  expect(world.eventsOf("account-added").map(({ account }) => account.egress)).toEqual(["proxy/px_1"])
  again.changeSettings([only(again).id], { egress: null })
  expect(only(again).egress).toBeUndefined()
})

test("an order that comes while a token is being exchanged counts from then on", async () => {
  writeFlatFile(world.authDir, "ann")
  world.tokens.valid.set("rt_ann_0", "ann")
  const store = world.store()
  const order = () => pool?.changeSettings([only(pool).id], { egress: FIXED })
  const started = await startPool({
    rows: {
      ...store,
      commitCredentials: (...row) => {
        // The last moment before the new token is published.
        order()
        return store.commitCredentials(...row)
      },
    },
  })
  await started.refresh(only(started).id)
  expect(only(started).egress).toBe("proxy/px_1")
  expect(world.eventsOf("credential-renewed").map(({ account }) => account.egress)).toEqual(["proxy/px_1"])
})

test("one change each is written in one step", async () => {
  for (const user of ["ann", "bob"]) writeFlatFile(world.authDir, user)
  const started = await startPool()
  const ids = [...started.accounts()].map(({ id }) => id)
  started.changeSettings(ids, id => ({ egress: { mode: "fixed", proxy: `px_${ids.indexOf(id)}` } }))
  expect([...started.accounts()].map(({ egress }) => egress)).toEqual(["proxy/px_0", "proxy/px_1"])
})
