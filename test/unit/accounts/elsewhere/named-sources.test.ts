/** Accounts that lie outside the watched folder: loaded, followed, rewritten, or only borrowed. */

import { afterEach, beforeEach, expect, test } from "bun:test"
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"

import type { AccountPool } from "#accounts/account-pool.ts"
import { fileSource, type NamedSource, type SourceTerms } from "#accounts/elsewhere/named-source.ts"
import { poolSources } from "#accounts/elsewhere/pool-sources.ts"
import type { Account } from "#core/account.ts"
import { systemTimers } from "#core/clock.ts"

import { makePoolFixture, waitUntil } from "../pool-fixture.ts"
import { DAY_SEC, makeJwt, START_SEC, writeFlatFile } from "../token-endpoint.ts"

let world: ReturnType<typeof makePoolFixture>
let pool: AccountPool | undefined
let outside: string

beforeEach(() => {
  world = makePoolFixture()
  outside = join(world.authDir, "..", "outside")
  mkdirSync(outside)
})

afterEach(async () => {
  await pool?.close()
  pool = undefined
  await world.stop()
})

async function start(
  sources: readonly NamedSource[],
  parts: Parameters<typeof world.makePool>[0] = {},
): Promise<AccountPool> {
  pool = world.makePool({ sources, ...parts })
  await pool.start()
  return pool
}

function source(path: string, terms: SourceTerms = {}): NamedSource {
  return fileSource({ path, terms })
}

/** Writes an account file outside the folder whose refresh token works. */
function addOutside(user = "ann", options: Parameters<typeof writeFlatFile>[2] = {}): string {
  world.tokens.valid.set(options.refreshToken ?? `rt_${user}_0`, user)
  return writeFlatFile(outside, user, options)
}

function only(): Account {
  const [account, ...others] = pool?.accounts() ?? []
  if (account === undefined || others.length > 0) throw new Error("expected one account")
  return account
}

function refreshTokenOf({ credential }: Account): string | undefined {
  return credential.type === "chatgpt" ? credential.refreshToken : undefined
}

test("a file outside the folder serves, and after a rotation it holds the new token like one inside", async () => {
  const path = addOutside()
  const started = await start([source(path)])
  await started.refresh(only().id)
  expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ refresh_token: "rt_ann_1", websockets: true })
  expect(only().source).toEqual({ type: "file", path, index: 0 })
})

test("a rotation that the file missed is put right at the next start", async () => {
  const path = addOutside()
  const before = readFileSync(path, "utf8")
  const started = await start([source(path)])
  await started.refresh(only().id)
  await started.close()
  writeFileSync(path, before)
  await start([source(path)])
  expect(refreshTokenOf(only())).toBe("rt_ann_1")
  await waitUntil(() => readFileSync(path, "utf8").includes("rt_ann_1"))
})

test("a file outside is followed through the system's notices: it appears, changes and goes", async () => {
  const path = join(outside, "ann.json")
  const started = await start([source(path)], { timers: systemTimers })
  expect(world.events).toMatchObject([{ type: "source-missing", path, hint: expect.stringContaining("path") }])
  addOutside()
  await waitUntil(() => started.accounts().length === 1)
  const next = writeFlatFile(world.authDir, "ann", { refreshToken: "rt_other", name: ".next" })
  renameSync(next, path)
  await waitUntil(() => refreshTokenOf(only()) === "rt_other")
  rmSync(path)
  await waitUntil(() => started.accounts().length === 0)
  expect(world.eventsOf("source-missing")).toHaveLength(2)
})

test("without notices the regular look finds it", async () => {
  const path = join(outside, "ann.json")
  const started = await start([source(path)])
  addOutside()
  await started.rescan()
  expect(only().email).toBe("ann@example.com")
})

test("half a file is read again, then named, and what was loaded keeps serving", async () => {
  const path = addOutside()
  const started = await start([source(path)])
  const whole = readFileSync(path, "utf8")
  writeFileSync(path, whole.slice(0, 80))
  for (let look = 0; look < 4; look++) await started.rescan()
  expect(world.eventsOf("file-broken")).toMatchObject([{ path }])
  expect(started.accounts()).toHaveLength(1)
  writeFileSync(path, whole)
  await started.rescan()
  expect(world.eventsOf("file-repaired")).toHaveLength(1)
})

