/** Imports into a real pool over a real store and real files, and every export read back in. */

import { afterEach, describe, expect, test } from "bun:test"
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"

import { fileSource } from "#accounts/elsewhere/named-source.ts"
import type { ExportFormat } from "#accounts/intake/export-accounts.ts"
import type { Account } from "#core/account.ts"
import { GatewayError } from "#core/errors.ts"
import { type ImportOrder, makeIntake } from "#gateway/desk/intake.ts"

import { makePoolFixture } from "../../accounts/pool-fixture.ts"
import { makeJwt, START_SEC } from "../../accounts/token-endpoint.ts"

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

/** A started pool that holds nothing yet. */
async function makeDesk(parts: Partial<Parameters<typeof makeIntake>[0]> = {}) {
  const fixture = makePoolFixture()
  let pool = fixture.makePool({ isPlanning: false })
  await pool.start()
  const intake = makeIntake({ accounts: () => pool, clock: () => 0, pause: async () => undefined, ...parts })
  cleanups.push(async () => {
    await pool.close()
    await fixture.stop()
  })
  const order = (text: string, more: Partial<ImportOrder> = {}) =>
    intake.importTexts({ sources: [{ name: "in", text }], signal: new AbortController().signal, ...more })
  return {
    ...fixture,
    pool: () => pool,
    intake,
    order,
    accounts: () => pool.accounts(),
    take: async (text: string, more: Partial<ImportOrder> = {}) =>
      (await order(text, more)).results.map(result => result.outcome),
    /** As after a crash: what was not committed is gone. */
    restart: async () => {
      await pool.close()
      fixture.reopenStore()
      pool = fixture.makePool({ isPlanning: false })
      await pool.start()
    },
  }
}

function entry(user: string, workspace: string, more: { iat?: number; refresh?: string | undefined } = {}) {
  const iat = START_SEC + (more.iat ?? 0)
  const refresh = "refresh" in more ? more.refresh : `rt_${user}_${workspace}_${iat}`
  return { access_token: makeJwt({ user, workspace, email: `${user}@example.com`, iat }), refresh_token: refresh }
}

function labelsOf(accounts: readonly Account[]): readonly string[] {
  return accounts.map(account => account.label).sort()
}

