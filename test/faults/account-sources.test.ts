/** Accounts from outside `auth-dir`, in a running gateway: taken over, borrowed, named one by one, and each on its own way out. */

import { afterEach, expect, setDefaultTimeout, test } from "bun:test"
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"

import type { SimulatorControl } from "#simulator/control.ts"

import { freePort } from "../support/binary.ts"
import { type ForwardProxy, startForwardProxy } from "../support/forward-proxy.ts"
import { type SocksProxy, startSocksProxy } from "../support/socks-proxy.ts"
import { type FaultGateway, type FaultOptions, type StatsBody, startFaultGateway, turn, until } from "./fixture.ts"

setDefaultTimeout(20_000)

const started: (FaultGateway | ForwardProxy | SocksProxy)[] = []

afterEach(async () => {
  for (const one of started.splice(0)) await one.stop()
})

type Place = (folder: string, control: SimulatorControl, upstream: string) => void

/** A gateway without files in `auth-dir`; `place` puts logins elsewhere. */
async function start(place: Place, options: FaultOptions = {}) {
  const gateway = await startFaultGateway({
    accounts: 1,
    ...options,
    prepare: async (folder, control, upstream) => {
      rmSync(join(folder, "auths"), { recursive: true })
      place(folder, control, upstream)
    },
  })
  started.push(gateway)
  return gateway
}

function write(path: string, content: unknown): void {
  mkdirSync(join(path, ".."), { recursive: true })
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content, undefined, 2), { mode: 0o600 })
}

/** The Codex CLI's login of the first account, with the account's present tokens. */
function writeCliLogin(folder: string, control: SimulatorControl): void {
  write(join(folder, ".codex", "auth.json"), control.codexAuthFile("account-1"))
}

const cliPath = ({ folder }: FaultGateway) => join(folder, ".codex", "auth.json")
const ownPath = ({ folder }: FaultGateway) => join(folder, ".config", "codex-proxy", "auth.json")

function refreshTokenAt(path: string): string {
  const entry = JSON.parse(readFileSync(path, "utf8"))
  return entry.tokens?.refresh_token ?? entry.refresh_token
}

const currentRefreshToken = ({ control }: FaultGateway, name = "account-1") => control.accountFile(name).refresh_token

const refreshes = ({ control }: FaultGateway) => control.recorded({ path: "/oauth/token" })

/** Sends one turn and returns its status. */
async function ask(gateway: FaultGateway): Promise<number> {
  return (await gateway.post("/v1/responses", turn())).status
}

async function statsOf(gateway: FaultGateway): Promise<StatsBody> {
  return (await gateway.get("/stats")).json() as unknown as StatsBody
}

/** The simulator's origin, as the gateway's configuration names it. */
function upstreamOf({ folder }: FaultGateway): string {
  return new URL(JSON.parse(readFileSync(join(folder, "sluice.yaml"), "utf8"))["base-url"]).origin
}

/** Uses a refresh token up as any client of the sign-in service would; the status. */
async function exchange(gateway: FaultGateway, refreshToken: string): Promise<number> {
  const reply = await fetch(`${upstreamOf(gateway)}/oauth/token`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      client_id: "app_EMoamEEZ73f0CkXaXp7hrann",
      grant_type: "refresh_token",
      refresh_token: refreshToken,
    }),
  })
  await reply.arrayBuffer()
  return reply.status
}

const auto = { settings: { "creds-store": "auto" } }

test("auto takes the Codex CLI's login over and refreshes it at once; the new pair is in its own file alone", async () => {
  const gateway = await start(writeCliLogin, auto)
  const before = readFileSync(cliPath(gateway), "utf8")
  await until(
    "the file holds the new token",
    () => refreshTokenAt(ownPath(gateway)) !== refreshTokenAt(cliPath(gateway)),
  )
  expect(refreshes(gateway)).toHaveLength(1)
  expect(refreshTokenAt(ownPath(gateway))).toBe(currentRefreshToken(gateway))
  expect(statSync(ownPath(gateway)).mode & 0o777).toBe(0o600)
  expect(readFileSync(cliPath(gateway), "utf8")).toBe(before)
  expect(await ask(gateway)).toBe(200)
  expect(gateway.process().output()).toContain("codex login")
})

