/** `creds-store`: where each mode finds its login, and how `auto` makes a file of its own out of the Codex CLI's. */

import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { dirname, join } from "node:path"

import { NO_MEMORY } from "#accounts/account-from-draft.ts"
import { codexKeychainName, type ReadableKeychain } from "#accounts/elsewhere/codex-keychain.ts"
import { type CredsStoreMode, openCredsStore } from "#accounts/elsewhere/creds-store.ts"
import type { OpenedSources } from "#accounts/elsewhere/opened-sources.ts"
import { loadNamedSource } from "#accounts/sources/directory-files.ts"
import type { Account } from "#core/account.ts"
import { systemTimers } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"

import { makeManualTime } from "../../../support/manual-timers.ts"
import { waitUntil } from "../pool-fixture.ts"
import { makeJwt, makeTestDirectory } from "../token-endpoint.ts"

let home: ReturnType<typeof makeTestDirectory>
let codexHome: string
let legacyPath: string
let ownPath: string

beforeEach(() => {
  home = makeTestDirectory()
  codexHome = join(home.path, ".codex")
  legacyPath = join(codexHome, "auth.json")
  ownPath = join(home.path, "config", "codex-proxy", "auth.json")
  mkdirSync(codexHome)
})

afterEach(() => home.remove())

/** The Codex CLI's `auth.json` with the refresh token `rt_cli`. */
function authJson(refreshToken = "rt_cli"): string {
  const token = makeJwt({ user: "ann", workspace: "ws-ann", email: "ann@example.com" })
  const tokens = { id_token: "", access_token: token, refresh_token: refreshToken, account_id: "ws-ann" }
  return JSON.stringify(
    { auth_mode: "chatgpt", OPENAI_API_KEY: null, tokens, last_refresh: "2026-09-20T08:15:30Z" },
    undefined,
    2,
  )
}

function keychainWith(text: string | null): ReadableKeychain & { readonly asked: object[] } {
  const asked: object[] = []
  return {
    asked,
    get: async entry => {
      asked.push(entry)
      return text
    },
  }
}

const CLOSED: ReadableKeychain = { get: () => Promise.reject(new Error("libsecret not available")) }

type Options = {
  readonly path?: string
  readonly keychain?: ReadableKeychain
  readonly env?: Readonly<Record<string, string>>
  readonly refreshes?: boolean
  readonly platform?: NodeJS.Platform
  readonly time?: ReturnType<typeof makeManualTime>
}

function openStore(mode: CredsStoreMode, options: Options = {}): Promise<OpenedSources> {
  const time = options.time ?? makeManualTime()
  return openCredsStore({
    mode,
    ownPath: options.path ?? ownPath,
    legacyPath,
    codexHome,
    refreshesTakenOver: options.refreshes ?? true,
    env: options.env ?? {},
    keychain: options.keychain ?? keychainWith(null),
    platform: options.platform ?? "darwin",
    clock: time.clock,
    timers: options.time === undefined ? systemTimers : time.timers,
  })
}

/** Moves the clock on until the work is done. */
async function whileTimePasses<T>(time: ReturnType<typeof makeManualTime>, work: Promise<T>): Promise<T> {
  let isDone = false
  const done = work.finally(() => {
    isDone = true
  })
  await waitUntil(() => {
    time.advance(250)
    return isDone
  })
  return done
}

/** The accounts of the only source, as a gateway would load them. */
async function load({ sources }: OpenedSources): Promise<readonly Account[]> {
  const [source, ...others] = sources
  if (source === undefined || others.length > 0) throw new Error("expected one source")
  return (await loadNamedSource(source, NO_MEMORY))?.resolved.map(({ account }) => account) ?? []
}

function secretsOf(account: Account | undefined) {
  const { credential } = account ?? {}
  return credential?.type === "chatgpt" ? credential.refreshToken : credential?.apiKey
}

/** Runs as somebody whom file modes concern: they do not concern root. */
async function asOrdinaryUser<T>(work: () => Promise<T>): Promise<T> {
  if (process.getuid?.() !== 0) return work()
  chmodSync(home.path, 0o755)
  process.seteuid?.(65_534)
  try {
    return await work()
  } finally {
    process.seteuid?.(0)
  }
}