describe("import", () => {
  test("accounts serve at once, are there after a restart, and no file holds a token in clear", async () => {
    const desk = await makeDesk()
    expect(await desk.take(JSON.stringify([entry("ann", "ws"), entry("bob", "ws")]))).toEqual(["added", "added"])
    expect(labelsOf(desk.accounts())).toEqual(["ann@example.com", "bob@example.com"])
    const before = desk.accounts()
    await desk.restart()
    expect(desk.accounts()).toEqual(before)
    const files = readdirSync(desk.dataDir).filter(name => name.startsWith("core.db"))
    const kept = files.map(name => readFileSync(join(desk.dataDir, name), "latin1")).join("")
    expect(kept).toContain("ann@example.com")
    expect(kept).not.toContain("rt_ann")
    // A token's first letters alone stand in random bytes now and then.
    expect(kept).not.toContain(entry("ann", "ws").access_token.slice(0, 16))
  })

  test("the same list again changes nothing", async () => {
    const desk = await makeDesk()
    const text = JSON.stringify([
      entry("ann", "ws"),
      { refresh_token: "rt_bare" },
      { api_key: "sk-1", base_url: "https://api.example.com/v1" },
      { access_token: "opaque" },
    ])
    expect(await desk.take(text)).toEqual(["added", "added", "added", "added"])
    expect(await desk.take(text)).toEqual(["unchanged", "unchanged", "unchanged", "unchanged"])
    const before = desk.accounts()
    await desk.restart()
    expect(await desk.take(text)).toEqual(["unchanged", "unchanged", "unchanged", "unchanged"])
    expect(desk.accounts()).toEqual(before)
  })

  test("of two entries of one account the fresher token wins, in either order", async () => {
    for (const [first, second, outcome] of [
      [0, 9, "updated"],
      [9, 0, "unchanged"],
    ] as const) {
      const desk = await makeDesk()
      const text = JSON.stringify([entry("ann", "ws", { iat: first }), entry("ann", "ws", { iat: second })])
      expect(await desk.take(text)).toEqual(["added", outcome])
      expect(desk.accounts()).toHaveLength(1)
      expect(desk.accounts()[0]?.credential).toMatchObject({ refreshToken: `rt_ann_ws_${START_SEC + 9}` })
    }
  })

  test("a fresher token takes the place of the stored one, also after a restart", async () => {
    const desk = await makeDesk()
    await desk.take(JSON.stringify(entry("ann", "ws")))
    expect(await desk.take(JSON.stringify(entry("ann", "ws", { iat: 9 })))).toEqual(["updated"])
    const newest = { refreshToken: `rt_ann_ws_${START_SEC + 9}`, generation: 1 }
    expect(desk.accounts()[0]?.credential).toMatchObject(newest)
    await desk.restart()
    expect(desk.accounts()[0]?.credential).toMatchObject(newest)
  })

  test("seats of one workspace and workspaces of one user stay apart", async () => {
    const desk = await makeDesk()
    const shared = { refresh: "rt_shared" }
    const text = JSON.stringify([entry("ann", "ws", shared), entry("bob", "ws"), entry("ann", "ws-2", shared)])
    expect(await desk.take(text)).toEqual(["added", "added", "added"])
    expect(desk.accounts()).toHaveLength(3)
  })

  test("a bare refresh token and the full entry that holds it are one account", async () => {
    const full = entry("ann", "ws", { refresh: "rt_1" })
    const desk = await makeDesk()
    expect(await desk.take("rt_1")).toEqual(["added"])
    expect(await desk.take(JSON.stringify(full))).toEqual(["updated"])
    expect(await desk.take("rt_1")).toEqual(["unchanged"])
    expect(desk.accounts().map(account => account.email)).toEqual(["ann@example.com"])
  })

  test("a fresher access token without a refresh token keeps the one that is there", async () => {
    const desk = await makeDesk()
    await desk.take(JSON.stringify(entry("ann", "ws", { refresh: "rt_kept" })))
    const fresher = entry("ann", "ws", { iat: 5, refresh: undefined }).access_token
    expect(await desk.take(fresher)).toEqual(["updated"])
    expect(desk.accounts()[0]?.credential).toMatchObject({ refreshToken: "rt_kept", accessToken: fresher })
  })

  test("an account in somebody's own file is brought up to date there, beside its neighbours", async () => {
    const desk = await makeDesk()
    const path = join(desk.authDir, "own.json")
    const neighbour = { ...entry("bob", "ws"), note: "kept" }
    writeFileSync(path, JSON.stringify([neighbour, { tokens: entry("ann", "ws"), websockets: true }]))
    await desk.pool().rescan()
    expect(await desk.take(JSON.stringify(entry("ann", "ws", { iat: 7 })))).toEqual(["updated"])
    const [first, second] = JSON.parse(readFileSync(path, "utf8"))
    expect(first).toEqual(neighbour)
    expect(second).toMatchObject({ websockets: true, tokens: { refresh_token: `rt_ann_ws_${START_SEC + 7}` } })
    expect(desk.store().listAccounts()).toEqual([])
  })

  test("a file that goes away leaves the account that is in the database as well", async () => {
    const desk = await makeDesk()
    await desk.take(JSON.stringify(entry("ann", "ws")))
    const path = join(desk.authDir, "ann.json")
    writeFileSync(path, JSON.stringify(entry("ann", "ws", { iat: 4 })))
    await desk.pool().rescan()
    expect(desk.accounts()[0]).toMatchObject({ source: { type: "file" } })
    rmSync(path)
    await desk.pool().rescan()
    expect(desk.accounts()).toMatchObject([{ label: "ann@example.com", source: { type: "store" } }])
  })

  test("a token that the gateway has rotated already does not come back", async () => {
    const desk = await makeDesk()
    const old = entry("ann", "ws", { refresh: "rt_old" })
    await desk.take(JSON.stringify(old))
    const [account] = desk.accounts()
    const id = account?.id ?? ("" as Account["id"])
    desk.tokens.answerWith(() =>
      Response.json({ access_token: entry("ann", "ws", { iat: 50 }).access_token, refresh_token: "rt_new" }),
    )
    expect(await desk.pool().refresh(id)).toMatchObject({ type: "fresh", how: "renewed" })
    expect(await desk.take("rt_old")).toEqual(["unchanged"])
    expect(await desk.take(JSON.stringify(old))).toEqual(["unchanged"])
    expect(await desk.take(JSON.stringify(entry("ann", "ws", { iat: 20 })))).toEqual(["unchanged"])
    await desk.restart()
    expect(await desk.take("rt_old")).toEqual(["unchanged"])
    expect(desk.accounts()[0]?.credential).toMatchObject({ refreshToken: "rt_new" })
  })

  test("the first refresh of a bare token says whose it is, and the account goes by that from then on", async () => {
    const desk = await makeDesk()
    await desk.take("rt_bare")
    const [bare] = desk.accounts()
    desk.pool().changeSettings([bare?.id ?? ("" as Account["id"])], { note: "from a friend" })
    desk.tokens.answerWith(() =>
      Response.json({ access_token: entry("ann", "ws").access_token, refresh_token: "rt_next" }),
    )
    expect(await desk.pool().refresh(bare?.id ?? ("" as Account["id"]))).toMatchObject({ type: "fresh" })
    desk.time.advance(1)
    const renamed = { label: "ann@example.com", workspaceId: "ws", userId: "ann", note: "from a friend" }
    expect(desk.accounts()).toMatchObject([renamed])
    expect(desk.accounts()[0]?.id).not.toBe(bare?.id)
    await desk.restart()
    expect(desk.accounts()).toMatchObject([{ ...renamed, credential: { refreshToken: "rt_next" } }])
    expect(await desk.take(JSON.stringify(entry("ann", "ws", { iat: -5 })))).toEqual(["unchanged"])
  })

  test("a bare token that turns out to be an account already known becomes one with it", async () => {
    const desk = await makeDesk()
    await desk.take(JSON.stringify(entry("ann", "ws")))
    await desk.take("rt_second")
    const bare = desk.accounts().find(account => account.email === undefined)
    desk.tokens.answerWith(() =>
      Response.json({ access_token: entry("ann", "ws", { iat: 60 }).access_token, refresh_token: "rt_third" }),
    )
    await desk.pool().refresh(bare?.id ?? ("" as Account["id"]))
    desk.time.advance(1)
    expect(desk.accounts()).toMatchObject([{ email: "ann@example.com", credential: { refreshToken: "rt_third" } }])
    await desk.restart()
    expect(desk.accounts()).toMatchObject([{ email: "ann@example.com", credential: { refreshToken: "rt_third" } }])
  })

  test("a dry run writes nothing and its results hold no secret", async () => {
    const desk = await makeDesk()
    const text = JSON.stringify([entry("ann", "ws"), { refresh_token: "sk-ant-x" }])
    const report = await desk.order(text, { isDryRun: true })
    expect(report).toMatchObject({ dry_run: true, counts: { added: 1, updated: 0, unchanged: 0, refused: 1 } })
    expect(desk.accounts()).toEqual([])
    const said = JSON.stringify(report)
    for (const secret of ["rt_ann", "eyJ", "sk-ant-x", "ann@"]) expect(said).not.toContain(secret)
  })

  test("fault 66: ten thousand rows, half of them twice, come to five thousand accounts with a result a row", async () => {
    const desk = await makeDesk()
    const rows = Array.from({ length: 10_000 }, (_, index) => JSON.stringify(entry(`u${index % 5000}`, "ws")))
    const { results, counts } = await desk.order(rows.join("\r\n"))
    expect([results.length, counts.added, counts.unchanged]).toEqual([10_000, 5000, 5000])
    expect(desk.store().listAccounts()).toHaveLength(5000)
  })

  test("fault 66: half of ten thousand entries twice, seats of teams, older tokens: each account once, with its newest token", async () => {
    let nowMs = 0
    let sinceMs = 0
    let longestMs = 0
    // Every look at the clock costs a millisecond; what lies between two pauses is how long everybody else waits.
    const desk = await makeDesk({
      clock: () => {
        nowMs += 1
        return nowMs
      },
      pause: async () => {
        longestMs = Math.max(longestMs, nowMs - sinceMs)
        sinceMs = nowMs
      },
    })
    // Ten users in every workspace; every account comes twice, the older token first or last.
    const entries = Array.from({ length: 10_000 }, (_, index) => {
      const account = index % 5_000
      const isLater = index >= 5_000
      const iat = isLater === (account % 2 === 0) ? 9 : 0
      return entry(`user-${account}`, `ws-${Math.floor(account / 10)}`, { iat })
    })
    const outcomes = await desk.take(entries.map(one => JSON.stringify(one)).join("\n"))
    const counts = Object.fromEntries(
      ["added", "updated", "unchanged"].map(name => [name, outcomes.filter(one => one === name).length]),
    )
    expect(counts).toEqual({ added: 5_000, updated: 2_500, unchanged: 2_500 })
    const accounts = desk.accounts()
    expect(accounts).toHaveLength(5_000)
    expect(new Set(accounts.map(({ workspaceId }) => workspaceId)).size).toBe(500)
    const isNewest = ({ credential }: Account) =>
      credential.type === "chatgpt" && credential.refreshToken?.endsWith(`_${START_SEC + 9}`) === true
    expect(accounts.filter(one => !isNewest(one))).toEqual([])
    expect(longestMs).toBeGreaterThan(0)
    expect(longestMs).toBeLessThanOrEqual(50)
  })

  test("disabled accounts come in paused, and label and tags are set on what is new", async () => {
    const desk = await makeDesk()
    await desk.take(JSON.stringify([{ ...entry("ann", "ws"), disabled: true }]), { label: "mine", tags: ["a", " a "] })
    const expected = { label: "mine", tags: ["a"], disabled: true, email: "ann@example.com" }
    expect(desk.accounts()).toMatchObject([expected])
    await desk.restart()
    expect(desk.accounts()).toMatchObject([expected])
  })

  test("what is imported again comes back from the recycle bin", async () => {
    const desk = await makeDesk()
    const text = JSON.stringify(entry("ann", "ws"))
    await desk.take(text)
    const id = desk.accounts()[0]?.id ?? ("" as Account["id"])
    desk.pool().changeSettings([id], { archivedAtMs: 5 })
    expect(desk.accounts()).toEqual([])
    expect(desk.pool().archived()).toHaveLength(1)
    expect(await desk.take(text)).toEqual(["updated"])
    expect(desk.accounts()).toMatchObject([{ id }])
    expect(desk.pool().archived()).toEqual([])
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
    const from = await makeDesk()
    await from.take(JSON.stringify({ ...entry("ann", "ws"), id_token: makeJwt({ user: "ann" }) }))
    const accounts = from.accounts()
    const { text, count } = from.intake.exportText("all", format)
    expect(count).toBe(1)
    const to = await makeDesk()
    expect(await to.take(text)).toEqual(["added"])
    const [before] = accounts
    const [after] = to.accounts()
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
      const from = await makeDesk()
      await from.take('{"api_key":"sk-1"}')
      const [key] = from.accounts()
      const to = await makeDesk()
      await to.take(from.intake.exportText("all", format).text)
      expect(to.accounts().map(account => account.id as string)).toEqual([key?.id ?? ""])
    },
  )

  test("what does not fit a format is left out with a reason", async () => {
    const desk = await makeDesk()
    await desk.take(JSON.stringify([entry("ann", "ws"), { api_key: "sk-1" }, { access_token: "opaque" }]))
    const { count, skipped } = desk.intake.exportText("all", "refresh-tokens")
    expect(count).toBe(1)
    expect(skipped.map(one => one.reason).sort()).toEqual([
      "an API key has no place in this format",
      "it has no refresh token",
    ])
  })

  test("labels go along, names of files do not", async () => {
    const desk = await makeDesk()
    await desk.take('[{"refresh_token":"rt_1","label":"mine"},{"refresh_token":"rt_2"}]')
    const { text } = desk.intake.exportText("all", "minimal")
    const entries: readonly object[] = JSON.parse(text)
    expect(entries).toHaveLength(2)
    expect(entries).toContainEqual({ refresh_token: "rt_1", label: "mine" })
    expect(entries).toContainEqual({ refresh_token: "rt_2" })
  })

  test("a format for one account refuses two", async () => {
    const desk = await makeDesk()
    await desk.take(JSON.stringify([entry("ann", "ws"), entry("bob", "ws")]))
    expect(() => desk.intake.exportText("all", "codex-auth")).toThrow(GatewayError)
    const [first] = desk.accounts()
    expect(desk.intake.exportText([first?.id ?? ""], "codex-auth").count).toBe(1)
  })
})

