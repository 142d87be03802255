/** `sluice accounts` from the command line: in process, and as a program where standard input and output matter. */

import { afterEach, expect, test } from "bun:test"
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import { refreshFingerprint } from "#accounts/fingerprint.ts"
import { fileKeySlots } from "#accounts/secrets/key-slots.ts"
import { sealRow } from "#accounts/secrets/sealed-rows.ts"
import { relativeTime } from "#cli/accounts/show-accounts.ts"
import { accountsCommand } from "#cli/accounts.ts"
import { openStore } from "#cli/compose/open-store.ts"

import { recordIo } from "../../support/command-io.ts"
import { ROOT } from "../../support/source-tree.ts"
import { makeJwt } from "../accounts/token-endpoint.ts"

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function makeHome() {
  const cwd = mkdtempSync(join(tmpdir(), "sluice-accounts-"))
  folders.push(cwd)
  const env = { SLUICE_AUTH_DIR: join(cwd, "auths"), SLUICE_DATA_DIR: join(cwd, "data") }
  const run = async (args: readonly string[], isTerminal = false) => {
    const { io, stdout, stderr } = recordIo({ env, cwd, isTerminal })
    const exitCode = await accountsCommand.run(args, io)
    return { exitCode, stdout: stdout(), stderr: stderr() }
  }
  return {
    cwd,
    env,
    authDir: env.SLUICE_AUTH_DIR,
    run,
    put: (name: string, value: unknown) => put(join(cwd, name), value),
  }
}

function put(path: string, value: unknown): void {
  writeFileSync(path, typeof value === "string" ? value : JSON.stringify(value))
}

function entry(user: string, iat?: number) {
  const access = makeJwt({ user, workspace: "ws", email: `${user}@example.com`, ...(iat === undefined ? {} : { iat }) })
  return { access_token: access, refresh_token: `rt_${user}` }
}

const SECRET = /eyJ|rt_|sk-/

test("import shows a table, list shows the accounts, and neither shows a secret or a whole address", async () => {
  const home = makeHome()
  home.put("in.json", [entry("ann"), entry("bob"), entry("ann"), { api_key: "sk-1" }, { platform: "x" }])
  const imported = await home.run(["import", "in.json"])
  expect(imported.exitCode).toBe(0)
  expect(imported.stdout).toMatch(/SOURCE +FORMAT +ADDED +UPDATED +UNCHANGED +REFUSED\nin\.json +flat +3 +0 +1 +1\n/)
  expect(imported.stderr).toStartWith('refused: in.json, entry 5: needs "access_token"')
  const listed = await home.run(["list"])
  expect(listed.exitCode).toBe(0)
  expect(listed.stdout).toMatch(/ID +LABEL +PLAN +KIND +STATE +EXPIRES +REFRESHED +FILE/)
  expect(listed.stdout).toMatch(
    /acc_[0-9a-f]{16} +an\*\*\*@example\.com +plus +sign-in +\w+ +in \d+ d +- +codex-[0-9a-f]{16}\.json/,
  )
  const json = await home.run(["list", "--json"])
  expect(JSON.parse(json.stdout).accounts).toHaveLength(3)
  for (const said of [imported, listed, json]) expect(said.stdout + said.stderr).not.toMatch(SECRET)
  expect(json.stdout).not.toContain("ann@")
})

test("--dry-run writes nothing and --json tells every entry", async () => {
  const home = makeHome()
  home.put("in.txt", `rt_1\nrt_1\nsk-ant-1\n`)
  const { exitCode, stdout } = await home.run(["import", "in.txt", "--dry-run", "--json"])
  const report = JSON.parse(stdout)
  expect([exitCode, report.dryRun, report.counts]).toEqual([
    0,
    true,
    { added: 1, updated: 0, unchanged: 1, refused: 1 },
  ])
  expect(report.results[2].reason).toBe("is a token of Anthropic: other services are not served")
  expect(existsSync(home.authDir)).toBe(false)
})

test("a folder is taken in file by file; a broken one is named and does not stop the others", async () => {
  const home = makeHome()
  mkdirSync(join(home.cwd, "many"))
  home.put("many/a.json", { tokens: entry("ann") })
  home.put("many/b.json", '{"access_token":')
  home.put("many/c.txt", "rt_c")
  home.put("many/readme.md", "no")
  const { exitCode, stdout, stderr } = await home.run(["import", "many"])
  expect(exitCode).toBe(0)
  expect(stdout).toMatch(/a\.json +codex-auth +1[\s\S]*b\.json +- +0 +0 +0 +1\n[\s\S]*all +2 +0 +0 +1/)
  expect(stderr).toContain("refused: b.json: not complete JSON")
})

