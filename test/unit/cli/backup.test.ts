/** Backup and restore: whole, checked before anything is touched, and what is replaced is kept. */

import { Database } from "bun:sqlite"
import { afterEach, beforeEach, expect, test } from "bun:test"
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs"
import { join } from "node:path"

import { runCommandLine } from "#cli/command-line.ts"

import { recordIo } from "../../support/command-io.ts"
import { type InProcessGateway, startInProcessGateway } from "../../support/in-process-gateway.ts"
import { entry, makeHome } from "./accounts/accounts-world.ts"

let home: ReturnType<typeof makeHome>

beforeEach(async () => {
  home = makeHome()
  home.put("two.json", [entry("ann"), entry("ben")])
  expect((await home.run(["import", "two.json"])).exitCode).toBe(0)
})

afterEach(() => home.remove())

async function command(...args: readonly string[]) {
  const recorded = recordIo({ env: home.env, cwd: home.cwd })
  const exitCode = await runCommandLine(args, recorded.io)
  return { exitCode, stdout: recorded.stdout(), stderr: recorded.stderr() }
}

const inHome = (name: string) => join(home.cwd, name)
const inData = (name: string) => join(home.dataDir, name)
const names = () => readdirSync(home.dataDir).sort()
const emails = async () => (await home.json("list")).accounts.map((one: { email: string }) => one.email).sort()

test("a backup brings back what was there, and what it replaces is kept", async () => {
  const before = await emails()
  expect(before).toHaveLength(2)
  const backup = await command("backup", "safe.db", "--json")
  expect(JSON.parse(backup.stdout)).toMatchObject({ file: inHome("safe.db"), accounts: 2, credentials: 2 })
  expect(statSync(inHome("safe.db")).mode & 0o777).toBe(0o600)
  const [{ id }] = (await home.json("list")).accounts
  expect((await home.run(["remove", id, "--yes"])).exitCode).toBe(0)
  expect(await emails()).toHaveLength(1)
  const replaced = readFileSync(inData("core.db"))
  const restored = await command("restore", "safe.db")
  expect(restored).toMatchObject({ exitCode: 0, stderr: "" })
  expect(restored.stdout).toContain("restored: 2 accounts of the database, 2 credentials")
  expect(await emails()).toEqual(before)
  const [aside = ""] = names().filter(name => name.startsWith("replaced-"))
  expect(readFileSync(join(inData(aside), "core.db")).equals(replaced)).toBe(true)
})

test("a backup does not write over a file, and leaves nothing behind when it fails", async () => {
  writeFileSync(inHome("mine.db"), "mine")
  const refused = await command("backup", "mine.db")
  expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("exists; it was left as it is") })
  expect(readFileSync(inHome("mine.db"), "utf8")).toBe("mine")
  const before = readdirSync(home.cwd)
  const nowhere = await command("backup", "no/such/folder/safe.db")
  expect(nowhere).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("cannot be written (ENOENT)") })
  expect(readdirSync(home.cwd)).toEqual(before)
  expect(names().filter(name => name.startsWith("backup-"))).toEqual([])
})

function cut(path: string): void {
  truncateSync(path, statSync(path).size - 8_192)
}

function otherProgram(path: string): void {
  rmSync(path)
  using database = new Database(path, { create: true })
  database.run("create table meta (key text) strict")
}

function makeNewer(path: string): void {
  using database = new Database(path)
  database.run("pragma user_version = 99")
}

test.each([
  ["is not there", (path: string) => rmSync(path), "there is no such file"],
  ["is empty", (path: string) => truncateSync(path, 0), "it is empty"],
  ["is no database", (path: string) => writeFileSync(path, "x".repeat(9_000)), "not a database"],
  ["was cut off", cut, "malformed"],
  ["is damaged", (path: string) => writeFileSync(path, readFileSync(path).fill(0xab, 4_096, 24_576)), ""],
  ["belongs to another program", otherProgram, "another program"],
  ["is of a newer version", makeNewer, "newer version"],
  ["was copied from a database in use", (path: string) => writeFileSync(`${path}-wal`, "frames"), "write-ahead log"],
])("a backup that %s is refused, and the folder is not touched", async (_, damage, reason) => {
  expect((await command("backup", "safe.db")).exitCode).toBe(0)
  damage(inHome("safe.db"))
  const [files, database] = [names(), readFileSync(inData("core.db"))]
  const refused = await command("restore", "safe.db")
  expect(refused.exitCode).toBe(1)
  expect(refused.stderr).toContain("safe.db cannot be used as a backup")
  expect(refused.stderr).toContain(reason)
  expect(names()).toEqual(files)
  expect(readFileSync(inData("core.db")).equals(database)).toBe(true)
})