test("what cannot be written becomes a refused entry and leaves the others alone", async () => {
  const desk = await makeDesk()
  const path = join(desk.authDir, "ann.json")
  writeFileSync(path, JSON.stringify(entry("ann", "ws")))
  await desk.pool().rescan()
  // Gone between planning and writing, as when somebody tidies up.
  rmSync(path)
  const report = await desk.order(JSON.stringify([entry("ann", "ws", { iat: 3 }), entry("bob", "ws")]))
  expect(report.results.map(result => [result.outcome, result.reason])).toEqual([
    ["refused", "could not be written: ENOENT"],
    ["added", undefined],
  ])
  expect(report.counts).toEqual({ added: 1, updated: 0, unchanged: 0, refused: 1 })
})

test("a database that takes nothing refuses every entry, and nothing serves that would be lost", async () => {
  const desk = await makeDesk()
  const store = desk.store()
  const broken = desk.makePool({
    isPlanning: false,
    rows: {
      ...store,
      putAccounts: () => {
        throw Object.assign(new Error("full"), { code: "SQLITE_FULL" })
      },
    },
  })
  await broken.start()
  const intake = makeIntake({ accounts: () => broken, clock: () => 0, pause: async () => undefined })
  const sources = [{ name: "in", text: JSON.stringify([entry("ann", "ws"), entry("bob", "ws")]) }]
  const { results } = await intake.importTexts({ sources, signal: new AbortController().signal })
  expect(results.map(result => [result.outcome, result.reason])).toEqual([
    ["refused", "could not be written: SQLITE_FULL"],
    ["refused", "could not be written: SQLITE_FULL"],
  ])
  expect(broken.accounts()).toEqual([])
  await broken.close()
})

