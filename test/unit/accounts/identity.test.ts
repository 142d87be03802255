/** Who an account is. */

import { expect, test } from "bun:test"

import { accountFromDraft, NO_MEMORY } from "#accounts/account-from-draft.ts"
import { makeCredentialVault } from "#accounts/credentials/credential-vault.ts"
import { resolveAccount } from "#accounts/credentials/resolve-account.ts"
import { describeAccount } from "#accounts/describe-account.ts"
import { refreshFingerprint } from "#accounts/fingerprint.ts"
import { parseAccountFile } from "#accounts/formats/parse-account-file.ts"
import { readTokenClaims } from "#accounts/jwt.ts"
import { makeMasterKey } from "#accounts/secrets/master-key.ts"
import { makeSealer } from "#accounts/secrets/seal.ts"
import type { Account, Credential } from "#core/account.ts"

import { makeJwt, noJitter, START_SEC } from "./token-endpoint.ts"

function accountOf(entry: Record<string, unknown>, path = "/auths/a.json"): Account {
  const draft = parseAccountFile(JSON.stringify(entry)).drafts[0]
  if (draft === undefined) throw new Error("no draft")
  return accountFromDraft(draft, path)
}

test("the id comes from user and workspace and outlives every token", () => {
  const first = accountOf({ access_token: makeJwt({ user: "u", workspace: "w" }), refresh_token: "rt_1" })
  const second = accountOf(
    { access_token: makeJwt({ user: "u", workspace: "w", salt: "x" }), rk: "rt_2" },
    "/other/b.json",
  )
  expect(first.id).toMatch(/^acc_[0-9a-f]{16}$/)
  expect(second.id).toBe(first.id)
})

test("one user's workspaces and one workspace's users are different accounts", () => {
  const ids = [
    ["u", "w1"],
    ["u", "w2"],
    ["v", "w1"],
  ].map(([user = "", workspace = ""]) => accountOf({ access_token: makeJwt({ user, workspace }) }).id)
  expect(new Set(ids).size).toBe(3)
})

test("without claims the id comes from the refresh token, then the key, then the place", () => {
  expect(accountOf({ rk: "rt_1" }).id).toBe(accountOf({ rk: "rt_1" }, "/elsewhere.json").id)
  expect(accountOf({ OPENAI_API_KEY: "sk-1" }).id).toBe(accountOf({ OPENAI_API_KEY: "sk-1" }, "/elsewhere.json").id)
  expect(accountOf({ access_token: "at-1" }).id).not.toBe(accountOf({ access_token: "at-1" }, "/elsewhere.json").id)
})

test("claims of both tokens are read; an opaque or damaged token says nothing", () => {
  expect(readTokenClaims(makeJwt({ user: "u", workspace: "w", email: "e@x.y", plan: "pro", iat: 5, exp: 9 }))).toEqual({
    userId: "u",
    workspaceId: "w",
    email: "e@x.y",
    plan: "pro",
    issuedAtMs: 5000,
    expiresAtMs: 9000,
  })
  for (const token of ["", "at-opaque", "a.b.c", `a.${Buffer.from("[1]").toString("base64url")}.c`, "...."]) {
    expect(readTokenClaims(token)).toEqual({})
  }
})

test("the expiry inside the token counts more than the file's note", () => {
  const account = accountOf({ access_token: makeJwt({ exp: START_SEC + 60 }), expired: "2001-01-01T00:00:00Z" })
  expect(account.credential).toMatchObject({ expiresAtMs: (START_SEC + 60) * 1000 })
})

test("a bare refresh token counts as expired, so that it is refreshed before it serves", () => {
  expect(accountOf({ rk: "rt_1" }).credential).toMatchObject({ accessToken: "", expiresAtMs: 0, refreshToken: "rt_1" })
})

const STORED: Credential = {
  type: "chatgpt",
  accessToken: makeJwt({ user: "u", workspace: "w", iat: START_SEC + 100 }),
  refreshToken: "rt_2",
  generation: 4,
}