test("an import of which nothing could be taken is exit code 1", async () => {
  const home = makeHome()
  home.put("in.txt", "hello")
  expect((await home.run(["import", "in.txt"])).exitCode).toBe(1)
  expect((await home.run(["import", "in.txt", "--format", "refresh-tokens"])).exitCode).toBe(0)
})

/** Ann's account as a gateway leaves it after a refresh: an older file, a newer credential in the database. */
async function makeRefreshedHome() {
  const home = makeHome()
  home.put("in.json", entry("ann", 1_700_000_000))
  await home.run(["import", "in.json"])
  const { accounts } = JSON.parse((await home.run(["list", "--json"])).stdout)
  const keyFile = join(home.env.SLUICE_DATA_DIR, "master.key")
  const { store, sealer, key } = await openStore(home.env.SLUICE_DATA_DIR, fileKeySlots(keyFile))
  const row = {
    accountId: accounts[0].id,
    fingerprint: refreshFingerprint("rt_new"),
    secretJson: JSON.stringify({ accessToken: entry("ann", 1_800_000_000).access_token, refreshToken: "rt_new" }),
    generation: 4,
    previousFingerprint: refreshFingerprint("rt_ann"),
    previousSecretJson: null,
    previousAtMs: 1,
    updatedAtMs: 1,
  }
  store.commitCredentials([sealRow(row, sealer)])
  return { home, store, key, keyFile }
}

test("list counts what a running gateway refreshed, without taking its lock; --files-only does not", async () => {
  const { home, store } = await makeRefreshedHome()
  const generation = async (...flags: string[]) =>
    JSON.parse((await home.run(["list", "--json", ...flags])).stdout).accounts[0].credential.generation
  expect(await generation()).toBe(4)
  expect(await generation("--files-only")).toBe(0)
  expect((await home.run(["export", "--format", "refresh-tokens"])).stdout).toBe("rt_new\n")
  store.close()
  expect(await generation()).toBe(4)
})

test("without its key, what a gateway kept is refused and no key is made; the files alone can be read", async () => {
  const { home, store, key, keyFile } = await makeRefreshedHome()
  store.close()
  renameSync(keyFile, `${keyFile}.away`)
  await expect(home.run(["list"])).rejects.toThrow(`needs the master key ${key.id}`)
  expect((await home.run(["list", "--files-only"])).exitCode).toBe(0)
  expect(existsSync(keyFile)).toBe(false)
})

test("export writes a file for this user alone and never over another; a terminal gets no secrets", async () => {
  const home = makeHome()
  home.put("in.json", entry("ann"))
  await home.run(["import", "in.json"])
  const refused = await home.run(["export"], true)
  expect([refused.exitCode, refused.stdout]).toEqual([2, ""])
  expect(JSON.parse((await home.run(["export", "--show-secrets"], true)).stdout)[0].refresh_token).toBe("rt_ann")
  const written = await home.run(["export", "ann@example.com", "--format", "codex-auth", "--out", "out.json", "--json"])
  expect(JSON.parse(written.stdout)).toMatchObject({ format: "codex-auth", count: 1 })
  expect(written.stdout + written.stderr).not.toMatch(SECRET)
  expect(statSync(join(home.cwd, "out.json")).mode & 0o777).toBe(0o600)
  expect(JSON.parse(readFileSync(join(home.cwd, "out.json"), "utf8")).tokens.refresh_token).toBe("rt_ann")
  expect((await home.run(["export", "--out", "out.json"])).exitCode).toBe(1)
})

test("remove needs --yes, and takes only the one entry out of a file that holds others", async () => {
  const home = makeHome()
  mkdirSync(home.authDir)
  home.put("auths/both.json", [entry("ann"), entry("bob"), 7])
  home.put("auths/twice.json", entry("ann"))
  const looked = await home.run(["remove", "ann@example.com"])
  expect([looked.exitCode, readdirSync(home.authDir).length]).toEqual([2, 2])
  expect((await home.run(["remove", "ann@example.com", "--dry-run"])).exitCode).toBe(0)
  const removed = await home.run(["remove", "ann@example.com", "--yes"])
  expect(removed.exitCode).toBe(0)
  expect(removed.stdout).toMatch(/entry removed[\s\S]*file deleted|file deleted[\s\S]*entry removed/)
  expect(readdirSync(home.authDir)).toEqual(["both.json"])
  expect(JSON.parse(readFileSync(join(home.authDir, "both.json"), "utf8"))).toEqual([entry("bob"), 7])
})