test("an import that is told to stop does so between two batches and keeps what it has written", async () => {
  const stopping = new AbortController()
  let pauses = 0
  const desk = await makeDesk({
    pause: async () => {
      pauses += 1
      if (pauses === 3) stopping.abort(new Error("stop"))
    },
  })
  const lines = Array.from({ length: 400 }, (_, index) => `rt_${index}`)
  await expect(desk.take(lines.join("\n"), { signal: stopping.signal })).rejects.toThrow("stop")
  expect(desk.accounts()).toHaveLength(200)
  expect(desk.store().listAccounts()).toHaveLength(200)
})

test("a refresh while an import is under way keeps its new token, whatever the import brings", async () => {
  const importing: { pauses: number; refresh: () => Promise<unknown> } = { pauses: 0, refresh: async () => undefined }
  const desk = await makeDesk({
    pause: async () => {
      importing.pauses += 1
      if (importing.pauses === 1) await importing.refresh()
    },
  })
  await desk.take(JSON.stringify(entry("ann", "ws")))
  const id = desk.accounts()[0]?.id ?? ("" as Account["id"])
  desk.tokens.answerWith(() =>
    Response.json({ access_token: entry("ann", "ws", { iat: 90 }).access_token, refresh_token: "rt_rotated" }),
  )
  importing.pauses = 0
  importing.refresh = () => desk.pool().refresh(id)
  await desk.take(JSON.stringify(entry("ann", "ws", { iat: 20 })))
  expect(desk.accounts()[0]?.credential).toMatchObject({ refreshToken: "rt_rotated" })
  await desk.restart()
  expect(desk.accounts()[0]?.credential).toMatchObject({ refreshToken: "rt_rotated" })
})

