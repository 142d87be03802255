/** `sluice accounts` where no gateway runs: in process, and as a program where standard input and output matter. */

import { afterEach, beforeEach, expect, test } from "bun:test"
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"

import { fileKeySlots } from "#accounts/secrets/key-slots.ts"
import { relativeTime } from "#cli/accounts/relative-time.ts"
import { openStore } from "#cli/compose/open-store.ts"

import { ROOT } from "../../../support/source-tree.ts"
import { entry, inputOf, keyboard, makeHome, SECRET } from "./accounts-world.ts"

let home: ReturnType<typeof makeHome>
beforeEach(() => {
  home = makeHome()
})
afterEach(() => home.remove())

/** Takes ann and bob in and returns ann's id. */
async function withAnnAndBob(): Promise<string> {
  home.put("in.json", [entry("ann"), entry("bob")])
  await home.run(["import", "in.json"])
  return (await home.json("show", "ann@example.com")).accounts[0].id
}

test("import shows a table, list shows the accounts, and neither shows a secret or a whole address", async () => {
  home.put("in.json", [entry("ann"), entry("bob"), entry("ann"), { api_key: "sk-1" }, { platform: "x" }])
  const imported = await home.run(["import", "in.json"])
  expect(imported.exitCode).toBe(0)
  expect(imported.stdout).toMatch(/SOURCE +FORMAT +ADDED +UPDATED +UNCHANGED +REFUSED\nin\.json +flat +3 +0 +1 +1\n/)
  expect(imported.stdout).toContain(`now in the data folder ${home.dataDir};`)
  expect(imported.stderr).toStartWith('refused: in.json, entry 5: needs "access_token"')
  const listed = await home.run(["list"])
  expect(listed.exitCode).toBe(0)
  expect(listed.stdout).toMatch(/^ID +LABEL +PLAN +KIND +STATE +EXPIRES +REFRESHED +WHERE\n/)
  expect(listed.stdout).toMatch(
    /acc_[0-9a-f]{16} +an\*\*\*@example\.com +plus +sign-in +ready +in \d+ d +- +database\n/,
  )
  const json = await home.run(["list", "--json"])
  expect(JSON.parse(json.stdout).accounts).toHaveLength(3)
  for (const said of [imported, listed, json]) expect(said.stdout + said.stderr).not.toMatch(SECRET)
  expect(json.stdout).not.toContain("ann@")
  expect((await home.run(["list", "--show-labels"])).stdout).toContain("ann@example.com")
})

test("what was imported is sealed in the data folder, readable for its owner alone, and in no file of auth-dir", async () => {
  await withAnnAndBob()
  expect(existsSync(home.authDir)).toBe(false)
  for (const name of readdirSync(home.dataDir)) {
    const path = join(home.dataDir, name)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(readFileSync(path, "latin1")).not.toMatch(/rt_ann|eyJ/)
  }
})

test("--dry-run takes nothing in and --json tells every entry", async () => {
  home.put("in.txt", `rt_1\nrt_1\nsk-ant-1\n`)
  const { exitCode, stdout } = await home.run(["import", "in.txt", "--dry-run", "--json"])
  const report = JSON.parse(stdout)
  expect([exitCode, report.dry_run, report.counts]).toEqual([
    0,
    true,
    { added: 1, updated: 0, unchanged: 1, refused: 1 },
  ])
  expect(report.results[2].reason).toBe("is a token of Anthropic: other services are not served")
  expect((await home.json("list")).total).toBe(0)
})

test("a folder is taken in file by file; a broken one is named and does not stop the others", async () => {
  mkdirSync(join(home.cwd, "many"))
  home.put("many/a.json", { tokens: entry("ann") })
  home.put("many/b.json", '{"access_token":')
  home.put("many/c.txt", "rt_c")
  writeFileSync(join(home.cwd, "many/d.txt"), Buffer.from("rt_d", "utf16le").fill(0xff, 1, 2))
  home.put("many/readme.md", "no")
  const { exitCode, stdout, stderr } = await home.run(["import", "many"])
  expect(exitCode).toBe(0)
  expect(stdout).toMatch(/a\.json +codex-auth +1[\s\S]*b\.json +- +0 +0 +0 +1\n[\s\S]*all +2 +0 +0 +2/)
  expect(stderr).toContain("refused: b.json: not complete JSON")
  expect(stderr).toContain("refused: d.txt: is not UTF-8 text")
})

