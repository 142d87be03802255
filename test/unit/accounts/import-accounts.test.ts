/** Planning and carrying out imports over a real folder, and every export read back in. */

import { afterEach, describe, expect, test } from "bun:test"
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"

import { readAccountDirectory } from "#accounts/account-directory.ts"
import { NO_MEMORY } from "#accounts/account-from-draft.ts"
import { type ExportFormat, exportAccounts } from "#accounts/export-accounts.ts"
import { refreshFingerprint } from "#accounts/fingerprint.ts"
import { applyImport } from "#accounts/import-accounts.ts"
import { planImport } from "#accounts/import-plan.ts"
import { GatewayError } from "#core/errors.ts"

import { makeJwt, makeTestDirectory, START_SEC } from "./token-endpoint.ts"

const cleanups: (() => void)[] = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup()
})

function makeFolder() {
  const directory = makeTestDirectory()
  cleanups.push(directory.remove)
  const authDir = join(directory.path, "auths")
  const shared = { authDir, clock: () => 0, pause: async () => undefined, signal: new AbortController().signal }
  const accounts = async (memory = NO_MEMORY) => [...(await readAccountDirectory(authDir, memory)).accounts.values()]
  const plan = async (text: string, memory = NO_MEMORY) => {
    const present = await accounts(memory)
    const fileNames = present.length === 0 ? [] : readdirSync(authDir)
    return planImport({ ...shared, memory, present, fileNames }, [{ name: "in", text }])
  }
  return {
    authDir,
    accounts,
    plan,
    take: async (text: string, memory = NO_MEMORY) => {
      const results = await applyImport(await plan(text, memory), shared)
      return results.map(result => result.outcome)
    },
    files: () => readdirSync(authDir).sort(),
  }
}

function entry(user: string, workspace: string, more: { iat?: number; refresh?: string | undefined } = {}) {
  const iat = START_SEC + (more.iat ?? 0)
  const refresh = "refresh" in more ? more.refresh : `rt_${user}_${workspace}_${iat}`
  return { access_token: makeJwt({ user, workspace, email: `${user}@example.com`, iat }), refresh_token: refresh }
}

function tokensOf(account: { credential: object } | undefined): unknown {
  return account?.credential
}