test("a source that is named needs no folder, and nobody is told to make one", async () => {
  rmSync(world.authDir, { recursive: true })
  const path = addOutside()
  const started = await start([source(path)])
  expect(started.accounts()).toHaveLength(1)
  expect(world.eventsOf("directory-missing")).toEqual([])
  rmSync(path)
  await started.rescan()
  expect(started.accounts()).toEqual([])
})

test("a folder that is away takes none of its accounts along, a source that is away its own", async () => {
  const path = addOutside("bob")
  writeFlatFile(world.authDir, "ann")
  const started = await start([source(path)])
  renameSync(world.authDir, `${world.authDir}-away`)
  rmSync(path)
  await started.rescan()
  expect(started.accounts().map(account => account.email)).toEqual(["ann@example.com"])
})

test("an account in the folder and in a source counts once: the newer credential serves, the other place is named", async () => {
  const inFolder = writeFlatFile(world.authDir, "ann", { iatSec: 0 })
  const path = addOutside("ann", { iatSec: 50, refreshToken: "rt_new" })
  await start([source(path)])
  expect(refreshTokenOf(only())).toBe("rt_new")
  expect(world.eventsOf("account-duplicated")).toMatchObject([{ path: inFolder, servedFrom: path }])
})

test("a pool's entry names its account and gives it a way out, in every copy and for as long as the gateway runs", async () => {
  const path = addOutside("ann", { iatSec: 0 })
  writeFlatFile(world.authDir, "ann", { iatSec: 50, refreshToken: "rt_ann_copy" })
  world.tokens.valid.set("rt_ann_copy", "ann")
  const entry = { id: "main", tokenFile: path, isDisabled: false, egress: "http://proxy.test" }
  const asked: (string | undefined)[] = []
  const started = await start(poolSources([entry]), {
    send: (request, signal) => {
      asked.push(request.egress)
      return world.tokens.send(request, signal)
    },
  })
  // The copy in the folder is newer and serves; the account still goes out its own way.
  expect(only()).toMatchObject({ egress: "http://proxy.test", source: { path: join(world.authDir, "ann.json") } })
  rmSync(path)
  await started.rescan()
  expect(only().egress).toBe("http://proxy.test")
  await started.refresh(only().id)
  expect(asked).toEqual(["http://proxy.test"])
  expect(only().egress).toBe("http://proxy.test")
})

test("a pool's entry may lie in the folder: it is loaded once, under its name; a disabled one is not loaded", async () => {
  const ann = writeFlatFile(world.authDir, "ann")
  const bob = writeFlatFile(world.authDir, "bob")
  const entries = [
    { id: "first", tokenFile: ann, isDisabled: false, egress: undefined },
    { id: "second", tokenFile: bob, isDisabled: true, egress: undefined },
  ]
  const started = await start(poolSources(entries))
  expect(only()).toMatchObject({ label: "first", email: "ann@example.com" })
  expect(only().egress).toBeUndefined()
  await started.rescan()
  expect(only().label).toBe("first")
  expect(world.eventsOf("source-missing")).toEqual([])
})

test("a pool's file that is not there is named with its entry", async () => {
  const path = join(outside, "gone.json")
  await start(poolSources([{ id: "main", tokenFile: path, isDisabled: false, egress: undefined }]))
  expect(world.events).toMatchObject([{ type: "source-missing", path, hint: expect.stringContaining('"main"') }])
})

test("ProxyCast's two kinds of token file load", async () => {
  const oauth = join(outside, "oauth.json")
  const key = join(outside, "key.json")
  const token = makeJwt({ user: "ann", workspace: "ws-ann" })
  writeFileSync(
    oauth,
    JSON.stringify({
      access_token: token,
      refresh_token: "rt_ann_0",
      expires_at: "2027-01-20T00:00:00Z",
      token_type: "Bearer",
    }),
  )
  writeFileSync(key, JSON.stringify({ apiKey: "sk-one", apiBaseUrl: "https://relay.test" }))
  const entry = (id: string, tokenFile: string) => ({ id, tokenFile, isDisabled: false, egress: undefined })
  const started = await start(poolSources([entry("login", oauth), entry("key", key)]))
  expect(started.accounts().map(({ label, provider, credential }) => ({ label, provider, credential }))).toMatchObject([
    { label: "key", provider: "openai-api", credential: { apiKey: "sk-one", baseUrl: "https://relay.test" } },
    { label: "login", provider: "codex", credential: { accessToken: token, refreshToken: "rt_ann_0" } },
  ])
})