test("what the refresh after taking over costs: the Codex CLI's own refresh token is used up", async () => {
  const gateway = await start(writeCliLogin, auto)
  await until("the login was refreshed", () => refreshes(gateway).length === 1)
  expect(await exchange(gateway, refreshTokenAt(cliPath(gateway)))).toBe(401)
  expect(await ask(gateway)).toBe(200)
})

test("a second start takes nothing over and refreshes nothing", async () => {
  const gateway = await start(writeCliLogin, auto)
  await until(
    "the file holds the new token",
    () => refreshTokenAt(ownPath(gateway)) !== refreshTokenAt(cliPath(gateway)),
  )
  await gateway.process().stop()
  await gateway.startAgain()
  expect(await ask(gateway)).toBe(200)
  expect(refreshes(gateway)).toHaveLength(1)
  expect(gateway.process().output()).not.toContain("taken over")
})

test("disable-migrate-refresh takes over without refreshing, and the next start without it makes up for that", async () => {
  const gateway = await start(writeCliLogin, {
    settings: { "creds-store": "auto", "disable-migrate-refresh": true },
  })
  expect(await ask(gateway)).toBe(200)
  expect(refreshes(gateway)).toEqual([])
  expect(refreshTokenAt(ownPath(gateway))).toBe(refreshTokenAt(cliPath(gateway)))
  expect(gateway.process().output()).toContain("share one login")
  await gateway.process().stop()
  await gateway.configure({ "disable-migrate-refresh": false })
  await gateway.startAgain()
  await until("the login was refreshed", () => refreshes(gateway).length === 1)
})

test("auto without any login says where it looked, and serves as soon as its file appears", async () => {
  // A folder that is there gives notice; for one that is not, the look every ten seconds finds the file.
  const gateway = await start(folder => mkdirSync(join(folder, ".config", "codex-proxy"), { recursive: true }), auto)
  expect((await gateway.get("/health")).json()).toMatchObject({ total: 0 })
  expect(gateway.process().output()).toContain(cliPath(gateway))
  // This machine has no keychain that a test could reach, and the log says so.
  expect(gateway.process().output()).toContain("The keychain ")
  write(ownPath(gateway), gateway.control.codexAuthFile("account-1"))
  await until("the account serves", async () => (await ask(gateway)) === 200)
})

test("xdg with a path of its own: a refused token is refreshed and the file rewritten", async () => {
  const gateway = await start(
    (folder, control) => write(join(folder, "auths", "mine", "auth.json"), control.codexAuthFile("account-1")),
    {
      settings: { "creds-store": "xdg", "creds-path": "auths/mine/auth.json" },
    },
  )
  expect(await ask(gateway)).toBe(200)
  gateway.control.markAccess("account-1", "expired")
  expect(await ask(gateway)).toBe(200)
  expect(refreshes(gateway)).toHaveLength(1)
  expect(refreshTokenAt(join(gateway.folder, "auths", "mine", "auth.json"))).toBe(currentRefreshToken(gateway))
  expect(existsSync(ownPath(gateway))).toBe(false)
})

test("legacy refreshes the Codex CLI's file in place and warns of it", async () => {
  const gateway = await start(writeCliLogin, { settings: { "creds-store": "legacy" } })
  expect(refreshes(gateway)).toEqual([])
  gateway.control.markAccess("account-1", "expired")
  expect(await ask(gateway)).toBe(200)
  expect(refreshTokenAt(cliPath(gateway))).toBe(currentRefreshToken(gateway))
  expect(JSON.parse(readFileSync(cliPath(gateway), "utf8"))).toMatchObject({
    auth_mode: "chatgpt",
    OPENAI_API_KEY: null,
  })
  expect(gateway.process().output()).toContain("two programs that refresh one login can sign each other out")
})

