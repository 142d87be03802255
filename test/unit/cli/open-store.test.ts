/** The store under its key: first start, wrong key, rows of an earlier version, a change of the key. */

import { Database } from "bun:sqlite"
import { afterEach, beforeEach, expect, test } from "bun:test"
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import { makeCredentialVault } from "#accounts/credentials/credential-vault.ts"
import { openJournalIn } from "#accounts/credentials/emergency-journal.ts"
import { envKeySlots, fileKeySlots, type KeySlots } from "#accounts/secrets/key-slots.ts"
import { forgetOtherKeys } from "#accounts/secrets/load-master-key.ts"
import { makeMasterKey, writeMasterKey } from "#accounts/secrets/master-key.ts"
import { makeSealer } from "#accounts/secrets/seal.ts"
import { sealRow } from "#accounts/secrets/sealed-rows.ts"
import { openStore } from "#cli/compose/open-store.ts"
import { rotateKey } from "#cli/compose/rotate-key.ts"
import type { AccountId } from "#core/ids.ts"
import { CORE_MIGRATIONS } from "#store/migrations.ts"
import { makeStore } from "#store/store.ts"

let home: string
let keyFile: string

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "open-store-"))
  keyFile = join(home, "master.key")
})

afterEach(() => rmSync(home, { recursive: true, force: true }))

const random = (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes)

function clearRow(id: string, generation = 2) {
  return {
    accountId: id as AccountId,
    fingerprint: `fp-${id}`,
    secretJson: JSON.stringify({ accessToken: `at-clear-${id}`, refreshToken: `rt-clear-${id}` }),
    generation,
    previousFingerprint: `old-${id}`,
    previousSecretJson: JSON.stringify({ accessToken: `at-older-${id}` }),
    previousAtMs: 1,
    updatedAtMs: 1,
  }
}

/** A data directory as the version without encryption left it. */
function writeEarlierVersion(count: number): void {
  const store = makeStore({ path: join(home, "core.db"), pid: process.pid })
  store.commitCredentials(Array.from({ length: count }, (_, index) => clearRow(`acc_${index}`)))
  store.close()
}

/** The access tokens that the vault gives out. */
async function tokensWith(slots: KeySlots, count: number): Promise<readonly string[]> {
  const { store, sealer } = await openStore(home, slots)
  try {
    const vault = makeCredentialVault({ rows: store, clock: () => 0, sealer })
    return Array.from({ length: count }, (_, index) => {
      const credential = vault.byAccount(`acc_${index}` as AccountId)?.credential
      return credential?.type === "chatgpt" ? credential.accessToken : "none"
    })
  } finally {
    store.close()
  }
}

const snapshot = () => readdirSync(home).map(name => [name, readFileSync(join(home, name)).toString("base64")])
/** The directory's bytes without the owner's lock, which every start takes. */
const withoutLock = () => snapshot().filter(([name]) => !name?.startsWith("core.lock") && name !== "core.owner")

function expectNoClearText(): void {
  for (const name of readdirSync(home)) {
    const bytes = readFileSync(join(home, name))
    for (const clear of ["at-clear", "rt-clear", "at-older"])
      expect([name, bytes.includes(clear)]).toEqual([name, false])
  }
}

const expected = (count: number) => Array.from({ length: count }, (_, index) => `at-clear-acc_${index}`)

test("the first start makes the key file and names its key in the database", async () => {
  const opened = await openStore(home, fileKeySlots(keyFile))
  expect(statSync(keyFile).mode & 0o777).toBe(0o600)
  expect(opened.store.readMeta("master-key-id")).toBe(opened.key.id)
  expect(opened.sealedNow).toBe(0)
  opened.store.close()
})

test("rows of an earlier version are sealed at the start and serve as before", async () => {
  writeEarlierVersion(30)
  const opened = await openStore(home, fileKeySlots(keyFile))
  expect(opened.sealedNow).toBe(30)
  // While it runs, the write-ahead log is looked at as well.
  expectNoClearText()
  opened.store.close()
  expectNoClearText()
  expect(await tokensWith(fileKeySlots(keyFile), 30)).toEqual(expected(30))
})

