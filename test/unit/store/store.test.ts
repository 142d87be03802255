/** The store: one owner, whole migrations, durable credentials, and no damaged file ever written over. */

import { Database } from "bun:sqlite"
import { afterEach, beforeEach, expect, test } from "bun:test"
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import type { AccountId } from "#core/ids.ts"
import type { Block } from "#core/outcome.ts"
import { inDurableTransaction, openCoreDatabase } from "#store/core-database.ts"
import type { CredentialRow } from "#store/credentials.ts"
import { CORE_MIGRATIONS, migrate } from "#store/migrations.ts"
import { makeStore, type Store } from "#store/store.ts"

let home: string
let path: string
let store: Store | undefined

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "store-test-"))
  path = join(home, "data", "core.db")
})

afterEach(() => {
  store?.close()
  store = undefined
  rmSync(home, { recursive: true, force: true })
})

function open(): Store {
  store = makeStore({ path, pid: process.pid })
  return store
}

function close(): void {
  store?.close()
  store = undefined
}

const ID = "acc_0123456789abcdef" as AccountId

function rowOf(generation: number, changes: Partial<CredentialRow> = {}): CredentialRow {
  return {
    accountId: ID,
    fingerprint: `fp${generation}`,
    secretJson: `{"generation":${generation}}`,
    generation,
    previousFingerprint: `fp${generation - 1}`,
    previousSecretJson: "{}",
    previousAtMs: generation * 1000,
    updatedAtMs: generation * 1000,
    ...changes,
  }
}

test("directory and files belong to this user alone", () => {
  open().writeMeta("a", "b")
  expect(statSync(join(home, "data")).mode & 0o777).toBe(0o700)
  for (const suffix of ["", "-wal", "-shm"]) expect(statSync(path + suffix).mode & 0o777).toBe(0o600)
})

test("a second owner is refused and told the process and the directory of the first", async () => {
  open()
  expect(() => makeStore({ path, pid: 1 })).toThrow(`${join(home, "data")} is in use by process ${process.pid}.`)
  const code = `import { makeStore } from "#store/store.ts"
    try { makeStore({ path: ${JSON.stringify(path)}, pid: process.pid }); console.log("opened") }
    catch (error) { console.log(error.kind, error.message) }`
  const other = Bun.spawn([process.execPath, "-e", code], { cwd: join(import.meta.dir, "../../.."), stderr: "inherit" })
  expect(await new Response(other.stdout).text()).toBe(
    `internal ${join(home, "data")} is in use by process ${process.pid}.\n`,
  )
})

test("an owner that is killed leaves the directory to the next one", async () => {
  const code = `import { makeStore } from "#store/store.ts"
    // Held like this, because collecting the store would close it and let the lock go.
    globalThis.store = makeStore({ path: ${JSON.stringify(path)}, pid: process.pid })
    globalThis.store.writeMeta("who", "first"); console.log("ready"); setInterval(() => {}, 1000)`
  const owner = Bun.spawn([process.execPath, "-e", code], { cwd: join(import.meta.dir, "../../.."), stderr: "inherit" })
  try {
    await owner.stdout.getReader().read()
    expect(() => makeStore({ path, pid: 1 })).toThrow(`in use by process ${owner.pid}`)
  } finally {
    owner.kill("SIGKILL")
    await owner.exited
  }
  expect(open().readMeta("who")).toBe("first")
})

test("a closed store can be opened again", () => {
  open().writeMeta("key", "value")
  close()
  expect(open().readMeta("key")).toBe("value")
})

test("other programs may read the database while it is owned", () => {
  open().writeMeta("key", "value")
  const reader = new Database(path, { readonly: true })
  expect(reader.query("select value from meta").get()).toEqual({ value: "value" })
  reader.close()
})

test.each([
  [
    "is no database",
    (file: string) => writeFileSync(file, "not a database at all, but long enough to look at\n".repeat(100)),
  ],
  ["has a damaged page", (file: string) => writeFileSync(file, readFileSync(file).fill(0xab, 4096, 12_288))],
  ["was cut short", (file: string) => truncateSync(file, 8192)],
  ["is empty", (file: string) => truncateSync(file, 0)],
])("fault 64: a file that %s is refused by name and left as it is", (_name, damage) => {
  open().commitCredentials([rowOf(1)])
  close()
  damage(path)
  const before = readFileSync(path)
  let message = ""
  try {
    open()
  } catch (error) {
    message = String(error)
  }
  expect(message).toContain(`${path} is damaged`)
  expect(readFileSync(path).equals(before)).toBe(true)
  // The refusal must not keep the lock.
  rmSync(path)
  open()
})

test("fault 64: a lost main file beside a log with committed rows is not replaced by an empty one", () => {
  mkdirSync(join(home, "data"))
  writeFileSync(`${path}-wal`, "committed rows")
  expect(() => open()).toThrow("only its -wal file is left")
  expect(readFileSync(`${path}-wal`, "utf8")).toBe("committed rows")
  expect(existsSync(path)).toBe(false)
})

