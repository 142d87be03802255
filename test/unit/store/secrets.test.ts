/** Replacing all secrets at once, looking without touching, and lock files that nobody else may read. */

import { Database } from "bun:sqlite"
import { afterEach, beforeEach, expect, test } from "bun:test"
import { chmodSync, copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import type { AccountId } from "#core/ids.ts"
import { peekMeta } from "#store/peek-meta.ts"
import { makeStore, type Store } from "#store/store.ts"

let home: string
let path: string
let store: Store

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "store-secrets-"))
  path = join(home, "core.db")
  store = makeStore({ path, pid: process.pid })
})

afterEach(() => {
  store.close()
  rmSync(home, { recursive: true, force: true })
})

/** As an earlier version wrote it; long enough to fill pages of its own. */
function commitClear(id: string): void {
  store.commitCredentials([
    {
      accountId: id as AccountId,
      fingerprint: `fp-${id}`,
      secretJson: JSON.stringify({ refreshToken: `clear-${id}`, accessToken: "x".repeat(6000) }),
      generation: 1,
      previousFingerprint: null,
      previousSecretJson: null,
      previousAtMs: null,
      updatedAtMs: 1,
    },
  ])
}

const bytesOf = (directory: string) =>
  Buffer.concat(readdirSync(directory).map(name => readFileSync(join(directory, name))))

test("replaced secrets are gone from the database and its log, not only from the rows", () => {
  for (let count = 0; count < 20; count += 1) commitClear(`acc_${count}`)
  expect(bytesOf(home).includes("clear-acc_")).toBe(true)
  const rows = store.listClearSecrets()
  expect(rows).toHaveLength(20)
  store.replaceSecrets(
    rows.map(row => ({ ...row, secretJson: "v1:sealed" })),
    { "master-key-id": "0123abcd" },
  )
  expect(bytesOf(home).includes("clear-acc_")).toBe(false)
  expect(store.listClearSecrets()).toEqual([])
  expect(new Set(store.listSecrets().map(row => row.secretJson))).toEqual(new Set(["v1:sealed"]))
  expect(store.readMeta("master-key-id")).toBe("0123abcd")
})

test("one row that fails leaves every secret and every named value as it was", () => {
  commitClear("acc_a")
  commitClear("acc_b")
  const rows = store.listSecrets()
  // The strict table refuses a missing secret.
  const broken = rows.map((row, index) => ({ ...row, secretJson: index === 0 ? "v1:x" : (null as unknown as string) }))
  expect(() => store.replaceSecrets(broken, { "master-key-id": "0123abcd" })).toThrow()
  expect(store.listSecrets()).toEqual(rows)
  expect(store.readMeta("master-key-id")).toBeUndefined()
})

test("a wiping that a crash prevented is made up for at the next start", () => {
  commitClear("acc_a")
  store.writeMeta("wipe-pending", "1")
  store.close()
  store = makeStore({ path, pid: process.pid })
  expect(store.readMeta("wipe-pending")).toBeUndefined()
})

test("a look at a closed database changes and leaves nothing", () => {
  store.writeMeta("master-key-id", "0123abcd")
  store.close()
  const before = readdirSync(home).map(name => [name, readFileSync(join(home, name)).toString("base64")])
  expect(peekMeta(path, ["master-key-id", "other"])).toEqual(new Map([["master-key-id", "0123abcd"]]))
  expect(readdirSync(home).map(name => [name, readFileSync(join(home, name)).toString("base64")])).toEqual(before)
  store = makeStore({ path, pid: process.pid })
})

test("a look after a crash sees what only the log holds, and changes neither file", () => {
  store.writeMeta("master-key-id", "0123abcd")
  const crashed = join(home, "crashed.db")
  for (const suffix of ["", "-wal"]) copyFileSync(path + suffix, crashed + suffix)
  const before = ["", "-wal"].map(suffix => readFileSync(crashed + suffix).toString("base64"))
  expect(peekMeta(crashed, ["master-key-id"]).get("master-key-id")).toBe("0123abcd")
  expect(["", "-wal"].map(suffix => readFileSync(crashed + suffix).toString("base64"))).toEqual(before)
})

test("a look at a database without tables, and at none, finds nothing and makes nothing", () => {
  const empty = join(home, "with # and %.db")
  const database = new Database(empty)
  database.run("pragma user_version = 0")
  database.run("vacuum")
  database.close()
  const missing = join(home, "missing.db")
  expect(peekMeta(missing, ["a"]).size).toBe(0)
  expect(existsSync(missing)).toBe(false)
  if (statSync(empty).size > 0) expect(peekMeta(empty, ["a"]).size).toBe(0)
})

test("the lock's files belong to this user alone, also those an earlier version left open to others", () => {
  const files = ["core.lock", "core.lock-journal", "core.owner"].map(name => join(home, name))
  const modes = () => files.map(file => (existsSync(file) ? statSync(file).mode & 0o777 : 0o600))
  expect(existsSync(join(home, "core.lock"))).toBe(true)
  expect(modes()).toEqual([0o600, 0o600, 0o600])
  store.close()
  for (const file of files) if (existsSync(file)) chmodSync(file, 0o644)
  store = makeStore({ path, pid: process.pid })
  expect(modes()).toEqual([0o600, 0o600, 0o600])
})