test("text that an earlier version deleted without overwriting it goes as well, with or without rows", async () => {
  for (const count of [0, 2]) {
    writeEarlierVersion(count)
    const database = new Database(join(home, "core.db"))
    database.run("pragma secure_delete = off")
    const long = JSON.stringify({ accessToken: "x".repeat(9000), refreshToken: "rt-clear-gone" })
    database.run("insert into credentials values ('acc_gone', 'f', ?, 1, null, null, null, 1)", [long])
    database.run("pragma wal_checkpoint(truncate)")
    database.run("delete from credentials where account_id = 'acc_gone'")
    database.run("pragma wal_checkpoint(truncate)")
    database.close()
    expect(readFileSync(join(home, "core.db")).includes("rt-clear-gone")).toBe(true)
    const { store } = await openStore(home, fileKeySlots(keyFile))
    expectNoClearText()
    store.close()
    rmSync(home, { recursive: true })
    mkdirSync(home)
  }
})

test("a sealing of earlier rows that fails leaves all of them in clear, and the next start seals them", async () => {
  writeEarlierVersion(3)
  const database = new Database(join(home, "core.db"))
  database.run("create trigger full before update on credentials begin select raise(abort, 'disk full'); end")
  database.close()
  await expect(openStore(home, fileKeySlots(keyFile))).rejects.toThrow("disk full")
  const again = new Database(join(home, "core.db"))
  expect(again.query("select count(*) as n from credentials where secret_json like '{%'").get()).toEqual({ n: 3 })
  expect(again.query("select * from meta where key = 'master-key-id'").get()).toBeNull()
  again.run("drop trigger full")
  again.close()
  expect(await tokensWith(fileKeySlots(keyFile), 3)).toEqual(expected(3))
})

test("fault 68: a wrong key is refused with both ids, and no byte of the directory changes", async () => {
  writeEarlierVersion(2)
  const opened = await openStore(home, fileKeySlots(keyFile))
  opened.store.close()
  const before = withoutLock()
  const wrong = makeMasterKey(random)
  const slots = envKeySlots("SLUICE_MASTER_KEY", writeMasterKey(wrong))
  await expect(openStore(home, slots)).rejects.toThrow(
    `core.db needs the master key ${opened.key.id}, and SLUICE_MASTER_KEY holds ${wrong.id}.`,
  )
  expect(withoutLock()).toEqual(before)
  // The refusal lets the lock go.
  expect(await tokensWith(fileKeySlots(keyFile), 2)).toEqual(expected(2))
})

test.each(["stopped", "killed"])("a folder that a newer version left, %s, is refused and not touched", async end => {
  writeEarlierVersion(2)
  const opened = await openStore(home, fileKeySlots(keyFile))
  opened.store.close()
  const newer = new Database(join(home, "core.db"))
  newer.run("pragma journal_mode = wal")
  newer.run("create table from_the_future (a text) strict")
  newer.run("pragma user_version = 99")
  if (end === "stopped") newer.run("pragma wal_checkpoint(truncate)")
  const left = snapshot().filter(([name]) => end === "killed" || !/-(wal|shm)$/.test(name ?? ""))
  // Closing moves the log into the database, which a killed process does not do.
  newer.close()
  for (const name of readdirSync(home)) rmSync(join(home, name))
  for (const [name = "", bytes = ""] of left)
    writeFileSync(join(home, name), bytes, { encoding: "base64", mode: 0o600 })
  // The -shm file is an index of the log that every reader makes anew; it holds no data.
  const content = () => withoutLock().filter(([name]) => !name?.endsWith("-shm"))
  const before = content()
  const refusal = `was written by a newer version (99 > ${CORE_MIGRATIONS.length}).`
  await expect(openStore(home, fileKeySlots(keyFile))).rejects.toThrow(refusal)
  expect(content()).toEqual(before)
  await expect(rotateKey({ dataDir: home, slots: fileKeySlots(keyFile), newKeyFile: undefined })).rejects.toThrow(
    refusal,
  )
  expect(content()).toEqual(before)
})

test("fault 68: a lost key file is not replaced by a new key", async () => {
  writeEarlierVersion(1)
  const { store, key } = await openStore(home, fileKeySlots(keyFile))
  store.close()
  rmSync(keyFile)
  const before = withoutLock()
  await expect(openStore(home, fileKeySlots(keyFile))).rejects.toThrow(`needs the master key ${key.id}`)
  expect(withoutLock()).toEqual(before)
})