describe("import", () => {
  test("each account becomes one file of its own, for this user alone, whose name tells nothing", async () => {
    const folder = makeFolder()
    expect(await folder.take(JSON.stringify([entry("ann", "ws"), entry("bob", "ws")]))).toEqual(["added", "added"])
    const files = folder.files()
    expect(files).toHaveLength(2)
    for (const name of files) {
      expect(name).toMatch(/^codex-[0-9a-f]{16}\.json$/)
      expect(statSync(join(folder.authDir, name)).mode & 0o777).toBe(0o600)
    }
    expect((await folder.accounts()).map(account => account.label).sort()).toEqual([
      "ann@example.com",
      "bob@example.com",
    ])
  })

  test("the same list again changes nothing", async () => {
    const folder = makeFolder()
    const text = JSON.stringify([
      entry("ann", "ws"),
      { refresh_token: "rt_bare" },
      { api_key: "sk-1" },
      { access_token: "opaque" },
    ])
    expect(await folder.take(text)).toEqual(["added", "added", "added", "added"])
    expect(await folder.take(text)).toEqual(["unchanged", "unchanged", "unchanged", "unchanged"])
    expect(folder.files()).toHaveLength(4)
  })

  test("of two entries of one account the fresher token wins, in either order", async () => {
    for (const [first, second, outcome] of [
      [0, 9, "updated"],
      [9, 0, "unchanged"],
    ] as const) {
      const folder = makeFolder()
      const text = JSON.stringify([entry("ann", "ws", { iat: first }), entry("ann", "ws", { iat: second })])
      expect(await folder.take(text)).toEqual(["added", outcome])
      expect(tokensOf((await folder.accounts())[0])).toMatchObject({ refreshToken: `rt_ann_ws_${START_SEC + 9}` })
      expect(folder.files()).toHaveLength(1)
    }
  })

  test("seats of one workspace and workspaces of one user stay apart", async () => {
    const folder = makeFolder()
    const shared = { refresh: "rt_shared" }
    const text = JSON.stringify([entry("ann", "ws", shared), entry("bob", "ws"), entry("ann", "ws-2", shared)])
    expect(await folder.take(text)).toEqual(["added", "added", "added"])
    expect(await folder.accounts()).toHaveLength(3)
  })

  test("a bare refresh token and the full entry that holds it are one account", async () => {
    const full = entry("ann", "ws", { refresh: "rt_1" })
    const folder = makeFolder()
    expect(await folder.take("rt_1")).toEqual(["added"])
    expect(await folder.take(JSON.stringify(full))).toEqual(["updated"])
    expect(await folder.take("rt_1")).toEqual(["unchanged"])
    const accounts = await folder.accounts()
    expect(accounts.map(account => account.email)).toEqual(["ann@example.com"])
    expect(folder.files()).toHaveLength(1)
  })

  test("a fresher access token without a refresh token keeps the one that is there", async () => {
    const folder = makeFolder()
    await folder.take(JSON.stringify(entry("ann", "ws", { refresh: "rt_kept" })))
    const fresher = entry("ann", "ws", { iat: 5, refresh: undefined }).access_token
    expect(await folder.take(fresher)).toEqual(["updated"])
    expect(tokensOf((await folder.accounts())[0])).toMatchObject({ refreshToken: "rt_kept", accessToken: fresher })
  })

  test("an account in somebody's own file is brought up to date there, beside its neighbours", async () => {
    const folder = makeFolder()
    await folder.take(JSON.stringify(entry("zed", "ws")))
    const path = join(folder.authDir, "own.json")
    const neighbour = { ...entry("bob", "ws"), note: "kept" }
    writeFileSync(path, JSON.stringify([neighbour, { tokens: entry("ann", "ws"), websockets: true }]))
    expect(await folder.take(JSON.stringify(entry("ann", "ws", { iat: 7 })))).toEqual(["updated"])
    const [first, second] = JSON.parse(readFileSync(path, "utf8"))
    expect(first).toEqual(neighbour)
    expect(second).toMatchObject({ websockets: true, tokens: { refresh_token: `rt_ann_ws_${START_SEC + 7}` } })
    expect(folder.files()).toHaveLength(2)
  })

  test("a token that the gateway has rotated already does not come back", async () => {
    const folder = makeFolder()
    await folder.take(JSON.stringify(entry("ann", "ws", { refresh: "rt_old" })))
    const [account] = await folder.accounts()
    if (account?.credential.type !== "chatgpt") throw new Error("no account")
    const rotated = entry("ann", "ws", { iat: 50 })
    const remembered = {
      accountId: account.id,
      fingerprint: refreshFingerprint(rotated.refresh_token ?? ""),
      previousFingerprint: refreshFingerprint("rt_old"),
      credential: {
        type: "chatgpt",
        accessToken: rotated.access_token,
        refreshToken: "rt_new",
        generation: 1,
      } as const,
    }
    const memory = { byAccount: () => remembered, byFingerprint: () => [remembered] }
    expect(await folder.take("rt_old", memory)).toEqual(["unchanged"])
    expect(await folder.take(JSON.stringify(entry("ann", "ws", { iat: 20 })), memory)).toEqual(["unchanged"])
  })

  test("a plan writes nothing and its results hold no secret", async () => {
    const folder = makeFolder()
    const plan = await folder.plan(JSON.stringify([entry("ann", "ws"), { refresh_token: "sk-ant-x" }]))
    expect(plan.results.map(result => result.outcome)).toEqual(["added", "refused"])
    expect(() => folder.files()).toThrow()
    const said = JSON.stringify(plan.results)
    for (const secret of ["rt_ann", "eyJ", "sk-ant-x", "ann@"]) expect(said).not.toContain(secret)
  })

  test("ten thousand rows, half of them twice, come to five thousand accounts with a result a row", async () => {
    const folder = makeFolder()
    const rows = Array.from({ length: 10_000 }, (_, index) => JSON.stringify(entry(`u${index % 5000}`, "ws")))
    const { results, writes } = await folder.plan(rows.join("\r\n"))
    const added = results.filter(result => result.outcome === "added")
    expect([results.length, added.length, writes.length]).toEqual([10_000, 5000, 5000])
  })
})

const ALL: readonly ExportFormat[] = [
  "flat",
  "minimal",
  "codex-auth",
  "refresh-tokens",
  "access-tokens",
  "icebear",
  "codex2api",
  "sub2api",
  "codex-lb",
  "dvcrn",
  "opencode",
  "proxycast",
]

