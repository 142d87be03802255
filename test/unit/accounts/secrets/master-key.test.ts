/** The master key's notations and places, and a change of it that no crash may leave half done. */

import { afterEach, beforeEach, expect, test } from "bun:test"
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"

import { envKeySlots, fileKeySlots, type KeySlots } from "#accounts/secrets/key-slots.ts"
import { keychainKeySlots } from "#accounts/secrets/keychain-slots.ts"
import { changeMasterKey, forgetOtherKeys, loadMasterKey } from "#accounts/secrets/load-master-key.ts"
import { type MasterKey, makeMasterKey, parseMasterKey, writeMasterKey } from "#accounts/secrets/master-key.ts"
import { pickKeySlots } from "#accounts/secrets/pick-key-slots.ts"

import { makeTestDirectory } from "../token-endpoint.ts"

const random = (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes)

let home: ReturnType<typeof makeTestDirectory>
let path: string

beforeEach(() => {
  home = makeTestDirectory()
  path = join(home.path, "master.key")
})

afterEach(() => home.remove())

function messageOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  throw new Error("nothing was thrown")
}

/** A keychain in memory. */
function memoryKeychain() {
  const values = new Map<string, string>()
  const idOf = ({ service, name }: { service: string; name: string }) => `${service}/${name}`
  return {
    values,
    get: async (entry: { service: string; name: string }) => values.get(idOf(entry)) ?? null,
    set: async (entry: { service: string; name: string; value: string }) => {
      values.set(idOf(entry), entry.value)
    },
    delete: async (entry: { service: string; name: string }) => values.delete(idOf(entry)),
  }
}

test("32 bytes are read in hex, base64 and base64url, and are the same key", () => {
  const bytes = Buffer.alloc(32, 0xfb)
  const texts = [bytes.toString("hex"), bytes.toString("hex").toUpperCase(), bytes.toString("base64")]
  texts.push(bytes.toString("base64url"), ` ${bytes.toString("base64")}\n`)
  const ids = texts.map(text => parseMasterKey(text, "KEY").id)
  expect(new Set(ids).size).toBe(1)
  expect(ids[0]).toBe(new Bun.CryptoHasher("sha256").update(bytes).digest("hex").slice(0, 8))
})

test.each([
  ["", "KEY is not a master key: it is empty."],
  ["  \n", "KEY is not a master key: it is empty."],
  [
    "correct horse battery staple",
    "KEY is not a master key: it holds characters that are neither base64, base64url nor hex.",
  ],
  [Buffer.alloc(16, 7).toString("base64"), "KEY is not a master key: it has 16 bytes, and 32 are needed."],
  [Buffer.alloc(33, 7).toString("base64url"), "KEY is not a master key: it has 33 bytes, and 32 are needed."],
  ["a".repeat(32), "KEY is not a master key: it has 24 bytes, and 32 are needed."],
])("%p is refused with the reason", (text, message) => {
  expect(messageOf(() => parseMasterKey(text, "KEY"))).toBe(message)
})

test("a key that is printed by mistake shows nothing of itself", () => {
  const key = makeMasterKey(random)
  const written = writeMasterKey(key)
  const hex = Buffer.from(written, "base64url").toString("hex")
  for (const shown of [JSON.stringify(key), Bun.inspect(key), String(key.secret)]) {
    expect(shown).not.toContain(written)
    expect(shown).not.toContain(hex)
  }
})

test("the first start makes a key file for this user alone, and the next one reads it", async () => {
  const slots = fileKeySlots(path)
  const made = await loadMasterKey({ slots, expectedId: undefined, random })
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(readdirSync(home.path)).toEqual(["master.key"])
  expect((await loadMasterKey({ slots, expectedId: made.id, random })).id).toBe(made.id)
})

test("a database that names a key gets no new one", async () => {
  const slots = fileKeySlots(path)
  const loading = loadMasterKey({ slots, expectedId: "0123abcd", random })
  expect(loading).rejects.toThrow(`core.db needs the master key 0123abcd, and ${path} holds none.`)
  await loading.catch(() => {})
  expect(existsSync(path)).toBe(false)
})

test("a wrong key is refused with both ids", async () => {
  const key = makeMasterKey(random)
  const slots = envKeySlots("SLUICE_MASTER_KEY", writeMasterKey(key))
  const loading = loadMasterKey({ slots, expectedId: "0123abcd", random })
  expect(loading).rejects.toThrow(`core.db needs the master key 0123abcd, and SLUICE_MASTER_KEY holds ${key.id}.`)
  await loading.catch(() => {})
})

test.each([0o640, 0o604, 0o660, 0o644])("a key file of mode %o is refused with the command to run", async mode => {
  writeFileSync(path, writeMasterKey(makeMasterKey(random)))
  chmodSync(path, mode)
  const error = await fileKeySlots(path)
    .read("current")
    .catch((cause: unknown) => cause)
  expect(error).toMatchObject({
    message: `${path} can be read by others (mode 0${mode.toString(8)}).`,
    hint: expect.stringContaining(`chmod 600 ${path}`),
  })
})