test("an account that another program keeps is not deleted for good, and its file stays", async () => {
  const desk = await makeDesk()
  const path = join(desk.dataDir, "elsewhere.json")
  writeFileSync(path, JSON.stringify(entry("ann", "ws")))
  const pool = desk.makePool({ isPlanning: false, sources: [fileSource({ path, terms: {} })] })
  await pool.start()
  const [account] = pool.accounts()
  const id = account?.id ?? ("" as Account["id"])
  await expect(pool.remove([id])).rejects.toMatchObject({ code: "account_elsewhere", hint: expect.any(String) })
  expect(existsSync(path)).toBe(true)
  expect(pool.accounts()).toHaveLength(1)
  await pool.close()
})

test("what operators have set stays theirs when a fresher token comes in: taken back, it is gone", async () => {
  const desk = await makeDesk()
  await desk.take(JSON.stringify(entry("ann", "ws")))
  const id = desk.accounts()[0]?.id ?? ("" as Account["id"])
  desk.pool().changeSettings([id], { label: "mine", note: "paid", tags: ["eu"], paused: true })
  expect(await desk.take(JSON.stringify(entry("ann", "ws", { iat: 9 })))).toEqual(["updated"])
  expect(desk.accounts()).toMatchObject([{ label: "mine", note: "paid", tags: ["eu"], disabled: true }])
  desk.pool().changeSettings([id], { label: null, note: null, tags: null, paused: null })
  const [bare] = desk.accounts()
  expect([bare?.label, bare?.note, bare?.tags, bare?.disabled]).toEqual([
    "ann@example.com",
    undefined,
    undefined,
    false,
  ])
  await desk.restart()
  expect(desk.accounts()).toEqual(bare === undefined ? [] : [bare])
})
