/** Refreshing end to end: real files, a real store, a token endpoint whose refresh tokens work once. */

import { afterEach, beforeEach, expect, test } from "bun:test"
import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"

import type { AccountPool } from "#accounts/account-pool.ts"
import { refreshFingerprint } from "#accounts/fingerprint.ts"
import type { Account } from "#core/account.ts"

import { makePoolFixture, waitUntil } from "../pool-fixture.ts"
import { DAY_SEC, makeJwt, START_SEC, writeFlatFile } from "../token-endpoint.ts"

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

async function startPool(parts: Parameters<typeof world.makePool>[0] = {}): Promise<AccountPool> {
  pool = world.makePool(parts)
  await pool.start()
  return pool
}

function onlyAccount(): Account {
  const account = pool?.accounts()[0]
  if (account === undefined) throw new Error("no account")
  return account
}

function accountOf(started: AccountPool, user: string): Account {
  const account = started.accounts().find(one => one.email === `${user}@example.com`)
  if (account === undefined) throw new Error(`no account of ${user}`)
  return account
}

function tokensOf(account: Account): { access: string; refresh: string | undefined } {
  if (account.credential.type !== "chatgpt") throw new Error("not a chatgpt account")
  return { access: account.credential.accessToken, refresh: account.credential.refreshToken }
}

function readEntry(path: string): Record<string, unknown> {
  return JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>
}

function addAccount(user = "ann", options: Parameters<typeof writeFlatFile>[2] = {}): string {
  world.tokens.valid.set(options.refreshToken ?? `rt_${user}_0`, user)
  return writeFlatFile(world.authDir, user, options)
}

test("fault 25: a hundred parallel refreshes of one account make one exchange", async () => {
  addAccount()
  const started = await startPool()
  const { id } = onlyAccount()
  const outcomes = await Promise.all(Array.from({ length: 100 }, () => started.refresh(id)))
  expect(world.tokens.calls).toEqual(["rt_ann_0"])
  expect(new Set(outcomes.map(outcome => outcome.type === "fresh" && tokensOf(outcome.account).refresh))).toEqual(
    new Set(["rt_ann_1"]),
  )
})

test("a request whose refused token was replaced meanwhile gets the new one without an exchange", async () => {
  addAccount()
  const started = await startPool()
  const refused = tokensOf(onlyAccount()).access
  await started.refresh(onlyAccount().id, { rejectedToken: refused })
  const again = await started.refresh(onlyAccount().id, { rejectedToken: refused })
  expect(again).toMatchObject({ type: "fresh", how: "current" })
  expect(world.tokens.calls).toHaveLength(1)
})

test("the new pair is in the store and in the file before anyone sees it", async () => {
  const path = addAccount()
  const seen: unknown[] = []
  const started = await startPool({
    emit: event => {
      if (event.type !== "credential-renewed") return
      const row = world.store().readCredential(event.account.id)
      seen.push([row?.generation, row?.fingerprint, readEntry(path)["refresh_token"]])
    },
  })
  await started.refresh(onlyAccount().id)
  expect(seen[0]).toEqual([1, refreshFingerprint("rt_ann_1"), "rt_ann_1"])
})

