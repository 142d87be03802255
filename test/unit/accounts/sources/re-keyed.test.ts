/** An account that came in as a bare refresh token gets its lasting id at its first refresh, whatever happens at that moment. */

import { afterEach, beforeEach, expect, test } from "bun:test"
import { rmSync } from "node:fs"

import { accountFromDraft } from "#accounts/account-from-draft.ts"
import type { AccountPool } from "#accounts/account-pool.ts"
import { refreshFingerprint } from "#accounts/fingerprint.ts"
import { makeAccountId } from "#accounts/identity.ts"
import type { Account } from "#core/account.ts"

import { makePoolFixture, waitUntil } from "../pool-fixture.ts"
import { writeFlatFile } from "../token-endpoint.ts"

const LASTING = makeAccountId({ userId: "ann", workspaceId: "ws-ann", place: "" })

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

/** As after a kill: timers that waited are gone. */
async function restart(): Promise<void> {
  await pool.close()
  world.reopenStore()
  pool = world.makePool({ isPlanning: false })
  await pool.start()
}

/** Puts an account into the database of which nothing but a working refresh token is known. */
function putBare(refreshToken = "rt_ann_0"): Account {
  world.tokens.valid.set(refreshToken, "ann")
  const account = accountFromDraft({
    provider: "codex",
    format: "flat",
    index: 0,
    disabled: false,
    refreshToken,
  })
  pool.put([{ account, origin: "refresh-tokens" }], { isDurable: true })
  return account
}

const idsOf = () => pool.accounts().map(account => account.id)

test("the first refresh tells whose a bare token is", async () => {
  const { id } = putBare()
  await pool.refresh(id)
  expect(idsOf()).toEqual([id])
  world.time.advance(0)
  expect(idsOf()).toEqual([LASTING])
})

test("an exchange that began just before the account got its lasting id keeps its note", async () => {
  const { id } = putBare()
  await pool.refresh(id)
  const letAnswer = world.tokens.hold()
  const second = pool.refresh(id)
  await waitUntil(() => world.tokens.calls.length === 2)
  world.time.advance(0)
  expect(idsOf()).toEqual([LASTING])
  // A kill now leaves a token on the disk that may be used up; only the note says so.
  const notes = world.store().listRefreshIntents()
  expect(notes).toMatchObject([{ fingerprint: refreshFingerprint("rt_ann_1"), accountId: LASTING }])
  letAnswer()
  await second
  expect(world.store().listRefreshIntents()).toEqual([])
  expect(pool.get(LASTING)?.credential).toMatchObject({ refreshToken: "rt_ann_2" })
})

test("a kill between refresh and lasting id is made up for by the next start", async () => {
  const { id } = putBare()
  await pool.refresh(id)
  await restart()
  world.time.advance(0)
  expect(idsOf()).toEqual([LASTING])
  expect(pool.get(LASTING)).toMatchObject({ userId: "ann", credential: { refreshToken: "rt_ann_1" } })
  await restart()
  expect(idsOf()).toEqual([LASTING])
})

test("an account keeps in mind under its lasting id which tokens its line has used up", async () => {
  const { id } = putBare()
  await pool.refresh(id)
  world.time.advance(0)
  expect(pool.memory.byFingerprint(refreshFingerprint("rt_ann_0"))[0]?.accountId).toBe(LASTING)
  await pool.refresh(LASTING)
  await restart()
  for (const token of ["rt_ann_0", "rt_ann_1", "rt_ann_2"]) {
    expect(pool.memory.byFingerprint(refreshFingerprint(token))[0]?.accountId).toBe(LASTING)
  }
})

test.each(["archived", "gone with its file"])(
  "the new token of an account that is %s counts, however often the old one was refreshed",
  async how => {
    const path = how === "archived" ? undefined : writeFlatFile(world.authDir, "ann")
    if (path === undefined) {
      const old = putBare()
      await pool.refresh(old.id)
      world.time.advance(0)
    } else {
      world.tokens.valid.set("rt_ann_0", "ann")
      await pool.rescan()
    }
    for (let round = 0; round < 3; round += 1) expect(await pool.refresh(LASTING)).toMatchObject({ type: "fresh" })
    if (path === undefined) pool.changeSettings([LASTING], { archivedAtMs: 1 })
    else rmSync(path)
    await pool.rescan()
    expect(idsOf()).toEqual([])
    const again = putBare("rt_ann_new")
    await pool.refresh(again.id)
    world.time.advance(0)
    pool.changeSettings([LASTING], { archivedAtMs: null })
    const before = pool.get(LASTING)?.credential
    await restart()
    expect(pool.get(LASTING)?.credential).toEqual(before)
    await pool.refresh(LASTING)
    const after = pool.get(LASTING)?.credential
    await restart()
    expect(pool.get(LASTING)?.credential).toEqual(after)
    // Works: what lies on the disk is what the endpoint takes.
    expect(await pool.refresh(LASTING)).toMatchObject({ type: "fresh" })
  },
)

test("cookies go along to the lasting id, and those that are there already stay", async () => {
  await pool.close()
  const cookies = world.makeCookies()
  pool = world.makePool({ isPlanning: false, cookies })
  await pool.start()
  const { id } = putBare()
  const cookie = { domain: "chatgpt.com", hostOnly: true, path: "/", secure: true } as const
  cookies.put(id, [
    { ...cookie, name: "cf", value: "of-the-bare-token" },
    { ...cookie, name: "both", value: "of-the-bare-token" },
  ])
  cookies.put(LASTING, [{ ...cookie, name: "both", value: "there-before" }])
  await pool.refresh(id)
  world.time.advance(0)
  const expected = { cf: "of-the-bare-token", both: "there-before" }
  const valuesOf = (book: typeof cookies) =>
    Object.fromEntries(book.of(LASTING).map(({ name, value }) => [name, value]))
  expect(valuesOf(cookies)).toEqual(expected)
  expect(cookies.has(id)).toBe(false)
  await restart()
  const later = world.makeCookies()
  expect(valuesOf(later)).toEqual(expected)
  expect(later.has(id)).toBe(false)
})