test("keychain: one that cannot be reached is named, and the other accounts serve", async () => {
  const gateway = await startFaultGateway({ accounts: 1, settings: { "creds-store": "keychain" } })
  started.push(gateway)
  expect(await ask(gateway)).toBe(200)
  const output = gateway.process().output()
  expect(output).toContain("there is no account where one was named")
  expect(output).toMatch(/The keychain (cannot be used|has no entry)|cannot be read this way/)
})

test("env: the variables make an account that serves until its token is refused and is never refreshed", async () => {
  const gateway = await start(() => {}, {
    settings: { "creds-store": "env" },
    env: control => {
      const { access_token, account_id } = control.accountFile("account-1")
      return { ACCESS_TOKEN: access_token, ACCOUNT_ID: account_id }
    },
  })
  expect(await ask(gateway)).toBe(200)
  expect(gateway.turns().at(-1)?.account).toBe("account-1")
  gateway.control.markAccess("account-1", "expired")
  expect(await ask(gateway)).toBe(503)
  expect(refreshes(gateway)).toEqual([])
})

test("env without the variable refuses to start and says what to set", async () => {
  const gateway = await start(() => {}, { settings: { "creds-store": "off" } })
  await gateway.process().stop()
  await gateway.configure({ "creds-store": "env" })
  const failure = await gateway.startAgain().catch((cause: unknown) => cause)
  expect(String(failure)).toMatch(/code 1.*creds-store is env, and ACCESS_TOKEN is not set.*Set ACCESS_TOKEN/s)
})

/** The same unsigned token, run out an hour ago. */
function expiredLike(token: string): string {
  const [head, payload = "", signature] = token.split(".")
  const claims = JSON.parse(Buffer.from(payload, "base64url").toString())
  const exp = Math.floor(Date.now() / 1000) - 3600
  return [head, Buffer.from(JSON.stringify({ ...claims, exp })).toString("base64url"), signature].join(".")
}

/** Two accounts of a pool: the first has a way out of its own, the second the configured one. */
function placePool(folder: string, control: SimulatorControl): void {
  for (const name of ["account-1", "account-2"]) {
    const { access_token, refresh_token, expired } = control.accountFile(name)
    write(join(folder, "auths", "codex", `${name}.json`), {
      access_token,
      refresh_token,
      expires_at: expired,
      token_type: "Bearer",
    })
  }
}

const pool = (proxyUrl: string) => ({
  credential_pool: {
    codex: [
      { id: "main", token_file: "codex/account-1.json", proxy_url: proxyUrl },
      { id: "spare", token_file: "codex/account-2.json", disabled: false },
    ],
  },
})

test("a pool's account with a proxy does everything through it: turns, model lists, quota, refresh", async () => {
  const proxy = await startForwardProxy()
  started.push(proxy)
  const gateway = await start(placePool, { accounts: 2, settings: pool(`http://ann:top%2Dsecret@${proxy.host}`) })
  gateway.control.markAccess("account-1", "expired")
  await gateway.post("/check-quota", {})
  for (let count = 0; count < 6; count++) expect(await ask(gateway)).toBe(200)
  await gateway.post("/refresh", {})
  const ofMain = gateway.control.recorded({ account: "account-1" })
  const ofSpare = gateway.control.recorded({ account: "account-2" })
  const paths = new Set(ofMain.map(request => request.path))
  expect([...paths].sort()).toEqual(
    expect.arrayContaining(["/backend-api/codex/responses", "/backend-api/wham/usage", "/oauth/token"]),
  )
  // A refused token belongs to nobody in the records, so the other account's requests are taken away instead.
  const others = new Set(ofSpare.map(request => request.number))
  const notOfSpare = gateway.control.recorded().filter(request => !others.has(request.number))
  expect(ofSpare.length).toBeGreaterThan(0)
  expect([...proxy.seen].sort()).toEqual(notOfSpare.map(({ method, path }) => `${method} ${path}`).sort())
  expect(new Set(proxy.credentials)).toEqual(new Set([`Basic ${btoa("ann:top-secret")}`]))
  expect(refreshTokenAt(join(gateway.folder, "auths", "codex", "account-1.json"))).toBe(currentRefreshToken(gateway))
  expect(gateway.process().output()).not.toMatch(/top-secret|top%2Dsecret/)
})

