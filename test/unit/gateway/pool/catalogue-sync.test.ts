import { expect, test } from "bun:test"

import type { Account } from "#core/account.ts"
import { type CatalogueSyncParts, startCatalogueSync } from "#gateway/pool/catalogue-sync.ts"

import { makeManualTime } from "../../../support/manual-timers.ts"

// The sync reads no more of an account than this.
const account = { id: "acc_1", provider: "codex", plan: "plus", disabled: false } as unknown as Account

/** A sync over one account whose upstream answers every question with the present tag. */
function harness() {
  const time = makeManualTime()
  const upstream = { tag: '"one"', asked: 0 }
  const send = async () => {
    upstream.asked += 1
    return { status: 200, headers: new Headers({ etag: `W/${upstream.tag}` }), body: new Response("[]").body }
  }
  const parts = {
    clock: time.clock,
    timers: time.timers,
    random: () => 0.5,
    send,
    pool: { accounts: () => [account], target: () => ({ account, baseUrl: "http://upstream.invalid" }) },
    providers: { codex: { modelsRequest: () => ({}), readModels: () => [] } },
    scheduler: { setModels: () => {}, isUsable: () => true },
    catalogue: { setModels: () => {} },
    kept: new Map(),
    keep: () => {},
    reportFailure: (name: string, cause: unknown) => {
      throw new Error(name, { cause })
    },
  }
  // Stand-ins for the bricks around the sync, as far as it uses them.
  const sync = startCatalogueSync(parts as unknown as CatalogueSyncParts)
  return { time, upstream, sync }
}

test("an answer that names another version has the list asked for again", async () => {
  const { time, upstream, sync } = harness()
  await sync.refresh()
  expect(upstream.asked).toBe(1)
  await time.advanceAsync(60_000)
  upstream.tag = '"two"'
  sync.etagSeen(account, '"two"')
  await time.advanceAsync(0)
  expect(upstream.asked).toBe(2)
  sync.stop()
})

test("the version that is known is not asked for again, however its tag is written", async () => {
  const { time, upstream, sync } = harness()
  await sync.refresh()
  await time.advanceAsync(60_000)
  for (const tag of ['"one"', 'W/"one"', "one"]) sync.etagSeen(account, tag)
  await time.advanceAsync(0)
  expect(upstream.asked).toBe(1)
  sync.stop()
})

test("a tag that never matches asks once a minute, not once an answer", async () => {
  const { time, upstream, sync } = harness()
  await sync.refresh()
  for (let answers = 0; answers < 240; answers += 1) {
    sync.etagSeen(account, '"never"')
    await time.advanceAsync(1_000)
  }
  expect(upstream.asked).toBeGreaterThanOrEqual(4)
  expect(upstream.asked).toBeLessThanOrEqual(5)
  sync.stop()
})