test("files of one name in two folders are told apart, and one that is named twice is read once", async () => {
  for (const name of ["one", "two"]) {
    mkdirSync(join(home.cwd, name))
    home.put(`${name}/auth.json`, { tokens: entry(name) })
  }
  const { sources } = await home.json("import", "one", "two", "one/auth.json")
  expect(sources.map((source: { name: string }) => source.name)).toEqual([
    join(home.cwd, "one/auth.json"),
    join(home.cwd, "two/auth.json"),
  ])
})

test("an import of which nothing could be taken is exit code 1", async () => {
  home.put("in.txt", "hello")
  expect((await home.run(["import", "in.txt"])).exitCode).toBe(1)
  expect((await home.run(["import", "in.txt", "--format", "refresh-tokens"])).exitCode).toBe(0)
})

test("a file that is not there is named, and an empty folder says what is read", async () => {
  expect(await home.run(["import", "gone.json"])).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/gone\.json cannot be read \(ENOENT\)/),
  })
  mkdirSync(join(home.cwd, "empty"))
  expect((await home.run(["import", "empty"])).stderr).toContain("end in .json, .jsonl, .ndjson and .txt")
  expect(existsSync(home.dataDir)).toBe(false)
})

test("a fresher token updates the account, in its file where it lives in one", async () => {
  mkdirSync(home.authDir)
  home.put("auths/ann.json", { ...entry("ann", 1_700_000_000), remark: "kept" })
  home.put("in.json", { ...entry("ann", 1_800_000_000), refresh_token: "rt_ann_new" })
  expect((await home.json("import", "in.json")).counts).toMatchObject({ updated: 1, added: 0 })
  const written = JSON.parse(readFileSync(join(home.authDir, "ann.json"), "utf8"))
  expect(written).toMatchObject({ refresh_token: "rt_ann_new", remark: "kept" })
  expect((await home.json("list")).accounts).toMatchObject([{ source: { type: "file", file: "ann.json" } }])
})

test("add takes tokens from a pipe, from a file and from the keyboard, with a label and tags", async () => {
  const tagged = ["--label", "mine", "--tag", "eu", "--tag", "paid,team"]
  expect((await home.run(["add", ...tagged], inputOf("rt_1\r\nrt_2\n"))).stdout).toMatch(/standard input +tokens +2 /)
  expect((await home.json("list", "--tag", "paid")).accounts).toMatchObject([
    { tags: ["eu", "paid", "team"] },
    { tags: ["eu", "paid", "team"] },
  ])
  home.put("more.txt", "anything\n")
  expect((await home.json("add", "more.txt", "--format", "refresh-tokens")).counts.added).toBe(1)
  const typed = await home.run(
    ["add"],
    keyboard("rt_", "3x\u007f\r", "\u001b[200~rt_4\u001b[201~\n", "\r", "rt_late\r"),
  )
  expect(typed.stdout).toMatch(/keyboard +tokens +2 /)
  expect(typed.stderr).toContain("token 1: 4 characters\ntoken 2: 4 characters\n")
  expect(typed.stderr + typed.stdout).not.toMatch(SECRET)
  const tokens = (await home.run(["export", "--format", "refresh-tokens"])).stdout.trim().split("\n").sort()
  expect(tokens).toEqual(["anything", "rt_1", "rt_2", "rt_3", "rt_4"])
})

test("Ctrl-C at the keyboard, and a signal while standard input is read, add nothing", async () => {
  expect(await home.run(["add"], keyboard("rt_1\r\u0003"))).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining("cancelled"),
  })
  const stop = new AbortController()
  const endless = { isTerminal: false, text: () => new Promise<string>(() => {}), keys: keyboard().stdin.keys }
  const running = home.run(["import", "-"], { stdin: endless, signal: stop.signal })
  stop.abort("SIGINT")
  expect(await running).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("cancelled") })
  expect((await home.json("list")).total).toBe(0)
})