test("an account whose proxy is down never goes out directly, and the others serve", async () => {
  const gateway = await start(placePool, { accounts: 2, settings: pool(`http://127.0.0.1:${freePort()}`) })
  await gateway.post("/check-quota", {})
  for (let count = 0; count < 6; count++) expect(await ask(gateway)).toBe(200)
  await gateway.post("/refresh", {})
  expect(gateway.control.recorded({ account: "account-1" })).toEqual([])
  expect(gateway.control.recorded({ account: "account-2" }).length).toBeGreaterThan(0)
  expect((await statsOf(gateway)).pool).toMatchObject({ total: 2, leases: 0 })
})

test("a disabled entry is left out although its file lies in the folder", async () => {
  const gateway = await start(
    (folder, control) => {
      placePool(folder, control)
      for (const name of ["account-1", "account-2"]) {
        renameSync(join(folder, "auths", "codex", `${name}.json`), join(folder, "auths", `${name}.json`))
      }
    },
    {
      accounts: 2,
      settings: { "credential-pool": { codex: [{ id: "off", token_file: "account-2.json", disabled: true }] } },
    },
  )
  expect((await statsOf(gateway)).pool.total).toBe(1)
  expect(await ask(gateway)).toBe(200)
  expect(gateway.control.recorded({ account: "account-2" })).toEqual([])
})

test("an account with a SOCKS proxy does everything through it, and its password stands in no log", async () => {
  const proxy = await startSocksProxy({ login: { user: "ann", password: "top-secret" } })
  started.push(proxy)
  const gateway = await start(placePool, { accounts: 2, settings: pool(`socks5://ann:top%2Dsecret@${proxy.host}`) })
  gateway.control.markAccess("account-1", "expired")
  await gateway.post("/check-quota", {})
  for (let count = 0; count < 6; count++) expect(await ask(gateway)).toBe(200)
  await gateway.post("/refresh", {})
  const paths = new Set(gateway.control.recorded({ account: "account-1" }).map(request => request.path))
  expect([...paths]).toEqual(
    expect.arrayContaining(["/backend-api/codex/responses", "/backend-api/wham/usage", "/oauth/token"]),
  )
  const others = new Set(gateway.control.recorded({ account: "account-2" }).map(request => request.number))
  const ofMain = gateway.control.recorded().filter(request => !others.has(request.number))
  // In plain HTTP the bridge makes one connection a request, so a request too many or too few would show.
  expect(proxy.asked).toHaveLength(ofMain.length)
  expect(new Set(proxy.logins)).toEqual(new Set(["ann:top-secret"]))
  expect(gateway.process().output()).not.toMatch(/top-secret|top%2Dsecret/)
})

test("a SOCKS proxy that refuses the login is named in the log without it, and the others serve", async () => {
  const proxy = await startSocksProxy({ login: { user: "ann", password: "another" } })
  started.push(proxy)
  const gateway = await start(placePool, { accounts: 2, settings: pool(`socks5h://ann:top-secret@${proxy.host}`) })
  await gateway.post("/check-quota", {})
  for (let count = 0; count < 6; count++) expect(await ask(gateway)).toBe(200)
  expect(gateway.control.recorded({ account: "account-1" })).toEqual([])
  expect(proxy.logins).toContain("ann:top-secret")
  expect(gateway.process().output()).toContain("refused the login")
  expect(gateway.process().output()).not.toContain("top-secret")
})

test("a proxy in the pool that cannot be used refuses the start and names the entry, not the password", async () => {
  const gateway = await start(placePool, { accounts: 2, settings: { "creds-store": "off" } })
  await gateway.process().stop()
  await gateway.configure(pool(`socks5://ann:${"top-secret".repeat(26)}@127.0.0.1:1080`))
  const failure = String(await gateway.startAgain().catch((cause: unknown) => cause))
  expect(failure).toMatch(
    /code 1.*credential-pool\.codex, entry "main": A SOCKS proxy takes a user name of 1 to 255 bytes/s,
  )
  expect(failure).not.toContain("top-secret")
})