describe("auto", () => {
  test("makes its file out of the Codex CLI's, word for word and readable to its owner only, and asks for a refresh", async () => {
    writeFileSync(legacyPath, authJson())
    const opened = await openStore("auto", { keychain: CLOSED })
    expect(readFileSync(ownPath, "utf8")).toBe(authJson())
    expect(statSync(ownPath).mode & 0o777).toBe(0o600)
    expect(statSync(dirname(ownPath)).mode & 0o777).toBe(0o700)
    expect(readdirSync(dirname(ownPath))).toEqual(["auth.json"])
    expect(readFileSync(legacyPath, "utf8")).toBe(authJson())
    expect(opened.sources).toMatchObject([{ path: ownPath, isTakenOver: true }])
    expect(secretsOf((await load(opened))[0])).toBe("rt_cli")
    expect(opened.notices.map(notice => notice.level)).toEqual(["info", "warn"])
    expect(opened.notices[1]?.hint).toContain("codex login")
  })

  test("leaves the refresh out when told to, and says what that means", async () => {
    writeFileSync(legacyPath, authJson())
    const opened = await openStore("auto", { refreshes: false })
    expect(opened.sources[0]?.isTakenOver).toBeUndefined()
    expect(opened.notices[1]?.message).toContain("share one login")
  })

  test("uses its own file when there is one, and looks nowhere else for a login", async () => {
    const keychain = keychainWith(authJson("rt_keychain"))
    mkdirSync(dirname(ownPath), { recursive: true })
    writeFileSync(ownPath, authJson("rt_own"))
    writeFileSync(legacyPath, authJson())
    const opened = await openStore("auto", { keychain })
    expect(secretsOf((await load(opened))[0])).toBe("rt_own")
    expect(opened).toMatchObject({ notices: [] })
    expect(opened.sources[0]?.isTakenOver).toBeUndefined()
    expect(keychain.asked).toEqual([])
  })

  test("asks for the refresh again when an earlier start took the login over and got no further", async () => {
    writeFileSync(legacyPath, authJson())
    await openStore("auto")
    const again = await openStore("auto")
    expect(again.sources[0]?.isTakenOver).toBe(true)
    expect(again.notices.map(notice => notice.level)).toEqual(["warn"])
  })

  test("takes a link to the Codex CLI's file for the one file it is", async () => {
    writeFileSync(legacyPath, authJson())
    mkdirSync(dirname(ownPath), { recursive: true })
    symlinkSync(legacyPath, ownPath)
    expect(await openStore("auto")).toMatchObject({ notices: [] })
  })

  test("turns to the keychain when the CLI has no file", async () => {
    const keychain = keychainWith(authJson("rt_keychain"))
    const opened = await openStore("auto", { keychain })
    expect(keychain.asked).toEqual([{ service: "Codex Auth", name: codexKeychainName(codexHome) }])
    expect(secretsOf((await load(opened))[0])).toBe("rt_keychain")
    expect(opened.sources[0]?.isTakenOver).toBe(true)
  })

  test("takes an API key over, of which nothing has to be refreshed", async () => {
    writeFileSync(legacyPath, '{"OPENAI_API_KEY":"sk-cli","tokens":null}')
    const opened = await openStore("auto")
    expect(secretsOf((await load(opened))[0])).toBe("sk-cli")
    expect(opened.sources[0]?.isTakenOver).toBeUndefined()
    expect(opened.notices).toHaveLength(1)
  })

  test("without any login it names both places, makes no file, and waits for one", async () => {
    const opened = await openStore("auto", { keychain: CLOSED })
    const [notice] = opened.notices
    expect(notice?.message).toContain(legacyPath)
    expect(notice?.message).toContain("The keychain cannot be used: libsecret not available.")
    expect(opened.notices[0]?.hint).toContain(ownPath)
    expect(existsSync(dirname(ownPath))).toBe(false)
    expect(opened.sources).toMatchObject([{ path: ownPath }])
  })

  test("a file of the CLI that is half written is read again", async () => {
    const time = makeManualTime()
    writeFileSync(legacyPath, authJson().slice(0, 60))
    const opening = openStore("auto", { time })
    await waitUntil(() => time.waiting().length > 0)
    writeFileSync(legacyPath, authJson())
    expect((await whileTimePasses(time, opening)).sources[0]?.isTakenOver).toBe(true)
  })

  test("a file of the CLI that stays broken is named, is not overwritten, and the keychain is left alone", async () => {
    const time = makeManualTime()
    const keychain = keychainWith(authJson())
    writeFileSync(legacyPath, '{"tokens":{"access_token":"at-secret')
    const opening = openStore("auto", { time, keychain })
    const { notices } = await whileTimePasses(time, opening)
    expect(notices).toHaveLength(1)
    expect(notices[0]?.message).toContain(`${legacyPath}: not complete JSON`)
    expect(JSON.stringify(notices)).not.toContain("at-secret")
    expect(keychain.asked).toEqual([])
    expect(existsSync(ownPath)).toBe(false)
  })

  test("a login of another service is not taken over", async () => {
    const text = JSON.stringify({ claudeAiOauth: { accessToken: "sk-ant-oat01-x", refreshToken: "sk-ant-ort01-x" } })
    const { notices } = await openStore("auto", { keychain: keychainWith(text) })
    expect(notices).toMatchObject([{ level: "warn", message: expect.stringContaining("Anthropic") }])
    expect(existsSync(ownPath)).toBe(false)
  })

  test("a folder that cannot be written to is named, and the login stays where it was", async () => {
    writeFileSync(legacyPath, authJson())
    chmodSync(codexHome, 0o755)
    mkdirSync(join(home.path, "config"), { mode: 0o555 })
    const opened = await asOrdinaryUser(() => openStore("auto"))
    expect(opened.notices).toMatchObject([
      {
        level: "warn",
        message: expect.stringContaining(`${ownPath} (EACCES)`),
        hint: expect.stringContaining("creds-path"),
      },
    ])
    expect(opened.sources[0]?.isTakenOver).toBeUndefined()
    expect(readFileSync(legacyPath, "utf8")).toBe(authJson())
  })
})