function memoryOf(account: Account) {
  const remembered = {
    accountId: account.id,
    credential: STORED,
    fingerprint: refreshFingerprint("rt_2"),
    previousFingerprint: refreshFingerprint("rt_1"),
  }
  return { byAccount: () => remembered, byFingerprint: () => [remembered] }
}

function fileWith(refreshToken: string, iat: number): Account {
  return accountOf({ access_token: makeJwt({ user: "u", workspace: "w", iat }), refresh_token: refreshToken })
}

test("a file that still holds the replaced token serves with the stored one and is named as behind", () => {
  // Even when its clock says it is newer: the token it holds is spent.
  const account = fileWith("rt_1", START_SEC + 999)
  expect(resolveAccount(account, memoryOf(account))).toMatchObject({
    account: { credential: STORED },
    staleFingerprint: refreshFingerprint("rt_1"),
  })
})

test("an old copy of a file does not bring an older token back", () => {
  const account = fileWith("rt_0", START_SEC)
  expect(resolveAccount(account, memoryOf(account)).account.credential).toEqual(STORED)
})

test("a file with a newer sign-in wins over the store, one generation on", () => {
  const account = fileWith("rt_9", START_SEC + 200)
  const { account: resolved, staleFingerprint } = resolveAccount(account, memoryOf(account))
  expect(resolved.credential).toMatchObject({ refreshToken: "rt_9", generation: 5 })
  expect(staleFingerprint).toBeUndefined()
})

test("an account known only by its refresh token keeps its id after the token was rotated", () => {
  const before = accountOf({ rk: "rt_1" })
  const after = accountOf({ rk: "rt_2" })
  expect(after.id).not.toBe(before.id)
  expect(resolveAccount(after, memoryOf(before)).account.id).toBe(before.id)
  expect(resolveAccount(after, NO_MEMORY).account.id).toBe(after.id)
})

test("a stored secret that is not one is an error that does not quote it", () => {
  const sealer = makeSealer({ key: makeMasterKey(noJitter), random: noJitter })
  const accountId = fileWith("rt_1", 0).id
  const row = {
    accountId,
    fingerprint: "f",
    secretJson: sealer.seal('"secret"', { table: "credentials", accountId, field: "secret_json" }),
    generation: 1,
    previousFingerprint: null,
    previousSecretJson: null,
    previousAtMs: null,
    updatedAtMs: 1,
  }
  const rows = {
    readCredential: () => row,
    findCredentials: () => [],
    listCredentialKeys: () => [row],
    commitCredentials: () => {},
    wipePreviousCredentials: () => 0,
    beginRefresh: () => {},
    endRefresh: () => {},
    listRefreshIntents: () => [],
  }
  const vault = makeCredentialVault({ rows, clock: () => 0, sealer })
  expect(() => vault.byAccount(row.accountId)).toThrow(/^The stored credential of acc_[0-9a-f]{16} is not readable\.$/)
})

test("a description holds no secret and no fingerprint", () => {
  const access = makeJwt({ user: "u", workspace: "w", email: "e@x.y", iat: START_SEC, exp: START_SEC + 864_000 })
  const account = accountOf({
    access_token: access,
    refresh_token: "rt_secret",
    id_token: access,
    last_refresh: START_SEC,
  })
  const description = describeAccount(account, START_SEC * 1000)
  const text = JSON.stringify(description)
  for (const secret of [access, "rt_secret", refreshFingerprint("rt_secret"), "/auths"])
    expect(text).not.toContain(secret)
  expect(description).toMatchObject({
    label: "e@x.y",
    plan: "plus",
    file: "a.json",
    credential: { state: "fresh", canRefresh: true, expiresInSec: 864_000 },
  })
  const states = [9.5, 11].map(days => describeAccount(account, (START_SEC + days * 86_400) * 1000).credential.state)
  expect(states).toEqual(["due", "expired"])
})
