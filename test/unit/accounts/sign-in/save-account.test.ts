/** Where a signed-in account goes, and what it leaves alone. */

import { afterEach, beforeEach, expect, test } from "bun:test"
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import fc from "fast-check"

import { accountOfTokens } from "#accounts/sign-in/account-of-tokens.ts"
import { prepareAccountFolder, saveAccount } from "#accounts/sign-in/save-account.ts"
import { makeAccessToken, makeIdToken } from "#simulator/accounts/tokens.ts"

let folder = ""
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-save-"))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const NOW_MS = Date.parse("2026-09-20T08:00:00Z")
let issued = 0

/** A fresh sign-in; each is a minute younger than the one before. */
function signedIn(who: { email?: string; userId?: string; workspaceId?: string; plan?: string } = {}) {
  issued += 1
  const subject = {
    email: "Ann@Example.com",
    userId: "user-1",
    workspaceId: "11111111-2222-3333-4444-555555555555",
    plan: "plus",
    fedramp: false,
    ...who,
  }
  const issuedAtSec = NOW_MS / 1000 + issued * 60
  const life = { issuedAtSec, expiresAtSec: issuedAtSec + 864_000, tokenId: `t${issued}` }
  const tokens = {
    accessToken: makeAccessToken(subject, life),
    idToken: makeIdToken(subject, life),
    refreshToken: `rt_${issued}`,
    expiresInSec: 864_000,
  }
  return { added: accountOfTokens(tokens, issuedAtSec * 1000), tokens, life }
}

const read = (path: string) => JSON.parse(readFileSync(path, "utf8"))

test("a new account becomes a flat file that only its owner can read", async () => {
  const { added, tokens, life } = signedIn()
  const { path, change } = await saveAccount(folder, added)
  expect({ path, change }).toEqual({ path: join(folder, "codex-ann@example.com-plus.json"), change: "added" })
  expect(read(path)).toEqual({
    type: "codex",
    email: "Ann@Example.com",
    account_id: "11111111-2222-3333-4444-555555555555",
    plan_type: "plus",
    access_token: tokens.accessToken,
    refresh_token: tokens.refreshToken,
    id_token: tokens.idToken,
    expired: new Date(life.expiresAtSec * 1000).toISOString(),
    last_refresh: new Date(life.issuedAtSec * 1000).toISOString(),
  })
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(readdirSync(folder)).toHaveLength(1)
})

test("the same account again is replaced in its own file, whatever that is called", async () => {
  const first = await saveAccount(folder, signedIn().added)
  const renamed = join(folder, "mine.json")
  writeFileSync(renamed, JSON.stringify({ ...read(first.path), note: "kept", disabled: true }))
  rmSync(first.path)
  const again = signedIn()
  const saved = await saveAccount(folder, again.added)
  expect(saved).toMatchObject({ path: renamed, change: "replaced", account: { disabled: true } })
  expect(read(renamed)).toMatchObject({ refresh_token: again.tokens.refreshToken, note: "kept", disabled: true })
  expect(readdirSync(folder)).toEqual(["mine.json"])
})

test("in a file of several accounts only its own entry changes", async () => {
  const other = signedIn({ userId: "user-2", email: "bob@example.com" })
  const mine = signedIn()
  const path = join(folder, "all.json")
  writeFileSync(path, JSON.stringify([JSON.parse(other.added.text), JSON.parse(mine.added.text)]))
  const again = signedIn()
  await saveAccount(folder, again.added)
  const [first, second] = read(path)
  expect(first).toEqual(JSON.parse(other.added.text))
  expect(second.refresh_token).toBe(again.tokens.refreshToken)
  expect(readdirSync(folder)).toEqual(["all.json"])
})

test("an entry that held no refresh token is replaced whole", async () => {
  const { access_token } = JSON.parse(signedIn().added.text)
  writeFileSync(join(folder, "old.json"), JSON.stringify({ access_token }))
  const again = signedIn()
  await saveAccount(folder, again.added)
  expect(read(join(folder, "old.json"))).toEqual(JSON.parse(again.added.text))
})

test("another workspace of the same person gets a file of its own", async () => {
  const first = await saveAccount(folder, signedIn().added)
  const before = readFileSync(first.path, "utf8")
  const second = await saveAccount(folder, signedIn({ workspaceId: "99999999-0000" }).added)
  expect(second).toMatchObject({ path: join(folder, "codex-ann@example.com-plus-99999999.json"), change: "added" })
  expect(readFileSync(first.path, "utf8")).toBe(before)
})

test("a file that cannot be read as an account is never written over", async () => {
  writeFileSync(join(folder, "codex-ann@example.com-plus.json"), "{ broken")
  writeFileSync(join(folder, "codex-ann@example.com-plus-11111111.json"), "{ broken too")
  const { path } = await saveAccount(folder, signedIn().added)
  expect(path).toBe(join(folder, "codex-ann@example.com-plus-2.json"))
  expect(readFileSync(join(folder, "codex-ann@example.com-plus.json"), "utf8")).toBe("{ broken")
})

test("nothing in an e-mail or plan leads out of the folder", async () => {
  const { path } = await saveAccount(folder, signedIn({ email: '../../a b/ü:*?<>|"\\@x', plan: "/etc\u0000" }).added)
  expect(path.slice(folder.length + 1)).toMatch(/^codex-[a-z0-9@._+-]+\.json$/)
  expect(existsSync(path)).toBe(true)
})

test("tokens that say nothing about their account still make a file", async () => {
  const added = accountOfTokens({ accessToken: "opaque", refreshToken: "rt", expiresInSec: 60 }, NOW_MS)
  const { path } = await saveAccount(folder, added)
  expect(path).toBe(join(folder, "codex-account.json"))
  expect(read(path)).toMatchObject({ expired: "2026-09-20T08:01:00.000Z" })
})

test("a missing folder is made for its owner alone; one that cannot be written says so at once", async () => {
  const inner = join(folder, "a", "b")
  await prepareAccountFolder(inner)
  expect(statSync(inner).mode & 0o777).toBe(0o700)
  writeFileSync(join(folder, "file"), "")
  expect(prepareAccountFolder(join(folder, "file", "x"))).rejects.toMatchObject({
    message: expect.stringContaining("cannot be written"),
    hint: expect.stringContaining("--auth-dir"),
  })
})

test.if(process.getuid?.() === 0)("a file that root makes belongs to the folder's owner", async () => {
  chownSync(folder, 12_345, 12_345)
  const { path } = await saveAccount(folder, signedIn().added)
  expect(statSync(path)).toMatchObject({ uid: 12_345, gid: 12_345 })
})

test("whatever e-mail and plan say, the name is a plain one of bounded length", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (email, plan) => {
      expect(signedIn({ email, plan }).added.baseName).toMatch(/^codex-[a-z0-9@._+-]{0,120}$/)
    }),
  )
})