test("a borrowed login is never refreshed and its file never written", async () => {
  const path = addOutside("ann", { expSec: 60 })
  const before = readFileSync(path, "utf8")
  const started = await start([source(path, { isBorrowed: true })])
  await world.time.advanceAsync(59_000)
  const outcome = await started.refresh(only().id, { lane: "operator" })
  expect(outcome).toMatchObject({ type: "fresh", how: "current" })
  await started.refreshAll()
  expect(world.tokens.calls).toEqual([])
  expect(readFileSync(path, "utf8")).toBe(before)
})

test("a borrowed login that runs out is told once, and serves again when its owner has renewed it", async () => {
  const path = addOutside("ann", { expSec: 60 })
  const started = await start([source(path, { isBorrowed: true })])
  await world.time.advanceAsync(61_000)
  await started.rescan()
  await started.rescan()
  expect(world.eventsOf("login-expired")).toMatchObject([{ account: { email: "ann@example.com" } }])
  addOutside("ann", { expSec: 2 * DAY_SEC, iatSec: 61 })
  await started.rescan()
  expect(world.eventsOf("account-changed")).toHaveLength(1)
  expect(world.eventsOf("login-expired")).toHaveLength(1)
})

test("a refused token of a borrowed login is looked up again in its file, not exchanged", async () => {
  const path = addOutside()
  const started = await start([source(path, { isBorrowed: true })])
  const account = only()
  const rejectedToken = account.credential.type === "chatgpt" ? account.credential.accessToken : ""
  expect(await started.refresh(account.id, { rejectedToken })).toMatchObject({
    type: "failed",
    failure: { code: "no-refresh-token" },
  })
  addOutside("ann", { iatSec: 10 })
  expect(await started.refresh(account.id, { rejectedToken })).toMatchObject({ type: "fresh", how: "adopted" })
  expect(world.tokens.calls).toEqual([])
})

test("an account of our own counts before a newer borrowed one, which could not be renewed here", async () => {
  const own = writeFlatFile(world.authDir, "ann", { iatSec: 0, name: "z-own" })
  const path = addOutside("ann", { iatSec: 500 })
  await start([source(path, { isBorrowed: true })])
  expect(only()).toMatchObject({ source: { path: own } })
  expect(refreshTokenOf(only())).toBe("rt_ann_0")
  expect(world.eventsOf("account-duplicated")).toMatchObject([{ path, servedFrom: own }])
})

test("a source's base URL is that of its logins, and of a key that names none", async () => {
  const login = addOutside("ann")
  const bare = join(outside, "bare.json")
  const own = join(outside, "own.json")
  writeFileSync(bare, JSON.stringify({ OPENAI_API_KEY: "sk-bare" }))
  writeFileSync(own, JSON.stringify({ api_key: "sk-own", base_url: "https://own.test/v1" }))
  const baseUrls = { codex: "https://relay.test/codex", "openai-api": "https://relay.test/v1" }
  const started = await start([login, bare, own].map(path => source(path, { baseUrls })))
  const found = started
    .accounts()
    .map(({ baseUrl, credential }) => [baseUrl, credential.type === "api-key" ? credential.baseUrl : undefined])
  expect(found).toEqual([
    ["https://relay.test/codex", undefined],
    [undefined, "https://relay.test/v1"],
    [undefined, "https://own.test/v1"],
  ])
})

test("of two sources with one path the first counts", async () => {
  const path = addOutside()
  await start([source(path, { label: "first" }), source(path, { label: "second", isBorrowed: true })])
  expect(only().label).toBe("first")
  expect(refreshTokenOf(only())).toBe("rt_ann_0")
})

test("a login that was taken over is refreshed by the start, before anything asks for it", async () => {
  const path = addOutside()
  await start([fileSource({ path, terms: {}, isTakenOver: true })])
  await waitUntil(() => world.eventsOf("credential-renewed").length > 0)
  expect(world.tokens.calls).toEqual(["rt_ann_0"])
  expect(JSON.parse(readFileSync(path, "utf8"))["refresh_token"]).toBe("rt_ann_1")
  expect(START_SEC * 1000).toBe(world.time.clock())
})