describe("xdg and legacy", () => {
  test("xdg uses its file in place and says how to get one", async () => {
    const opened = await openStore("xdg")
    expect(opened.sources).toMatchObject([{ path: ownPath, place: { folder: dirname(ownPath), name: "auth.json" } }])
    expect(opened.sources[0]?.hint()).toContain("creds-store: auto")
    expect(opened.sources[0]?.terms).toEqual({})
  })

  test("the file as dvcrn/codex-proxy writes it loads", async () => {
    const token = makeJwt({ user: "ann", workspace: "ws-ann" })
    const tokens = {
      id_token: "",
      access_token: token,
      refresh_token: "rt_own",
      account_id: "ws-ann",
      expiresAt: 1.9e12,
    }
    mkdirSync(dirname(ownPath), { recursive: true })
    writeFileSync(ownPath, JSON.stringify({ tokens }))
    expect(await load(await openStore("xdg"))).toMatchObject([
      { workspaceId: "ws-ann", credential: { refreshToken: "rt_own" } },
    ])
  })

  test("legacy uses the CLI's file in place and warns of two programs with one login", async () => {
    writeFileSync(legacyPath, authJson())
    const opened = await openStore("legacy", { path: legacyPath })
    expect(secretsOf((await load(opened))[0])).toBe("rt_cli")
    expect(opened.notices).toMatchObject([
      { level: "warn", path: legacyPath, hint: expect.stringContaining("sluice login") },
    ])
  })
})

