/** A directory of account files that changes under the program's feet. */

import { afterEach, beforeEach, expect, test } from "bun:test"
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"

import { NO_MEMORY } from "#accounts/account-from-draft.ts"
import {
  type AccountDirectory,
  type DirectoryEvent,
  makeAccountDirectory,
} from "#accounts/sources/account-directory.ts"
import { filePathOf } from "#core/account.ts"
import { systemClock, systemTimers, type Timers } from "#core/clock.ts"

import { makeManualTime } from "../../../support/manual-timers.ts"
import { waitUntil } from "../pool-fixture.ts"
import { DAY_SEC, makeTestDirectory, writeFlatFile } from "../token-endpoint.ts"

let home: ReturnType<typeof makeTestDirectory>
let authDir: string
let directory: AccountDirectory | undefined
const events: DirectoryEvent[] = []

beforeEach(() => {
  home = makeTestDirectory()
  authDir = join(home.path, "auths")
  mkdirSync(authDir)
  events.length = 0
})

afterEach(() => {
  directory?.close()
  home.remove()
})

function make(timers: Timers = makeManualTime().timers): AccountDirectory {
  directory = makeAccountDirectory({
    path: authDir,
    clock: systemClock,
    timers,
    memory: NO_MEMORY,
    gatherMs: 5,
    emit: event => events.push(event),
  })
  return directory
}

/** Types and, for accounts, e-mails of what was told so far; then forgets it. */
function told(): string[] {
  const list = events.map(event => ("account" in event ? `${event.type} ${event.account.label}` : event.type))
  events.length = 0
  return list
}

test("every *.json is loaded, hidden and disabled files are not", async () => {
  writeFlatFile(authDir, "ann")
  renameSync(writeFlatFile(authDir, "bob"), join(authDir, "bob.json.disabled"))
  renameSync(writeFlatFile(authDir, "carl"), join(authDir, ".carl.json"))
  mkdirSync(join(authDir, "folder.json"))
  const started = make()
  await started.start()
  expect(told()).toEqual(["account-added ann@example.com"])
})

test("a file that appears, changes by atomic rename and goes away is followed through the system's notices", async () => {
  const started = make(systemTimers)
  await started.start()
  expect(told()).toEqual([])
  writeFlatFile(authDir, "ann")
  await waitUntil(() => started.accounts().length === 1)
  expect(told()).toEqual(["account-added ann@example.com"])

  const next = writeFlatFile(home.path, "ann", { refreshToken: "rt_next", expSec: 7 * DAY_SEC })
  renameSync(next, join(authDir, "ann.json"))
  await waitUntil(() => events.length > 0)
  expect(told()).toEqual(["account-changed ann@example.com"])

  rmSync(join(authDir, "ann.json"))
  await waitUntil(() => started.accounts().length === 0)
  expect(told()).toEqual(["account-removed ann@example.com"])
})

test("without notices the regular look finds the change", async () => {
  const time = makeManualTime()
  const started = make(time.timers)
  const real = join(home.path, "elsewhere")
  mkdirSync(real)
  const path = writeFlatFile(real, "ann")
  symlinkSync(path, join(authDir, "ann.json"))
  await started.start()
  told()
  // The directory itself does not change when the link's target does.
  writeFlatFile(real, "ann", { refreshToken: "rt_next" })
  await time.advanceAsync(10_000)
  await waitUntil(() => events.length > 0)
  expect(told()).toEqual(["account-changed ann@example.com"])
})

test("a half-written file is read again before anyone hears of it", async () => {
  const time = makeManualTime()
  const started = make(time.timers)
  const path = writeFlatFile(authDir, "ann")
  await started.start()
  told()
  writeFileSync(path, '{"type":"codex",')
  await started.rescan()
  expect(told()).toEqual([])
  writeFlatFile(authDir, "ann", { refreshToken: "rt_next" })
  await started.rescan()
  expect(told()).toEqual(["account-changed ann@example.com"])
})

test("a file that stays broken is named once, its account keeps serving, and its repair is told", async () => {
  const started = make()
  const path = writeFlatFile(authDir, "ann")
  await started.start()
  told()
  writeFileSync(path, '{\n"type": "codex",\n')
  for (let look = 0; look < 6; look++) await started.rescan()
  expect(events).toEqual([{ type: "file-broken", path, reasons: ["not complete JSON: it ends at line 3, column 1"] }])
  expect(started.accounts()).toHaveLength(1)
  told()
  writeFlatFile(authDir, "ann")
  await started.rescan()
  expect(told()).toEqual(["file-repaired"])
  writeFileSync(path, "{")
  await started.rescan()
  rmSync(path)
  await started.rescan()
  expect(told()).toEqual(["account-removed ann@example.com"])
})

test("broken files beside good ones are reported by themselves after the start", async () => {
  const time = makeManualTime()
  writeFlatFile(authDir, "ann")
  writeFileSync(join(authDir, "empty.json"), "")
  const started = make(time.timers)
  await started.start()
  expect(told()).toEqual(["account-added ann@example.com"])
  await waitUntil(() => {
    time.advance(250)
    return events.length > 0
  })
  expect(events).toEqual([{ type: "file-broken", path: join(authDir, "empty.json"), reasons: ["the file is empty"] }])
})

test("of two files with one account the newer serves, the other is named, and takes over when the first goes", async () => {
  writeFlatFile(authDir, "ann", { name: "a-old", iatSec: 0 })
  const newer = writeFlatFile(authDir, "ann", { name: "b-new", iatSec: 50, refreshToken: "rt_new" })
  const started = make()
  await started.start()
  expect(started.accounts().map(account => filePathOf(account))).toEqual([newer])
  expect(events.filter(event => event.type === "account-duplicated")).toMatchObject([
    { path: join(authDir, "a-old.json"), servedFrom: newer },
  ])
  told()
  rmSync(newer)
  await started.rescan()
  expect(told()).toEqual(["account-changed ann@example.com"])
})

test("a missing directory is told once with what to do, and picked up when it appears", async () => {
  rmSync(authDir, { recursive: true })
  const started = make()
  await started.start()
  await started.rescan()
  expect(events).toMatchObject([{ type: "directory-missing", path: authDir, hint: expect.stringContaining(authDir) }])
  told()
  mkdirSync(authDir)
  writeFlatFile(authDir, "ann")
  await started.rescan()
  expect(told()).toEqual(["account-added ann@example.com"])
})

test("a directory that vanishes takes no account away", async () => {
  writeFlatFile(authDir, "ann")
  const started = make()
  await started.start()
  told()
  renameSync(authDir, join(home.path, "gone"))
  await started.rescan()
  expect(told()).toEqual(["directory-missing"])
  expect(started.accounts()).toHaveLength(1)
})

test("a broken file is told among the trouble at once, also while it may still be half written", async () => {
  writeFlatFile(authDir, "ann")
  writeFileSync(join(authDir, "broken.json"), "{")
  const started = make()
  await started.start()
  expect(started.accounts().map(account => account.label)).toEqual(["ann@example.com"])
  expect(started.trouble()).toMatchObject({ broken: [{ path: join(authDir, "broken.json") }], duplicates: [] })
})