test("a signal in the middle of an import ends it in order, and the folder is free afterwards", async () => {
  const lines = Array.from({ length: 3000 }, (_, index) => JSON.stringify(entry(`user${index}`)))
  home.put("in.ndjson", lines.join("\n"))
  const stop = new AbortController()
  // The text is read before the way is opened, so the signal meets the import itself.
  const running = home.run(["import", "in.ndjson"], { signal: stop.signal })
  while (!existsSync(join(home.dataDir, "core.db"))) await Bun.sleep(1)
  stop.abort("SIGINT")
  expect(await running).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("cancelled") })
  expect((await home.json("import", "in.ndjson")).counts.refused).toBe(0)
  expect((await home.json("list")).total).toBe(3000)
})

test("without its key the data folder is refused, named, and no other key is made", async () => {
  await withAnnAndBob()
  const keyFile = join(home.dataDir, "master.key")
  const { store, key } = await openStore(home.dataDir, fileKeySlots(keyFile))
  store.close()
  renameSync(keyFile, `${keyFile}.away`)
  const { exitCode, stderr } = await home.run(["list"])
  expect(exitCode).toBe(1)
  expect(stderr).toContain(`needs the master key ${key.id}`)
  expect(existsSync(keyFile)).toBe(false)
})

test("a data folder that another command is at work in is waited for", async () => {
  await withAnnAndBob()
  const { store } = await openStore(home.dataDir, fileKeySlots(join(home.dataDir, "master.key")))
  const waiting = home.json("list")
  const first = await Promise.race([waiting, Bun.sleep(300).then(() => "still waiting")])
  store.close()
  expect(first).toBe("still waiting")
  expect((await waiting).total).toBe(2)
})

test("a data folder whose owner serves nowhere is named with its process", async () => {
  await withAnnAndBob()
  const { store } = await openStore(home.dataDir, fileKeySlots(join(home.dataDir, "master.key")))
  const { exitCode, stderr } = await home.run(["list"])
  store.close()
  expect(exitCode).toBe(1)
  expect(stderr).toContain(`is in use by process ${process.pid}, which serves nowhere yet`)
  expect(stderr).toContain("Try again in a moment.")
}, 20_000)

test("export writes a file for this user alone and never over another; a terminal gets no secrets", async () => {
  home.put("in.json", entry("ann"))
  await home.run(["import", "in.json"])
  const refused = await home.run(["export"], { isTerminal: true })
  expect([refused.exitCode, refused.stdout]).toEqual([2, ""])
  const shown = await home.run(["export", "--show-secrets"], { isTerminal: true })
  expect(JSON.parse(shown.stdout)[0].refresh_token).toBe("rt_ann")
  const written = await home.run(["export", "ann@example.com", "--format", "codex-auth", "--out", "out.json", "--json"])
  expect(JSON.parse(written.stdout)).toMatchObject({ format: "codex-auth", count: 1 })
  expect(written.stdout + written.stderr).not.toMatch(SECRET)
  expect(statSync(join(home.cwd, "out.json")).mode & 0o777).toBe(0o600)
  expect(JSON.parse(readFileSync(join(home.cwd, "out.json"), "utf8")).tokens.refresh_token).toBe("rt_ann")
  expect((await home.run(["export", "--out", "out.json"])).exitCode).toBe(1)
  expect(JSON.parse(readFileSync(join(home.cwd, "out.json"), "utf8")).tokens.refresh_token).toBe("rt_ann")
})

test("an account that fits no format is named and left out, and nothing to export is exit code 1", async () => {
  home.put("in.json", [entry("ann"), { api_key: "sk-1" }])
  await home.run(["import", "in.json"])
  const exported = await home.run(["export", "--format", "refresh-tokens"])
  expect(exported).toMatchObject({ exitCode: 0, stdout: "rt_ann\n" })
  expect(exported.stderr).toMatch(/left out: acc_[0-9a-f]{16}: an API key has no place in this format/)
  await home.run(["remove", "ann@example.com", "--yes"])
  expect(await home.run(["export", "--format", "refresh-tokens"])).toMatchObject({
    exitCode: 1,
    stdout: "",
    stderr: expect.stringContaining("there is nothing to export"),
  })
})