test("the variable counts before the file, unless the file is asked for", async () => {
  const inEnv = makeMasterKey(random)
  const inFile = makeMasterKey(random)
  await fileKeySlots(path).write("current", inFile)
  const given = { file: path, dataDir: home.path, keychain: memoryKeychain() }
  const env = { SLUICE_MASTER_KEY: writeMasterKey(inEnv) }
  const idFrom = async (slots: KeySlots) => (await slots.read("current"))?.id
  expect(await idFrom(pickKeySlots({ ...given, source: "auto", env }))).toBe(inEnv.id)
  expect(await idFrom(pickKeySlots({ ...given, source: "env", env }))).toBe(inEnv.id)
  expect(await idFrom(pickKeySlots({ ...given, source: "file", env }))).toBe(inFile.id)
  expect(await idFrom(pickKeySlots({ ...given, source: "auto", env: { SLUICE_MASTER_KEY: "" } }))).toBe(inFile.id)
  expect(() => pickKeySlots({ ...given, source: "env", env: {} })).toThrow("SLUICE_MASTER_KEY is not set")
})

test("the keychain keeps a key for each data directory", async () => {
  const keychain = memoryKeychain()
  const first = await loadMasterKey({ slots: keychainKeySlots(keychain, "/a"), expectedId: undefined, random })
  const second = await loadMasterKey({ slots: keychainKeySlots(keychain, "/b"), expectedId: undefined, random })
  expect([...keychain.values.keys()]).toEqual(["sluice/master-key /a", "sluice/master-key /b"])
  expect((await keychainKeySlots(keychain, "/a").read("current"))?.id).toBe(first.id)
  expect((await keychainKeySlots(keychain, "/b").read("current"))?.id).toBe(second.id)
})

test("a keychain that is not there is told with another way", async () => {
  const broken = { ...memoryKeychain(), get: () => Promise.reject(new Error("libsecret not available")) }
  const error = await keychainKeySlots(broken, "/a")
    .read("current")
    .catch((cause: unknown) => cause)
  expect(error).toMatchObject({
    kind: "internal",
    message: "The keychain cannot be used: libsecret not available.",
    hint: expect.stringContaining("master-key-source: file"),
  })
})

/** Lets `steps` writing steps happen and fails the next one, before or after its effect: the process died there. */
function crashingAfter(slots: KeySlots, steps: number, when: "before" | "after"): KeySlots {
  let left = steps
  const guard = async (work: () => Promise<void>) => {
    if (left === 0 && when === "before") throw new Error("crash")
    await work()
    if (left === 0) throw new Error("crash")
    left -= 1
  }
  return {
    ...slots,
    write: (slot, key) => guard(() => slots.write(slot, key)),
    remove: slot => guard(() => slots.remove(slot)),
  }
}

const placeMakers: readonly [string, () => KeySlots][] = [
  ["file", () => fileKeySlots(path)],
  ["keychain", () => keychainKeySlots(memoryKeychain(), "/a")],
]

for (const [name, makeSlots] of placeMakers) {
  test(`a change of the key in a ${name} that crashes anywhere leaves a key that opens, and can be made again`, async () => {
    for (const when of ["before", "after"] as const) {
      for (const steps of [0, 1, 2, 3]) {
        const slots = makeSlots()
        const from = makeMasterKey(random)
        await slots.write("current", from)
        // Stands for the database, whose transaction happens whole or not at all.
        let sealedWith: MasterKey = from
        const change = (to: MasterKey, place: KeySlots) =>
          changeMasterKey({
            slots: place,
            from: sealedWith,
            to,
            reseal: () => {
              sealedWith = to
            },
          })
        const crashed = change(makeMasterKey(random), crashingAfter(slots, steps, when))
        await expect(crashed).rejects.toThrow("crash")

        const key = await loadMasterKey({ slots, expectedId: sealedWith.id, random })
        expect(key.id).toBe(sealedWith.id)
        expect((await slots.read("current"))?.id).toBe(key.id)
        await change(makeMasterKey(random), slots)
        const last = await loadMasterKey({ slots, expectedId: sealedWith.id, random })
        expect((await slots.read("previous"))?.id).toBe(key.id)
        await forgetOtherKeys(slots, last)
        expect([await slots.read("next"), await slots.read("previous")]).toEqual([undefined, undefined])
      }
    }
  })
}

test("a change whose transaction fails leaves the old key in use", async () => {
  const slots = fileKeySlots(path)
  const from = await loadMasterKey({ slots, expectedId: undefined, random })
  const changing = changeMasterKey({
    slots,
    from,
    to: makeMasterKey(random),
    reseal: () => {
      throw new Error("disk full")
    },
  })
  await expect(changing).rejects.toThrow("disk full")
  expect((await loadMasterKey({ slots, expectedId: from.id, random })).id).toBe(from.id)
  expect(parseMasterKey(readFileSync(path, "utf8"), path).id).toBe(from.id)
})

test("a database restored from before the change is served by the previous key, which stays", async () => {
  const slots = fileKeySlots(path)
  const from = await loadMasterKey({ slots, expectedId: undefined, random })
  await changeMasterKey({ slots, from, to: makeMasterKey(random), reseal: () => {} })
  const key = await loadMasterKey({ slots, expectedId: from.id, random })
  await forgetOtherKeys(slots, key)
  expect((await slots.read("previous"))?.id).toBe(from.id)
})