test("a sealed secret that was moved to another row is refused", async () => {
  writeEarlierVersion(2)
  const { store } = await openStore(home, fileKeySlots(keyFile))
  store.close()
  const database = new Database(join(home, "core.db"))
  database.run(`update credentials set secret_json = (select secret_json from credentials where account_id = 'acc_0')
    where account_id = 'acc_1'`)
  database.close()
  await expect(tokensWith(fileKeySlots(keyFile), 2)).rejects.toThrow(
    "The sealed secret_json of acc_1 in credentials was changed, or belongs to another row.",
  )
})

test("a change of the key seals everything anew, the journal's lines as well, and keeps the old key until a start", async () => {
  writeEarlierVersion(5)
  const slots = fileKeySlots(keyFile)
  const first = await openStore(home, slots)
  const journal = openJournalIn(home)
  journal.append(sealRow(clearRow("acc_5"), first.sealer))
  journal.close()
  first.store.close()

  const rotation = await rotateKey({ dataDir: home, slots, newKeyFile: undefined })
  expect(rotation).toEqual({ fromId: first.key.id, toId: expect.any(String), credentials: 6 })
  expect(rotation.toId).not.toBe(rotation.fromId)
  expect(existsSync(`${keyFile}.old`)).toBe(true)
  expect(await tokensWith(slots, 6)).toEqual(expected(6))
  expectNoClearText()
  const { store, key } = await openStore(home, slots)
  store.close()
  await forgetOtherKeys(slots, key)
  expect(readdirSync(home).filter(name => name.startsWith("master"))).toEqual(["master.key"])
})

test("a change of the key that crashes at any step leaves a directory that opens", async () => {
  writeEarlierVersion(3)
  const slots = fileKeySlots(keyFile)
  await tokensWith(slots, 3)
  for (const steps of [0, 1, 2, 3]) {
    let left = steps
    const crash = async (work: () => Promise<void>) => {
      await work()
      if (left === 0) throw new Error("crash")
      left -= 1
    }
    const crashing: KeySlots = {
      ...slots,
      write: (slot, key) => crash(() => slots.write(slot, key)),
      remove: slot => crash(() => slots.remove(slot)),
    }
    await expect(rotateKey({ dataDir: home, slots: crashing, newKeyFile: undefined })).rejects.toThrow("crash")
    expect(await tokensWith(slots, 3)).toEqual(expected(3))
  }
})

test("a change of the key is refused while another process owns the directory", async () => {
  const { store } = await openStore(home, fileKeySlots(keyFile))
  const before = withoutLock()
  await expect(rotateKey({ dataDir: home, slots: fileKeySlots(keyFile), newKeyFile: undefined })).rejects.toThrow(
    `${home} is in use by process ${process.pid}.`,
  )
  expect(withoutLock()).toEqual(before)
  store.close()
})

test("a key from the environment is changed through a file, and only through one", async () => {
  writeEarlierVersion(2)
  const slots = envKeySlots("SLUICE_MASTER_KEY", writeMasterKey(makeMasterKey(random)))
  await tokensWith(slots, 2)
  await expect(rotateKey({ dataDir: home, slots, newKeyFile: undefined })).rejects.toThrow("cannot change")
  const newKeyFile = join(home, "new.key")
  const { toId } = await rotateKey({ dataDir: home, slots, newKeyFile })
  await expect(openStore(home, slots)).rejects.toThrow(`needs the master key ${toId}`)
  const changed = envKeySlots("SLUICE_MASTER_KEY", readFileSync(newKeyFile, "utf8"))
  expect(await tokensWith(changed, 2)).toEqual(expected(2))
  await expect(rotateKey({ dataDir: home, slots: changed, newKeyFile })).rejects.toThrow("is the key in use")
})

test("a journal that was sealed with another key is refused and kept", async () => {
  const other = makeSealer({ key: makeMasterKey(random), random })
  mkdirSync(home, { recursive: true })
  const journal = openJournalIn(home)
  journal.append(sealRow(clearRow("acc_0"), other))
  journal.close()
  copyFileSync(join(home, "refresh-journal.ndjson"), join(home, "copy"))
  const rotating = rotateKey({ dataDir: home, slots: fileKeySlots(keyFile), newKeyFile: undefined })
  await expect(rotating).rejects.toThrow(`was sealed with the key ${other.keyId}`)
  expect(readFileSync(join(home, "refresh-journal.ndjson")).equals(readFileSync(join(home, "copy")))).toBe(true)
})