test("import-codex-cli serves with the CLI's token at the CLI's base URL, and leaves the file as it is", async () => {
  const gateway = await start(
    (folder, control, upstream) => {
      writeCliLogin(folder, control)
      write(join(folder, ".codex", "config.toml"), `chatgpt_base_url = "${upstream}/backend-api"\n`)
    },
    { settings: { "import-codex-cli": true, "base-url": `http://127.0.0.1:${freePort()}/backend-api/codex` } },
  )
  const before = readFileSync(cliPath(gateway), "utf8")
  expect(await ask(gateway)).toBe(200)
  await gateway.post("/check-quota", {})
  await gateway.post("/refresh", {})
  expect(gateway.control.recorded({ path: "/wham/usage" })).not.toEqual([])
  expect(refreshes(gateway)).toEqual([])
  expect(readFileSync(cliPath(gateway), "utf8")).toBe(before)
  expect(
    gateway
      .process()
      .output()
      .match(/a login that two programs renew is lost/g),
  ).toHaveLength(1)
})

test("an imported login whose token is refused rests, and serves again once the CLI has renewed it", async () => {
  const gateway = await start(writeCliLogin, { settings: { "import-codex-cli": true } })
  expect(await ask(gateway)).toBe(200)
  gateway.control.markAccess("account-1", "expired")
  expect(await ask(gateway)).toBe(503)
  expect(refreshes(gateway)).toEqual([])
  // What the CLI does when it is used next: it exchanges its refresh token and writes its file.
  expect(await exchange(gateway, refreshTokenAt(cliPath(gateway)))).toBe(200)
  writeCliLogin(gateway.folder, gateway.control)
  await until("the account serves", async () => (await ask(gateway)) === 200)
  expect(refreshes(gateway)).toHaveLength(1)
})

test("an imported login that runs out is told, with what to do", async () => {
  const gateway = await start(
    (folder, control) => {
      const { tokens, ...rest } = control.codexAuthFile("account-1")
      write(join(folder, ".codex", "auth.json"), {
        ...rest,
        tokens: { ...tokens, access_token: expiredLike(tokens.access_token) },
      })
    },
    { settings: { "import-codex-cli": true } },
  )
  expect(gateway.process().output()).toContain("has expired; its account rests until it is renewed")
  expect((await statsOf(gateway)).accounts).toMatchObject([{ status: "error", reason: "credential-expired" }])
})

test("broken TOML: the CLI's login is used at the configured upstream, and the log names the file without a word of it", async () => {
  const gateway = await start(
    (folder, control) => {
      writeCliLogin(folder, control)
      write(join(folder, ".codex", "config.toml"), "experimental_bearer_token = top-secret\n[model_providers")
    },
    { settings: { "import-codex-cli": true } },
  )
  expect(await ask(gateway)).toBe(200)
  expect(gateway.process().output()).toContain("gives its login no base URL: it is not TOML")
  expect(gateway.process().output()).not.toContain("top-secret")
})

test("a folder that cannot be written to: nothing is taken over or used up, and the reason is told", async () => {
  const gateway = await start((folder, control) => {
    writeCliLogin(folder, control)
    // A file where the folder should be: what a mode forbids to others, this forbids to root as well.
    write(join(folder, ".config"), "")
    chmodSync(join(folder, ".config"), 0o400)
  }, auto)
  expect(gateway.process().output()).toContain("cannot be written to")
  expect(refreshes(gateway)).toEqual([])
  expect(await exchange(gateway, refreshTokenAt(cliPath(gateway)))).toBe(200)
})

test("an account that lies in auth-dir as well counts once", async () => {
  const gateway = await start(
    (folder, control) => {
      writeCliLogin(folder, control)
      write(join(folder, "auths", "mine.json"), control.accountFile("account-1"))
    },
    { settings: { "import-codex-cli": true } },
  )
  expect((await statsOf(gateway)).pool.total).toBe(1)
  gateway.control.markAccess("account-1", "expired")
  expect(await ask(gateway)).toBe(200)
  expect(refreshTokenAt(join(gateway.folder, "auths", "mine.json"))).toBe(currentRefreshToken(gateway))
  expect(gateway.process().output()).toContain("the account is in two places")
})