test("fault 67: a migration that fails half-way leaves the tables and the version from before", () => {
  const database = openCoreDatabase(path)
  const version = CORE_MIGRATIONS.length + 1
  const broken = { version, sql: "create table added (a text) strict; insert into nowhere values (1);" }
  expect(() => migrate(database, [...CORE_MIGRATIONS, broken])).toThrow()
  expect(database.query("select name from sqlite_schema where name = 'added'").all()).toEqual([])
  expect(database.query("pragma user_version").get()).toEqual({ user_version: version - 1 })
  migrate(database, [...CORE_MIGRATIONS, { version, sql: "create table added (a text) strict" }])
  expect(database.query("pragma user_version").get()).toEqual({ user_version: version })
  database.close()
})

test("fault 67: a migration whose process is killed half-way leaves the tables and the version from before", async () => {
  const database = openCoreDatabase(path)
  const version = CORE_MIGRATIONS.length + 1
  database.close()
  // Thousands of pages: more than the cache holds, so that half of the migration is on the disk when the kill comes.
  const sql = `create table added (a text) strict;
    insert into added with recursive n(i) as (select 1 union all select i + 1 from n where i < 5000)
      select hex(randomblob(20000)) from n;`
  const code = `import { Database } from "bun:sqlite"
    import { CORE_MIGRATIONS, migrate } from "#store/migrations.ts"
    const database = new Database(${JSON.stringify(path)})
    database.run("pragma cache_size = 10")
    console.log("migrating")
    migrate(database, [...CORE_MIGRATIONS, { version: ${version}, sql: ${JSON.stringify(sql)} }])
    console.log("done")`
  const child = Bun.spawn([process.execPath, "-e", code], { cwd: join(import.meta.dir, "../../.."), stdout: "pipe" })
  const isHalfWay = () => existsSync(`${path}-wal`) && statSync(`${path}-wal`).size > 1_000_000
  while (!isHalfWay() && child.exitCode === null) await Bun.sleep(1)
  child.kill("SIGKILL")
  expect(await new Response(child.stdout).text()).toBe("migrating\n")
  const after = openCoreDatabase(path)
  expect(after.query("pragma user_version").get()).toEqual({ user_version: version - 1 })
  expect(after.query("select name from sqlite_schema where name like 'added%'").all()).toEqual([])
  expect(after.query("pragma integrity_check").get()).toEqual({ integrity_check: "ok" })
  after.close()
})

test("fault 65: a reader that holds an old state stops no writer, and the write-ahead log is given back after it", () => {
  const written = open()
  const reader = new Database(path, { readonly: true })
  reader.run("begin")
  expect(reader.query<{ count: number }, []>("select count(*) as count from bindings").get()?.count).toBe(0)
  // A minute of what is written behind: every five seconds a thousand bindings of each kind, and every account's state.
  for (let round = 0; round < 12; round += 1) {
    for (const kind of ["conversations", "turnStates", "blobs"]) {
      const rows = Array.from({ length: 1_000 }, (_, index) => ({
        key: index * 7_919 * (round + 1),
        accountId: ID,
        usedAtMs: round,
      }))
      written.saveBindings(kind, rows)
    }
    const states = Array.from({ length: 1_000 }, (_, index) => ({
      accountId: `acc_${index}` as AccountId,
      json: "x".repeat(400),
      updatedAtMs: round,
    }))
    written.saveHealth(states)
    written.saveQuota(states)
  }
  written.commitCredentials([rowOf(1)])
  expect(reader.query<{ count: number }, []>("select count(*) as count from bindings").get()?.count).toBe(0)
  expect(statSync(`${path}-wal`).size).toBeLessThan(128 * 1024 * 1024)
  reader.run("rollback")
  reader.close()
  // The first change after the reader moves everything over, the next one begins the log anew and cuts it.
  for (let round = 0; round < 3; round += 1) written.writeMeta("round", String(round))
  expect(statSync(`${path}-wal`).size).toBeLessThanOrEqual(8 * 1024 * 1024)
})

test("a database of a newer version is refused", () => {
  const database = openCoreDatabase(path)
  database.run("pragma user_version = 99")
  database.close()
  expect(() => open()).toThrow(`newer version (99 > ${CORE_MIGRATIONS.length})`)
})

test("migrations are numbered without gaps", () => {
  expect(CORE_MIGRATIONS.map(migration => migration.version)).toEqual(CORE_MIGRATIONS.map((_, index) => index + 1))
})

