/** `sluice keys rotate-master` killed at every step it takes: afterwards one key opens everything, and nothing is lost. */

import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test"
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import { makeCredentialVault } from "#accounts/credentials/credential-vault.ts"
import { refreshFingerprint } from "#accounts/fingerprint.ts"
import { fileKeySlots } from "#accounts/secrets/key-slots.ts"
import { openStore } from "#cli/compose/open-store.ts"
import type { Account } from "#core/account.ts"
import type { AccountId } from "#core/ids.ts"

import { compiledBinary } from "../support/binary.ts"
import { refuseClearSecrets } from "../support/clear-text.ts"

setDefaultTimeout(60_000)

/** Enough for the change to take some time. */
const CREDENTIALS = 400

/** Tries to hit one moment: on a busy machine the command may be done before the signal is sent. */
const TRIES = 20

let home: string
let dataDir: string
let keyFile: string

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), "rotate-master-"))
  dataDir = join(home, "data")
  keyFile = join(dataDir, "master.key")
  await writeCredentials()
})

afterEach(() => rmSync(home, { recursive: true, force: true }))

const refreshTokenOf = (index: number) => `rt_${String(index).padStart(8, "0")}_${"7f3a".repeat(8)}`
const accessTokenOf = (index: number) => `at-${String(index).padStart(8, "0")}-${"c0de".repeat(400)}`
const idOf = (index: number) => `acc_${String(index).padStart(16, "0")}` as AccountId
const indices = Array.from({ length: CREDENTIALS }, (_, index) => index)

/** A data folder as a gateway leaves it after a refresh of every account. */
async function writeCredentials(): Promise<void> {
  const { store, sealer } = await openStore(dataDir, fileKeySlots(keyFile))
  const vault = makeCredentialVault({ rows: store, clock: () => 1_800_000_000_000, sealer })
  vault.commit(
    indices.map(index => {
      const previous = {
        type: "chatgpt",
        accessToken: "at-first",
        refreshToken: `rt_first_${index}`,
        generation: 0,
      } as const
      const credential = {
        type: "chatgpt",
        accessToken: accessTokenOf(index),
        refreshToken: refreshTokenOf(index),
        generation: 1,
      } as const
      const source = { type: "file", path: "", index: 0 } as const
      const account: Account = { id: idOf(index), provider: "codex", label: "", disabled: false, credential, source }
      return { account, credential, previous, fingerprint: refreshFingerprint(previous.refreshToken) }
    }),
  )
  store.close()
}

/** Opens the folder as the next start does. Returns the id of the key, after every credential has shown to be there. */
async function openEverything(): Promise<string> {
  const { store, sealer, key } = await openStore(dataDir, fileKeySlots(keyFile))
  try {
    const vault = makeCredentialVault({ rows: store, clock: () => 0, sealer })
    for (const index of indices) {
      expect(vault.byAccount(idOf(index))?.credential).toMatchObject({
        accessToken: accessTokenOf(index),
        refreshToken: refreshTokenOf(index),
      })
    }
    return key.id
  } finally {
    store.close()
  }
}

/** Ids of the keys in the folder, whatever they are called. */
async function keptKeys(): Promise<readonly string[]> {
  const slots = fileKeySlots(keyFile)
  const keys = await Promise.all([slots.read("current"), slots.read("next"), slots.read("previous")])
  return keys.flatMap(key => (key === undefined ? [] : [key.id]))
}

const secrets = () => indices.flatMap(index => [refreshTokenOf(index), accessTokenOf(index)])

/** Starts the command and kills it as soon as `isNow` holds. */
async function rotateUntil(isNow: () => boolean): Promise<"killed" | "done"> {
  const child = Bun.spawn([await compiledBinary(), "keys", "rotate-master", "--data-dir", dataDir], {
    cwd: home,
    env: { HOME: home, PATH: "/usr/bin:/bin" },
    stdout: "ignore",
    stderr: "pipe",
  })
  // No pause between two looks: the moments are shorter than any timer.
  while (!isNow() && child.exitCode === null && !hasEnded(child.pid));
  child.kill("SIGKILL")
  await child.exited
  if (child.signalCode === "SIGKILL") return "killed"
  expect({ code: child.exitCode, said: await new Response(child.stderr).text() }).toEqual({ code: 0, said: "" })
  return "done"
}

/** The loop above keeps this process from hearing of the child's end. */
function hasEnded(pid: number): boolean {
  return !existsSync(`/proc/${pid}/fd/0`)
}

const sizeOf = (path: string) => (existsSync(path) ? statSync(path).size : 0)
const walSize = () => sizeOf(join(dataDir, "core.db-wal"))

test.each([
  ["the lock is taken", () => existsSync(join(dataDir, "core.lock-journal"))],
  ["the new key is being written", () => existsSync(`${keyFile}.new.tmp`)],
  ["the new key is written", () => existsSync(`${keyFile}.new`)],
  ["the first pages are in the log", () => walSize() > 0],
  ["half of the pages are in the log", () => walSize() > CREDENTIALS * 2000],
  ["the old key is kept", () => existsSync(`${keyFile}.old`)],
  ["the new key is put in its place", () => existsSync(`${keyFile}.old`) && existsSync(`${keyFile}.tmp`)],
])("killed when %s, everything opens with the old key or the new one", async (_moment, isNow) => {
  let killed = 0
  for (let round = 0; round < TRIES && killed === 0; round += 1) {
    const before = await openEverything()
    for (const name of [".new", ".old"]) rmSync(keyFile + name, { force: true })
    if ((await rotateUntil(isNow)) === "killed") killed += 1
    const kept = await keptKeys()
    const after = await openEverything()
    // Every key that is kept is a whole one, and there are two at most.
    expect(kept).toContain(after)
    expect(new Set([...kept, before]).size).toBeLessThanOrEqual(2)
    refuseClearSecrets({ secrets: secrets(), outputs: [], bodies: [], folder: home })
  }
  expect(killed).toBe(1)
  // What the interrupted change left behind does not stand in the way of the next one.
  const before = await openEverything()
  expect(await rotateUntil(() => false)).toBe("done")
  expect(await openEverything()).not.toBe(before)
})