describe("keychain", () => {
  test("lends its access token and keeps its refresh token to itself", async () => {
    const opened = await openStore("keychain", { keychain: keychainWith(authJson()) })
    const [account] = await load(opened)
    expect(account).toMatchObject({ email: "ann@example.com", workspaceId: "ws-ann" })
    expect(secretsOf(account)).toBeUndefined()
    expect(opened.notices.map(notice => [notice.level, notice.path])).toEqual([["warn", "keychain entry Codex Auth"]])
  })

  test("is looked at again after five minutes, and what it lent stays when it closes", async () => {
    const time = makeManualTime()
    const answers: (() => Promise<string>)[] = [
      async () => authJson(),
      () => Promise.reject(new Error("locked")),
      async () => authJson("rt_second").replace("2026-09-20", "2026-09-30"),
    ]
    let looks = 0
    const keychain = { get: () => (answers[looks++] ?? answers[2] ?? CLOSED.get)({ service: "", name: "" }) }
    const [source] = (await openStore("keychain", { keychain, time })).sources
    if (source?.place.type !== "text") throw new Error("expected a text")
    const { read } = source.place
    const first = await read()
    expect([first, await read(), looks]).toEqual([authJson(), authJson(), 1])
    await time.advanceAsync(5 * 60_000)
    expect([await read(), looks]).toEqual([authJson(), 2])
    await time.advanceAsync(5 * 60_000)
    expect(await read()).toContain("2026-09-30")
  })

  test("a keychain that cannot be reached says so, and what to do", async () => {
    const opened = await openStore("keychain", { keychain: CLOSED })
    expect(await load(opened)).toEqual([])
    const hint = opened.sources[0]?.hint() ?? ""
    expect(hint).toStartWith("The keychain cannot be used: libsecret not available.")
    expect(hint).toContain("creds-store: auto")
  })

  test("a keychain without the CLI's entry says where the login may be", async () => {
    const onMac = await openStore("keychain")
    await load(onMac)
    expect(onMac.sources[0]?.hint()).toContain("codex login")
    const onLinux = await openStore("keychain", { platform: "linux" })
    await load(onLinux)
    expect(onLinux.sources[0]?.hint()).toContain("secret-tool lookup")
  })

  test("the entry's name is made from the folder's real path, as the CLI makes it", () => {
    const link = join(home.path, "link")
    symlinkSync(codexHome, link)
    expect(codexKeychainName(link)).toBe(codexKeychainName(codexHome))
    // printf %s /nowhere/.codex | sha256sum | cut -c-16
    expect(codexKeychainName("/nowhere/.codex")).toBe("cli|d15567c207ebadef")
  })
})

describe("env", () => {
  const token = makeJwt({ user: "ann", workspace: "ws-ann", email: "ann@example.com" })

  test("the two variables make an account that is never refreshed", async () => {
    const [account] = await load(
      await openStore("env", { env: { ACCESS_TOKEN: ` ${token}\n`, ACCOUNT_ID: "ws-other" } }),
    )
    expect(account).toMatchObject({ provider: "codex", workspaceId: "ws-other", credential: { accessToken: token } })
    expect(secretsOf(account)).toBeUndefined()
  })

  test("the workspace is read from the token when its variable is missing", async () => {
    const [account] = await load(await openStore("env", { env: { ACCESS_TOKEN: token, ACCOUNT_ID: "" } }))
    expect(account).toMatchObject({ workspaceId: "ws-ann", label: "ann@example.com" })
  })

  test("an API key makes an account of the public API", async () => {
    const [account] = await load(await openStore("env", { env: { ACCESS_TOKEN: "sk-proj-one" } }))
    expect(account).toMatchObject({ provider: "openai-api", label: "environment" })
  })

  test.each([
    ["is missing", {}, "ACCESS_TOKEN is not set"],
    ["is blank", { ACCESS_TOKEN: " " }, "ACCESS_TOKEN is not set"],
    ["holds a refresh token", { ACCESS_TOKEN: "rt_secret" }, "holds another kind of token"],
    ["holds another service's token", { ACCESS_TOKEN: "sk-ant-secret" }, "Anthropic"],
  ])("a variable that %s refuses the start and is not repeated", async (_, env, says) => {
    const error = await openStore("env", { env }).catch((cause: unknown) => cause)
    if (!(error instanceof GatewayError)) throw new Error("expected a refusal")
    expect(error.message).toContain(says)
    expect(`${error.message} ${error.hint}`).not.toContain("secret")
  })
})