test("a durable transaction syncs fully, and the connection goes back to its usual pace", () => {
  const database = openCoreDatabase(path)
  const levels: unknown[] = []
  inDurableTransaction(database, () => {
    levels.push(database.query("pragma synchronous").get())
  })
  levels.push(database.query("pragma synchronous").get())
  expect(() =>
    inDurableTransaction(database, () => {
      throw new Error("change failed")
    }),
  ).toThrow("change failed")
  levels.push(database.query("pragma synchronous").get())
  expect(levels).toEqual([{ synchronous: 2 }, { synchronous: 1 }, { synchronous: 1 }])
  database.close()
})

test("a credential is found by account, by its own and by its predecessor's fingerprint", () => {
  const { commitCredentials, readCredential, findCredentials } = open()
  commitCredentials([rowOf(3)])
  expect(readCredential(ID)).toEqual(rowOf(3))
  expect(findCredentials("fp3")).toEqual([rowOf(3)])
  expect(findCredentials("fp2")).toEqual([rowOf(3)])
  expect(findCredentials("fp1")).toEqual([])
  expect(readCredential("acc_none" as AccountId)).toBeUndefined()
})

test("a commit ends its intent, and an older generation never replaces a newer one", () => {
  const { commitCredentials, readCredential, beginRefresh, listRefreshIntents } = open()
  beginRefresh({ fingerprint: "fp1", accountId: ID, generation: 1, startedAtMs: 5 })
  beginRefresh({ fingerprint: "other", accountId: ID, generation: 1, startedAtMs: 6 })
  commitCredentials([rowOf(2)])
  expect(listRefreshIntents().map(intent => intent.fingerprint)).toEqual(["other"])
  commitCredentials([rowOf(1)])
  expect(readCredential(ID)?.generation).toBe(2)
})

test("one row that fails takes the whole commit back", () => {
  const { commitCredentials, readCredential } = open()
  // The strict table refuses a fraction where a whole number belongs.
  expect(() => commitCredentials([rowOf(1), rowOf(2, { accountId: "acc_b" as AccountId, generation: 1.5 })])).toThrow()
  expect(readCredential(ID)).toBeUndefined()
})

test("replaced secrets are wiped after their time, their fingerprints stay", () => {
  const { commitCredentials, readCredential, wipePreviousCredentials } = open()
  commitCredentials([rowOf(2)])
  expect(wipePreviousCredentials(2000)).toBe(0)
  expect(wipePreviousCredentials(2001)).toBe(1)
  expect(readCredential(ID)).toMatchObject({
    previousSecretJson: null,
    previousFingerprint: "fp1",
    secretJson: rowOf(2).secretJson,
  })
})

const BLOCKS: readonly Block[] = [
  {
    scope: { type: "account" },
    cause: "quota",
    sinceMs: 1,
    untilMs: 100,
    evidenceAtMs: 1,
    detail: "usage_limit_reached",
  },
  {
    scope: { type: "model", model: "gpt-x" },
    cause: "model-unsupported",
    sinceMs: 1,
    untilMs: 200,
    evidenceAtMs: 1,
    detail: "plan",
  },
  {
    scope: { type: "bucket", bucket: "codex_x" },
    cause: "quota",
    sinceMs: 1,
    untilMs: 300,
    evidenceAtMs: 1,
    detail: "q",
  },
  { scope: { type: "egress" }, cause: "challenge", sinceMs: 1, untilMs: 400, evidenceAtMs: 1, detail: "html" },
]

test("blocks of every scope come back as they were, without those that ended", () => {
  const first = open()
  first.saveBlocks(ID, BLOCKS)
  close()
  const { listBlocks, saveBlocks, deleteEndedBlocks } = open()
  expect(listBlocks(150)).toEqual(BLOCKS.slice(1).map(block => ({ ...block, accountId: ID })))
  expect(deleteEndedBlocks(250)).toBe(2)
  saveBlocks(ID, [])
  expect(listBlocks(0)).toEqual([])
})

test("block rows of an unknown kind are left out instead of misread", () => {
  open().saveBlocks(ID, BLOCKS.slice(0, 1))
  const other = new Database(path)
  other.run("insert into scheduler_blocks values ('acc_x', 'planet', '', 'quota', 1, 999, 1, '')")
  other.run("insert into scheduler_blocks values ('acc_x', 'account', '', 'eclipse', 1, 999, 1, '')")
  other.close()
  expect(store?.listBlocks(0).map(block => block.accountId)).toEqual([ID])
})

test("a model list is kept per class of accounts with its tag", () => {
  const { saveModelList, listModelLists } = open()
  saveModelList({ listClass: "codex/plus", etag: null, listJson: "[1]", fetchedAtMs: 1 })
  saveModelList({ listClass: "codex/plus", etag: 'W/"2"', listJson: "[2]", fetchedAtMs: 2 })
  expect(listModelLists()).toEqual([{ listClass: "codex/plus", etag: 'W/"2"', listJson: "[2]", fetchedAtMs: 2 }])
})