test("the file keeps its unknown keys and gets the new times and mode 0600", async () => {
  const path = addAccount()
  const started = await startPool()
  await started.refresh(onlyAccount().id)
  const entry = readEntry(path)
  expect(entry).toMatchObject({ type: "codex", websockets: true, account_id: "ws-ann", email: "ann@example.com" })
  expect(entry["expired"]).toBe(new Date((START_SEC + 100 + 10 * DAY_SEC) * 1000).toISOString())
  expect(entry["last_refresh"]).toBe(new Date(world.time.clock()).toISOString())
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test("fault 28: a client that leaves during the exchange does not stop the commit", async () => {
  const path = addAccount()
  const started = await startPool()
  const open = world.tokens.hold()
  // Nobody waits for the outcome, which is all a client that is gone amounts to: refresh takes no signal.
  const abandoned = started.refresh(onlyAccount().id)
  await world.time.advanceAsync(5)
  open()
  await abandoned
  expect(readEntry(path)["refresh_token"]).toBe("rt_ann_1")
})

test("closing waits for the exchange under way", async () => {
  const path = addAccount()
  const started = await startPool()
  const open = world.tokens.hold()
  void started.refresh(onlyAccount().id)
  await waitUntil(() => world.tokens.calls.length > 0)
  const closed = started.close()
  open()
  await closed
  pool = undefined
  expect(readEntry(path)["refresh_token"]).toBe("rt_ann_1")
})

/** Renews Ann's tokens while her file is gone and the store fails every commit until `repair` is called. */
async function renewOnBrokenStore(path: string, failure: Error) {
  let isBroken = true
  const rows = world.store()
  const started = await startPool({
    rows: {
      ...rows,
      commitCredentials: changed => {
        if (isBroken) throw failure
        rows.commitCredentials(changed)
      },
    },
  })
  const ann = accountOf(started, "ann")
  const open = world.tokens.hold()
  const refreshing = started.refresh(ann.id)
  await waitUntil(() => world.tokens.calls.length > 0)
  rmSync(path)
  open()
  const outcome = await refreshing
  const repair = () => {
    isBroken = false
  }
  return { started, ann, outcome, repair }
}

test("fault 27: when neither store nor file takes the new pair, memory and journal hold it and the next start recovers it", async () => {
  const path = addAccount()
  addAccount("bob")
  const failure = Object.assign(new Error("disk full"), { code: "SQLITE_FULL" })
  const { started, ann, outcome, repair } = await renewOnBrokenStore(path, failure)
  expect(outcome.type === "fresh" && tokensOf(outcome.account).refresh).toBe("rt_ann_1")
  expect(world.eventsOf("commit-failed")).toMatchObject([
    { accountId: ann.id, journalled: true, reason: "SQLITE_FULL" },
  ])

  expect(await started.refresh(accountOf(started, "bob").id)).toMatchObject({
    type: "failed",
    failure: { code: "storage" },
  })
  await world.time.advanceAsync(3000)
  expect(world.tokens.calls).toEqual(["rt_ann_0"])

  // The process dies here; the file is what it was before the exchange.
  pool = undefined
  repair()
  writeFlatFile(world.authDir, "ann")
  world.reopenStore()
  const second = await startPool()
  const recovered = second.accounts().find(account => account.id === ann.id) as Account
  expect(tokensOf(recovered).refresh).toBe("rt_ann_1")
  await second.rescan()
  await waitUntil(() => readEntry(path)["refresh_token"] === "rt_ann_1")
  expect(world.store().readCredential(ann.id)?.fingerprint).toBe(refreshFingerprint("rt_ann_1"))
})

test("fault 27: while a pair is held nobody waits for a refresh; it is stored as soon as the store works, and refreshing goes on", async () => {
  const path = addAccount()
  for (const user of ["bob", "cid", "dan", "eve"]) addAccount(user)
  // Due in the background as well: that one has to come later by itself.
  addAccount("fay", { expSec: -10 })
  let isBroken = true
  const rows = world.store()
  const started = await startPool({
    rows: {
      ...rows,
      commitCredentials: changed => {
        if (isBroken) throw new Error("disk full")
        rows.commitCredentials(changed)
      },
    },
  })
  const ann = started.accounts().find(account => account.email === "ann@example.com") as Account
  const idOf = (user: string) =>
    started.accounts().find(account => account.email === `${user}@example.com`)?.id ?? expect.unreachable()
  const open = world.tokens.hold()
  const refreshing = started.refresh(ann.id)
  await waitUntil(() => world.tokens.calls.length > 0)
  // Three more are under way, the fifth waits for a slot when the store fails.
  const others = ["bob", "cid", "dan", "eve"].map(user => started.refresh(idOf(user)))
  await waitUntil(() => world.tokens.calls.length === 4)
  rmSync(path)
  open()
  await refreshing
  const notStored = { type: "failed", failure: { class: "transient", code: "storage" } }
  expect((await Promise.all(others)).at(-1)).toMatchObject(notStored)
  expect(await started.refresh(idOf("eve"))).toMatchObject(notStored)
  await world.time.advanceAsync(0)
  expect(world.tokens.calls).toHaveLength(4)
  isBroken = false
  await world.time.advanceAsync(1000)
  // The retry also tries the file, and the disk takes its own time.
  await waitUntil(() => world.eventsOf("commit-recovered").length > 0)
  expect(world.eventsOf("commit-recovered")).toHaveLength(1)
  expect(await started.refresh(idOf("eve"))).toMatchObject({ type: "fresh", how: "renewed" })
  await waitUntil(() => {
    // However late the retry ended, the background's turn comes within its gap.
    world.time.advance(1000)
    return world.tokens.calls.includes("rt_fay_0")
  })
  expect(world.store().readCredential(ann.id)?.fingerprint).toBe(refreshFingerprint("rt_ann_1"))
})

test("a file that cannot be written leaves the pair in the store, and a restart serves it and repairs the file", async () => {
  const path = addAccount()
  const before = readFileSync(path, "utf8")
  const started = await startPool()
  await started.refresh(onlyAccount().id)
  await started.close()
  // The file as it would stand had its rewrite failed.
  writeFileSync(path, before)
  await startPool()
  expect(tokensOf(onlyAccount()).refresh).toBe("rt_ann_1")
  await waitUntil(() => readEntry(path)["refresh_token"] === "rt_ann_1")
})

test("fault 30: a newer token found in the file is adopted instead of exchanging the old one", async () => {
  addAccount()
  const started = await startPool()
  world.tokens.valid.set("rt_other", "ann")
  writeFlatFile(world.authDir, "ann", { refreshToken: "rt_other", iatSec: 50, expSec: 9 * DAY_SEC })
  const outcome = await started.refresh(onlyAccount().id)
  expect(outcome).toMatchObject({ type: "fresh", how: "adopted" })
  expect(tokensOf(onlyAccount()).refresh).toBe("rt_other")
  expect(world.tokens.calls).toEqual([])
})

test("fault 30: `reused` is not believed when the file got a newer token during the exchange", async () => {
  addAccount()
  const started = await startPool()
  world.tokens.valid.delete("rt_ann_0")
  const open = world.tokens.hold()
  const refreshing = started.refresh(onlyAccount().id)
  await waitUntil(() => world.tokens.calls.length > 0)
  writeFlatFile(world.authDir, "ann", { refreshToken: "rt_other", iatSec: 50, expSec: 9 * DAY_SEC })
  open()
  expect(await refreshing).toMatchObject({ type: "fresh", how: "adopted" })
  expect(world.eventsOf("account-effect")).toEqual([])
})

test("an adopted token that has run out is exchanged in turn", async () => {
  addAccount()
  const started = await startPool()
  world.tokens.valid.set("rt_other", "ann")
  writeFlatFile(world.authDir, "ann", { refreshToken: "rt_other", iatSec: -50, expSec: -1 })
  const outcome = await started.refresh(onlyAccount().id)
  expect(outcome).toMatchObject({ type: "fresh", how: "renewed" })
  expect(world.tokens.calls).toEqual(["rt_other"])
})

test("a permanent refusal needs a second one a minute later; until expiry the access token stays", async () => {
  addAccount()
  const started = await startPool()
  world.tokens.valid.clear()
  const { id } = onlyAccount()
  const { access } = tokensOf(onlyAccount())
  expect(await started.refresh(id)).toMatchObject({ type: "failed", failure: { class: "permanent", confirmed: false } })
  expect(world.eventsOf("account-effect")).toEqual([])
  // Requests in between get the same answer without another exchange.
  await started.refresh(id)
  expect(world.tokens.calls).toHaveLength(1)
  await world.time.advanceAsync(61_000)
  await waitUntil(() => world.eventsOf("account-effect").length > 0)
  expect(world.eventsOf("account-effect")).toMatchObject([{ accountId: id, effect: { type: "needs-login" } }])
  expect(tokensOf(onlyAccount()).access).toBe(access)
  await world.time.advanceAsync(3_600_000)
  expect(world.tokens.calls).toHaveLength(2)
})

test("a lost answer is followed by one careful retry, and `reused` then means sign in again at once", async () => {
  addAccount()
  const started = await startPool()
  world.tokens.loseNextAnswers(1)
  const outcome = await started.refresh(onlyAccount().id)
  expect(outcome).toMatchObject({ type: "failed", failure: { class: "ambiguous" } })
  expect(world.store().listRefreshIntents()).toHaveLength(1)
  await started.refresh(onlyAccount().id)
  expect(world.tokens.calls).toHaveLength(1)
  await world.time.advanceAsync(5000)
  await waitUntil(() => world.eventsOf("account-effect").length > 0)
  expect(world.tokens.calls).toHaveLength(2)
  expect(world.eventsOf("account-effect")).toMatchObject([
    { effect: { type: "needs-login" }, detail: "refresh_token_reused" },
  ])
  // Until somebody signs in: the next start has to know why the account cannot be refreshed.
  expect(world.store().listRefreshIntents()).toHaveLength(1)
})

test("an exchange that an earlier run left unfinished is tried before anything else", async () => {
  for (const user of ["ann", "bob"]) addAccount(user, { expSec: -10 })
  addAccount("zoe")
  world.store().beginRefresh({
    fingerprint: refreshFingerprint("rt_zoe_0"),
    // Any account id: the fingerprint is what is looked for.
    accountId: "acc_0000000000000000" as Account["id"],
    generation: 0,
    startedAtMs: 1,
  })
  await startPool()
  await world.time.advanceAsync(0)
  await waitUntil(() => world.tokens.calls.length > 1)
  expect(world.tokens.calls[0]).toBe("rt_zoe_0")
})

test.each([429, 408, 500, 503])("fault 29: status %d at the token endpoint is a pause, not a verdict", async status => {
  addAccount()
  const started = await startPool()
  world.tokens.answerWith(() => new Response("busy", { status }))
  expect(await started.refresh(onlyAccount().id)).toMatchObject({ type: "failed", failure: { class: "transient" } })
  world.tokens.answerWith(undefined)
  await world.time.advanceAsync(10_000)
  await waitUntil(() => tokensOf(onlyAccount()).refresh === "rt_ann_1")
  expect(world.eventsOf("account-effect")).toEqual([])
})

test("fault 33: two accounts that share a refresh token make one exchange and both get the pair", async () => {
  world.tokens.valid.set("rt_shared", "ann")
  writeFlatFile(world.authDir, "ann", { refreshToken: "rt_shared" })
  writeFlatFile(world.authDir, "bob", { refreshToken: "rt_shared" })
  const started = await startPool()
  await Promise.all(started.accounts().map(account => started.refresh(account.id)))
  expect(world.tokens.calls).toEqual(["rt_shared"])
  expect(started.accounts().map(account => tokensOf(account).refresh)).toEqual(["rt_ann_1", "rt_ann_1"])
  for (const user of ["ann", "bob"]) {
    expect(readEntry(join(world.authDir, `${user}.json`))["refresh_token"]).toBe("rt_ann_1")
  }
})

test("accounts of one array file refresh side by side without undoing each other's rewrite", async () => {
  const users = Array.from({ length: 8 }, (_, index) => `user${index}`)
  const entries = users.map(user => {
    world.tokens.valid.set(`rt_${user}_0`, user)
    return { type: "codex", access_token: makeJwt({ user, workspace: `ws-${user}` }), rk: `rt_${user}_0` }
  })
  const path = join(world.authDir, "all.json")
  writeFileSync(path, JSON.stringify(entries))
  const started = await startPool()
  const progress: number[] = []
  await started.refreshAll(({ done }) => progress.push(done))
  expect(progress).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
  const written = JSON.parse(readFileSync(path, "utf8")) as { rk: string }[]
  expect(written.map(entry => world.tokens.valid.has(entry.rk))).toEqual(users.map(() => true))
})

test("fault 37: background refreshes start one a second and a request goes ahead of them", async () => {
  for (let index = 0; index < 5; index++) addAccount(`user${index}`, { expSec: -10 })
  addAccount("zoe", { expSec: -10 })
  const started = await startPool()
  const zoe = accountOf(started, "zoe")
  await world.time.advanceAsync(0)
  await started.refresh(zoe.id)
  expect(world.tokens.calls).toHaveLength(2)
  expect(world.tokens.calls[1]).toBe("rt_zoe_0")
  await world.time.advanceAsync(999)
  expect(world.tokens.calls).toHaveLength(2)
  await world.time.advanceAsync(1)
  await waitUntil(() => world.tokens.calls.length >= 3)
  expect(world.tokens.calls).toHaveLength(3)
})

test("fault 35: an expiry more than 24.8 days ahead sets no timer beyond what timers can hold and refreshes nothing", async () => {
  addAccount("ann", { expSec: 60 * DAY_SEC })
  await startPool()
  expect(Math.max(...world.time.waiting())).toBeLessThan(2 ** 31)
  await world.time.advanceAsync(3_600_000)
  expect(world.tokens.calls).toEqual([])
})

test("an hour-long token is refreshed five minutes before it expires", async () => {
  addAccount("ann", { iatSec: 0, expSec: 3600 })
  await startPool()
  await world.time.advanceAsync(3_299_000)
  expect(world.tokens.calls).toEqual([])
  await world.time.advanceAsync(2000)
  await waitUntil(() => world.tokens.calls.length > 0)
  expect(world.tokens.calls).toEqual(["rt_ann_0"])
})

test("a file of the Codex client is rewritten in the client's own layout", async () => {
  world.tokens.valid.set("rt_ann_0", "ann")
  const path = join(world.authDir, "auth.json")
  const tokens = {
    id_token: "",
    access_token: makeJwt({ user: "ann", workspace: "ws-ann" }),
    refresh_token: "rt_ann_0",
    account_id: "ws-ann",
  }
  writeFileSync(
    path,
    JSON.stringify(
      { auth_mode: "chatgpt", OPENAI_API_KEY: null, tokens, last_refresh: "2026-09-20T08:15:30.123456Z" },
      undefined,
      2,
    ),
  )
  const started = await startPool()
  await started.refresh(onlyAccount().id)
  const entry = readEntry(path)
  expect(Object.keys(entry)).toEqual(["auth_mode", "OPENAI_API_KEY", "tokens", "last_refresh"])
  expect(entry["tokens"]).toMatchObject({
    refresh_token: "rt_ann_1",
    account_id: "ws-ann",
    access_token: tokensOf(onlyAccount()).access,
  })
  expect(entry["last_refresh"]).toBe(new Date(world.time.clock()).toISOString())
})

test("a broken file disturbs neither the other accounts nor what was loaded from it", async () => {
  const path = addAccount()
  addAccount("bob")
  const started = await startPool()
  writeFileSync(path, '{"type": "codex", "access_token": "ey')
  await started.rescan()
  for (let look = 0; look < 3; look++) await started.rescan()
  expect(started.accounts()).toHaveLength(2)
  expect(world.eventsOf("file-broken")).toMatchObject([{ path }])
  expect(world.eventsOf("account-removed")).toEqual([])
})