test("remove needs --yes, and takes only the one entry out of a file that holds others", async () => {
  mkdirSync(home.authDir)
  home.put("auths/both.json", [entry("ann"), entry("bob"), 7])
  home.put("auths/twice.json", entry("ann"))
  const looked = await home.run(["remove", "ann@example.com"])
  expect([looked.exitCode, readdirSync(home.authDir).length]).toEqual([2, 2])
  expect(looked.stderr).toContain("`sluice accounts archive` takes it out of use")
  const planned = await home.run(["remove", "ann@example.com", "--dry-run"])
  expect([planned.exitCode, planned.stdout]).toEqual([0, expect.stringContaining("would be deleted from")])
  const removed = await home.run(["remove", "ann@example.com", "--yes"])
  expect(removed.exitCode).toBe(0)
  expect(removed.stdout).toMatch(/entry removed[\s\S]*file deleted|file deleted[\s\S]*entry removed/)
  expect(readdirSync(home.authDir)).toEqual(["both.json"])
  expect(JSON.parse(readFileSync(join(home.authDir, "both.json"), "utf8"))).toEqual([entry("bob"), 7])
})

test("a file that cannot be rewritten is named, and the account it holds stays", async () => {
  mkdirSync(home.authDir)
  // The longest name there is: nothing can be written beside it, as in a folder that is read-only.
  const name = `${"x".repeat(250)}.json`
  home.put(`auths/${name}`, [entry("ann"), entry("bob")])
  const { exitCode, stderr } = await home.run(["remove", "ann@example.com", "--yes"])
  expect(exitCode).toBe(1)
  expect(stderr).toContain(`${name} cannot be changed (ENAMETOOLONG).\n  Let Sluice's user write`)
  expect((await home.json("list")).total).toBe(2)
})

test("remove takes an account out of the database for good, and one wrong name removes nothing", async () => {
  await withAnnAndBob()
  const wrong = await home.run(["remove", "ann@example.com", "anna@example.com", "--yes"])
  expect(wrong.exitCode).toBe(1)
  expect(wrong.stderr).toMatch(
    /There is no account "an\*\*\*@example\.com"\.\n {2}Did you mean acc_[0-9a-f]{16}, an\*\*\*/,
  )
  expect((await home.json("list")).total).toBe(2)
  expect((await home.run(["remove", "ann@example.com", "--yes"])).stdout).toContain("deleted from the database")
  expect((await home.json("list")).total).toBe(1)
  expect((await home.json("list", "--archived")).total).toBe(0)
})

test("an account is named, noted, tagged, paused, enabled, archived and restored", async () => {
  const id = await withAnnAndBob()
  expect((await home.run(["set", id, "--label", "first", "--note", "paid", "--tag", "eu"])).exitCode).toBe(0)
  const shown = await home.run(["show", "first"])
  expect(shown.stdout).toMatch(/label +fir\*\*\*\ne-mail +an\*\*\*@example\.com\nplan +plus\n/)
  expect(shown.stdout).toMatch(/tags +eu\nnote +paid\n/)
  expect((await home.json("list", "--tag", "eu", "--search", "PAID")).accounts).toMatchObject([{ id }])
  expect((await home.run(["pause", "first"])).stdout).toBe(`${id} fir***: paused; paused now\n`)
  expect((await home.json("list", "--state", "paused")).accounts).toMatchObject([{ id, enabled: false }])
  expect((await home.run(["enable", "--all"])).stdout).toContain(`${id} fir***: enabled; ready now\n`)
  expect((await home.run(["archive", "first"])).stdout).toBe(`${id} fir***: archived; archived now\n`)
  expect((await home.json("list")).total).toBe(1)
  expect((await home.json("list", "--archived")).accounts).toMatchObject([{ id, state: "archived" }])
  expect((await home.run(["restore", "first"])).stdout).toContain("restored; ready now")
  await home.run(["set", id, "--label", "", "--note", "", "--tag", ""])
  expect((await home.json("show", "ann@example.com", "--show-labels")).accounts).toMatchObject([
    { id, label: "ann@example.com", note: null, tags: [] },
  ])
})