describe("export", () => {
  test.each(ALL)("%s is read back as the same account", async format => {
    const from = makeFolder()
    await from.take(JSON.stringify({ ...entry("ann", "ws"), id_token: makeJwt({ user: "ann" }) }))
    const accounts = await from.accounts()
    const { text, count } = exportAccounts(accounts, format, 0)
    expect(count).toBe(1)
    const to = makeFolder()
    expect(await to.take(text)).toEqual(["added"])
    const [before] = accounts
    const [after] = await to.accounts()
    if (before?.credential.type !== "chatgpt" || after?.credential.type !== "chatgpt") throw new Error("no account")
    if (format === "refresh-tokens" || format === "minimal") {
      expect(after.credential.refreshToken).toBe(before.credential.refreshToken as string)
      return
    }
    expect(after.id).toBe(before.id)
    expect(after.credential.accessToken).toBe(before.credential.accessToken)
    if (format !== "access-tokens") expect(after.credential.refreshToken).toBe(before.credential.refreshToken as string)
  })

  test.each(["flat", "codex-auth", "sub2api", "opencode"] as const)(
    "%s carries an API key there and back",
    async format => {
      const from = makeFolder()
      await from.take('{"api_key":"sk-1"}')
      const [key] = await from.accounts()
      const to = makeFolder()
      await to.take(exportAccounts(key === undefined ? [] : [key], format, 0).text)
      expect((await to.accounts()).map(account => account.id as string)).toEqual([key?.id ?? ""])
    },
  )

  test("what does not fit a format is left out with a reason", async () => {
    const folder = makeFolder()
    await folder.take(JSON.stringify([entry("ann", "ws"), { api_key: "sk-1" }, { access_token: "opaque" }]))
    const { count, skipped } = exportAccounts(await folder.accounts(), "refresh-tokens", 0)
    expect(count).toBe(1)
    expect(skipped.map(one => one.reason).sort()).toEqual([
      "an API key has no place in this format",
      "it has no refresh token",
    ])
  })

  test("labels go along, names of files do not", async () => {
    const folder = makeFolder()
    await folder.take('[{"refresh_token":"rt_1","label":"mine"},{"refresh_token":"rt_2"}]')
    const { text } = exportAccounts(await folder.accounts(), "minimal", 0)
    const entries: readonly object[] = JSON.parse(text)
    expect(entries).toHaveLength(2)
    expect(entries).toContainEqual({ refresh_token: "rt_1", label: "mine" })
    expect(entries).toContainEqual({ refresh_token: "rt_2" })
  })

  test("a format for one account refuses two", async () => {
    const folder = makeFolder()
    await folder.take(JSON.stringify([entry("ann", "ws"), entry("bob", "ws")]))
    const accounts = await folder.accounts()
    expect(() => exportAccounts(accounts, "codex-auth", 0)).toThrow(GatewayError)
  })
})

test("a file that cannot be written turns its entry into a refused one and leaves the others alone", async () => {
  const folder = makeFolder()
  await folder.take(JSON.stringify(entry("ann", "ws")))
  const plan = await folder.plan(JSON.stringify([entry("ann", "ws", { iat: 3 }), entry("bob", "ws")]))
  // Gone between planning and writing, as when somebody tidies up.
  for (const name of folder.files()) rmSync(join(folder.authDir, name))
  const parts = { clock: () => 0, pause: async () => undefined, signal: new AbortController().signal }
  const results = await applyImport(plan, { authDir: folder.authDir, ...parts })
  expect(results.map(result => [result.outcome, result.reason])).toEqual([
    ["refused", "could not be written: ENOENT"],
    ["added", undefined],
  ])
})

test("an import that is told to stop does so between two slices", async () => {
  const folder = makeFolder()
  let nowMs = 0
  const stopping = new AbortController()
  const parts = {
    clock: () => (nowMs += 15),
    pause: async () => stopping.abort(new Error("stop")),
    signal: stopping.signal,
  }
  const plan = await folder.plan("rt_1\nrt_2\nrt_3\nrt_4\n")
  await expect(applyImport(plan, { authDir: folder.authDir, ...parts })).rejects.toThrow("stop")
  expect(folder.files().length).toBeLessThan(4)
})