test("show describes one account; an unknown name is exit code 1", async () => {
  const home = makeHome()
  home.put("in.json", entry("ann"))
  await home.run(["import", "in.json"])
  const { stdout } = await home.run(["show", "ann@example.com"])
  expect(stdout).toMatch(/label +an\*\*\*@example\.com\nplan +plus\n/)
  expect((await home.run(["show", "zoe@example.com"])).exitCode).toBe(1)
})

test.each([
  [["import", "--formt", "x"], 'did you mean "--format"'],
  [["import", "x", "--format", "sub2apl"], 'did you mean "sub2api"'],
  [["export", "--format", "tokens"], "--format"],
  [["lst"], 'did you mean "list"'],
  [[], "expected list, show, import, export, remove"],
  [["import"], "import needs a file"],
  [["remove"], "remove needs an account"],
])("%j is wrong usage and says what was meant", async (args, said) => {
  const { exitCode, stderr } = await makeHome().run(args)
  expect(exitCode).toBe(2)
  expect(stderr).toContain(said)
})

test.each([
  [10_800, "in 3 h"],
  [-180_000, "2 d ago"],
  [59, "in 59 s"],
  [0, "in 0 s"],
])("%d seconds are %s", (seconds, text) => {
  expect(relativeTime(seconds)).toBe(text)
})

test("the program reads standard input and writes an export into a pipe", async () => {
  const home = makeHome()
  const env = { ...home.env, PATH: process.env["PATH"], HOME: home.cwd }
  const start = (args: readonly string[], input: string) =>
    Bun.spawnSync([process.execPath, join(ROOT, "src/main.ts"), "accounts", ...args], {
      cwd: home.cwd,
      env,
      stdin: Buffer.from(input),
    })
  const imported = start(["import", "-"], `${entry("ann").access_token}\r\nrt_b\r\n`)
  expect([imported.exitCode, imported.stderr.toString()]).toEqual([0, ""])
  expect(imported.stdout.toString()).toMatch(/standard input +tokens +2 /)
  const exported = start(["export", "--format", "refresh-tokens"], "")
  expect(exported.stdout.toString()).toBe("rt_b\n")
})

test("a slow reader of a pipe gets the whole export", async () => {
  const home = makeHome()
  const lines = Array.from({ length: 400 }, (_, index) => `rt_${index}_${"x".repeat(1000)}\n`)
  home.put("in.txt", lines.join(""))
  await home.run(["import", "in.txt"])
  const child = Bun.spawn(
    [process.execPath, join(ROOT, "src/main.ts"), "accounts", "export", "--format", "refresh-tokens"],
    { cwd: home.cwd, env: { ...home.env, PATH: process.env["PATH"], HOME: home.cwd }, stdout: "pipe", stderr: "pipe" },
  )
  // The report comes after the text: whoever waits for it reads late.
  await child.stderr.getReader().read()
  const text = await new Response(child.stdout).text()
  expect(text.length).toBe(lines.join("").length)
  expect(await child.exited).toBe(0)
})

test("list and export show accounts that other settings name, and remove leaves them alone", async () => {
  const home = makeHome()
  mkdirSync(home.authDir)
  mkdirSync(join(home.cwd, "elsewhere"))
  home.put("auths/ann.json", entry("ann"))
  home.put("auths/off.json", entry("off"))
  home.put("elsewhere/bob.json", entry("bob"))
  home.put("elsewhere/own.json", { tokens: { ...entry("carl"), account_id: "ws" } })
  const pool = [
    { id: "second", token_file: "../elsewhere/bob.json" },
    { id: "off", token_file: "off.json", disabled: true },
  ]
  const args = ["--creds-store", "xdg", "--creds-path", "elsewhere/own.json"]
  const all = [...args, "--credential-pool-codex", JSON.stringify(pool)]
  const listed = JSON.parse((await home.run(["list", "--json", ...all])).stdout)
  expect(listed.accounts.map(({ file, label }: { file: string; label: string }) => [file, label])).toEqual([
    ["ann.json", "an***@example.com"],
    ["bob.json", "sec***"],
    ["own.json", "ca***@example.com"],
  ])
  const exported = await home.run(["export", "--format", "refresh-tokens", ...all])
  expect(exported.stdout.split("\n").sort()).toEqual(["", "rt_ann", "rt_bob", "rt_carl"])
  const removed = await home.run(["remove", "carl@example.com", "--yes", ...all])
  expect(removed).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("no account is called") })
  expect(existsSync(join(home.cwd, "elsewhere", "own.json"))).toBe(true)
})