test("importing an account that is in the recycle bin takes it out", async () => {
  const id = await withAnnAndBob()
  await home.run(["archive", id])
  const { stdout } = await home.run(["import", "in.json"])
  expect(stdout).toContain("1 came back from the recycle bin\n")
  expect((await home.json("list")).total).toBe(2)
})

test("a file that cannot be read is told by the list, which shows the others", async () => {
  mkdirSync(home.authDir)
  home.put("auths/ann.json", entry("ann"))
  home.put("auths/twice.json", entry("ann"))
  home.put("auths/broken.json", "{")
  const { exitCode, stdout, stderr } = await home.run(["list"])
  expect([exitCode, stdout]).toEqual([0, expect.stringContaining("ann.json")])
  expect(stderr).toMatch(/not readable: \S+broken\.json: /)
  expect(stderr).toMatch(/twice: acc_[0-9a-f]{16} is in \S+ too; \S+ is newer and counts/)
})

test("an empty pool says how accounts come in", async () => {
  expect((await home.run(["list"])).stdout).toContain("`sluice login` signs one in")
})

test.each([
  [["import", "--formt", "x"], 'did you mean "--format"'],
  [["import", "x", "--format", "sub2apl"], 'did you mean "sub2api"'],
  [["export", "--format", "tokens"], "--format"],
  [["lst"], 'did you mean "list"'],
  [[], "expected list, show, add, import, export, set, pause"],
  [["import"], "import needs a file"],
  [["remove"], "remove needs an account"],
  [["list", "--state", "redy"], 'did you mean "ready"'],
  [["list", "ann"], "list takes no account"],
  [["set", "ann"], "set needs --label, --note or --tag"],
  [["pause"], "pause needs an account"],
  [["pause", "ann", "--all"], "pause takes names or --all, not both"],
  [["archive", "--all"], "unknown flag"],
  [["test"], "test needs an account"],
  [["add", "rt_1", "rt_2"], "tokens are never arguments"],
  [["add", "x", "--format", "sub2api"], "--format"],
])("%j is wrong usage, says what was meant, and opens nothing", async (args, said) => {
  const { exitCode, stderr } = await home.run(args)
  expect(exitCode).toBe(2)
  expect(stderr).toContain(said)
  expect(existsSync(home.dataDir)).toBe(false)
})

test("an unknown account is exit code 1 and says where names are", async () => {
  for (const verb of ["show", "pause", "refresh", "test", "archive"]) {
    const { exitCode, stderr } = await home.run([verb, "zoe@example.com"])
    expect([verb, exitCode]).toEqual([verb, 1])
    expect(stderr).toContain('There is no account "zo***@example.com".\n  `sluice accounts list` shows ids and names')
  }
})

test("every verb has a help of its own that names its flags", async () => {
  const verbs = ["list", "show", "add", "import", "export", "set", "pause", "enable", "archive", "restore", "reset"]
  for (const verb of [...verbs, "refresh", "test", "remove"]) {
    const { exitCode, stdout } = await home.run([verb, "--help"])
    expect([exitCode, stdout.split("\n")[0]]).toEqual([0, expect.stringContaining(`sluice accounts ${verb} `)])
    expect(stdout).toContain("--gateway URL")
  }
  expect((await home.run(["--help"])).stdout).toContain("sluice accounts remove ACCOUNT")
})

test.each([
  [10_800, "in 3 h"],
  [-180_000, "2 d ago"],
  [59, "in 59 s"],
  [0, "in 0 s"],
])("%d seconds are %s", (seconds, text) => {
  expect(relativeTime(seconds)).toBe(text)
})

test("the program reads standard input and writes an export into a pipe", () => {
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

test("a bare refresh token is listed as new until its first refresh", async () => {
  home.put("token.txt", "rt_bare_token_1")
  expect((await home.run(["add", "token.txt"])).exitCode).toBe(0)
  const { stdout } = await home.run(["list"])
  expect(stdout).toMatch(/acc_[0-9a-f]{16} .* sign-in +new +unknown/)
})
