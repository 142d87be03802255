/** What a crash, a file that stayed behind and a lost answer may leave on the disk, and that the newest token counts. */

import { afterEach, beforeEach, expect, test } from "bun:test"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"

import type { AccountPool } from "#accounts/account-pool.ts"
import type { Account } from "#core/account.ts"

import { makePoolFixture, waitUntil } from "../pool-fixture.ts"
import { makeJwt, START_SEC, writeFlatFile } from "../token-endpoint.ts"

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

async function startPool(): Promise<AccountPool> {
  pool = world.makePool()
  await pool.start()
  return pool
}

/** Ends the pool and puts `files` back, as they would stand had their rewriting failed; then starts anew. */
async function restartWith(files: Readonly<Record<string, string>>): Promise<AccountPool> {
  await pool?.close()
  pool = undefined
  for (const [path, text] of Object.entries(files)) writeFileSync(path, text)
  world.reopenStore()
  return startPool()
}

function onlyAccount(): Account {
  const account = pool?.accounts()[0]
  if (account === undefined || pool?.accounts().length !== 1) throw new Error("not exactly one account")
  return account
}

function refreshTokenOf({ credential }: Account): string | undefined {
  return credential.type === "chatgpt" ? credential.refreshToken : undefined
}

async function refreshOnly(): Promise<void> {
  expect(await pool?.refresh(onlyAccount().id, { lane: "operator" })).toMatchObject({ type: "fresh", how: "renewed" })
}

/** Writes a file that holds nothing but a refresh token, as an import of tokens one a line does. */
function writeBareFile(user: string): { readonly path: string; readonly text: string } {
  world.tokens.valid.set(`rt_${user}_0`, user)
  const path = join(world.authDir, `${user}.json`)
  const text = JSON.stringify({ type: "codex", refresh_token: `rt_${user}_0` })
  writeFileSync(path, text)
  return { path, text }
}

test("an account known by its refresh token alone, in a folder that cannot be written, is found after many rotations", async () => {
  const { path, text } = writeBareFile("ann")
  await startPool()
  for (let rotation = 1; rotation <= 3; rotation += 1) {
    await refreshOnly()
    await restartWith({ [path]: text })
    expect(onlyAccount()).toMatchObject({ workspaceId: "ws-ann", credential: { refreshToken: `rt_ann_${rotation}` } })
  }
})

test("a file two rotations behind is behind, although all its tokens were issued in one second", async () => {
  world.tokens.valid.set("rt_ann_0", "ann")
  world.tokens.issueAll({ iat: START_SEC, exp: START_SEC + 864_000 })
  const path = writeFlatFile(world.authDir, "ann", { iatSec: 0, expSec: 864_000 })
  const text = readFileSync(path, "utf8")
  await startPool()
  await refreshOnly()
  await refreshOnly()
  await restartWith({ [path]: text })
  expect(refreshTokenOf(onlyAccount())).toBe("rt_ann_2")
  await waitUntil(() => readFileSync(path, "utf8").includes("rt_ann_2"))
})

test("a bare file that is put back at every start, as from a secret store, does not bring its used-up token back", async () => {
  world.tokens.issueAll({ iat: START_SEC, exp: START_SEC + 864_000 })
  const { path, text } = writeBareFile("ann")
  await startPool()
  await refreshOnly()
  // The first rotation has put an access token into the file, and with it the account's lasting name.
  await pool?.rescan()
  expect(onlyAccount()).toMatchObject({ userId: "ann", workspaceId: "ws-ann" })
  await refreshOnly()
  await restartWith({ [path]: text })
  expect(onlyAccount()).toMatchObject({ workspaceId: "ws-ann", credential: { refreshToken: "rt_ann_2" } })
})

test("a new sign-in in the same second as the last rotation is taken from the file", async () => {
  world.tokens.valid.set("rt_ann_0", "ann")
  world.tokens.issueAll({ iat: START_SEC, exp: START_SEC + 864_000 })
  const path = writeFlatFile(world.authDir, "ann", { iatSec: 0, expSec: 864_000 })
  await startPool()
  await refreshOnly()
  const text = readFileSync(path, "utf8").replace("rt_ann_1", "rt_new")
  await restartWith({ [path]: text.replace(/"access_token": "[^"]*"/, `"access_token": "${newSignIn()}"`) })
  expect(refreshTokenOf(onlyAccount())).toBe("rt_new")
})

function newSignIn(): string {
  return makeJwt({ user: "ann", workspace: "ws-ann", iat: START_SEC, exp: START_SEC + 864_000, salt: "new" })
}

test("a doubt outlives a start at which the endpoint could not be asked", async () => {
  world.tokens.valid.set("rt_ann_0", "ann")
  writeFlatFile(world.authDir, "ann")
  const first = await startPool()
  world.tokens.loseNextAnswers(1)
  expect(await first.refresh(onlyAccount().id)).toMatchObject({ type: "failed", failure: { class: "ambiguous" } })
  world.tokens.answerWith(() => new Response("busy", { status: 503 }))
  await restartWith({})
  await world.time.advanceAsync(0)
  await waitUntil(() => world.eventsOf("refresh-failed").length > 1)
  world.tokens.answerWith(undefined)
  await restartWith({})
  await world.time.advanceAsync(0)
  await waitUntil(() => world.eventsOf("account-effect").length > 0)
  expect(world.eventsOf("account-effect")).toMatchObject([
    { effect: { type: "needs-login" }, detail: "refresh_token_reused", afterLostAnswer: true },
  ])
})

test("a login that a lost answer made necessary is asked for again after a restart, at once", async () => {
  world.tokens.valid.set("rt_ann_0", "ann")
  const path = writeFlatFile(world.authDir, "ann")
  const first = await startPool()
  world.tokens.loseNextAnswers(1)
  await first.refresh(onlyAccount().id)
  await world.time.advanceAsync(5000)
  await waitUntil(() => world.eventsOf("account-effect").length === 1)
  await restartWith({})
  await world.time.advanceAsync(0)
  await waitUntil(() => world.eventsOf("account-effect").length === 2)
  // Until somebody signs in; after the next rotation nothing is left of it.
  world.tokens.valid.set("rt_signed_in", "ann")
  writeFlatFile(world.authDir, "ann", { refreshToken: "rt_signed_in", iatSec: 50, expSec: 864_000 })
  await restartWith({})
  await refreshOnly()
  expect(world.store().listRefreshIntents()).toEqual([])
  expect(readFileSync(path, "utf8")).toContain(refreshTokenOf(onlyAccount()) ?? "none")
})

test("an exchange without a known end is told, when it is lost and again after a start", async () => {
  world.tokens.valid.set("rt_ann_0", "ann")
  writeFlatFile(world.authDir, "ann")
  const first = await startPool()
  world.tokens.loseNextAnswers(1)
  await first.refresh(onlyAccount().id)
  const { id } = onlyAccount()
  expect(world.eventsOf("credential-uncertain")).toEqual([
    { type: "credential-uncertain", accountId: id, origin: "lost-answer" },
  ])
  world.tokens.answerWith(() => new Response("busy", { status: 503 }))
  await restartWith({})
  expect(world.events.slice(-2)).toMatchObject([
    { type: "account-added" },
    { type: "credential-uncertain", accountId: id, origin: "earlier-run" },
  ])
})