test("fault 68: a backup of another master key is refused, and neither database nor key is touched", async () => {
  expect((await command("backup", "safe.db")).exitCode).toBe(0)
  expect((await command("keys", "rotate-master")).exitCode).toBe(0)
  rmSync(inData("master.key.old"), { force: true })
  const [files, database, key] = [names(), readFileSync(inData("core.db")), readFileSync(inData("master.key"))]
  const refused = await command("restore", "safe.db")
  expect(refused.exitCode).toBe(1)
  expect(refused.stderr).toMatch(/needs the master key \w+, and .*master\.key.* holds \w+/)
  expect(names()).toEqual(files)
  expect(readFileSync(inData("core.db")).equals(database)).toBe(true)
  expect(readFileSync(inData("master.key")).equals(key)).toBe(true)
})

test("fault 64: a damaged database is left alone until a backup takes its place", async () => {
  expect((await command("backup", "safe.db")).exitCode).toBe(0)
  writeFileSync(inData("core.db"), "this is no database, whatever its name says".repeat(200))
  for (const suffix of ["-wal", "-shm"]) rmSync(inData(`core.db${suffix}`), { force: true })
  const damaged = readFileSync(inData("core.db"))
  const refused = await home.run(["list"])
  expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("sluice restore FILE") })
  expect(readFileSync(inData("core.db")).equals(damaged)).toBe(true)
  expect((await command("restore", "safe.db")).exitCode).toBe(0)
  expect(await emails()).toHaveLength(2)
  const [aside = ""] = names().filter(name => name.startsWith("replaced-"))
  expect(readFileSync(join(inData(aside), "core.db")).equals(damaged)).toBe(true)
})

test.each([
  ["before the old files were moved", () => {}],
  [
    "after the old files were moved",
    () => {
      mkdirSync(inData("replaced-before"))
      renameSync(inData("core.db"), join(inData("replaced-before"), "core.db"))
    },
  ],
])("a restore that was killed %s is finished by the next start", async (_, moved) => {
  expect((await command("backup", "safe.db")).exitCode).toBe(0)
  const [{ id }] = (await home.json("list")).accounts
  await home.run(["remove", id, "--yes"])
  copyFileSync(inHome("safe.db"), inData("core.db.restoring"))
  moved()
  expect(await emails()).toHaveLength(2)
  expect(existsSync(inData("core.db.restoring"))).toBe(false)
})

test("a restore that was killed while it copied changes nothing", async () => {
  writeFileSync(inData("core.db.restoring.part"), "half of it")
  expect(await emails()).toHaveLength(2)
})

async function withGateway(run: (gateway: InProcessGateway) => Promise<void>): Promise<void> {
  const gateway = await startInProcessGateway({ accounts: 2, files: 2 })
  try {
    await run(gateway)
  } finally {
    await gateway.stop()
  }
}

test("a gateway that runs hands a backup out while it serves, and the copy is as good as one of its folder", async () => {
  await withGateway(async gateway => {
    const made = await command("backup", "running.db", "--gateway", gateway.url)
    expect(made).toMatchObject({ exitCode: 0, stderr: "" })
    expect(made.stdout).toContain("It opens with the master key")
    using database = new Database(inHome("running.db"), { readonly: true })
    expect(database.query("pragma integrity_check").get()).toEqual({ integrity_check: "ok" })
    expect(readdirSync(join(gateway.folder, "data")).filter(name => name.startsWith("backup-"))).toEqual([])
  })
})
