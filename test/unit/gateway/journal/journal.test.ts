/** The request log: behind the requests, whole after a kill, and never in anybody's way. */

import { Database } from "bun:sqlite"
import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test"
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import { type Journal, makeJournal } from "#gateway/journal/journal.ts"
import { openLogStore } from "#store/log/log-store.ts"

import { sumsOf } from "../../../support/journal/check-sums.ts"
import { outcomeOf } from "../../../support/journal/outcomes.ts"
import { type ManualTime, makeManualTime } from "../../../support/manual-timers.ts"

// A minute of 2,000 requests a second is a lot of rows on a busy machine.
setDefaultTimeout(30_000)

const START_MS = Date.parse("2026-11-21T23:58:30Z")
const DAY_MS = 86_400_000

let folder: string
let path: string
let time: ManualTime
let warnings: string[]
let journal: Journal

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "journal-test-"))
  path = join(folder, "log.db")
  time = makeManualTime(START_MS)
  warnings = []
  journal = makeJournal(parts())
})

afterEach(() => {
  journal.close()
  rmSync(folder, { recursive: true, force: true })
})

function parts() {
  return {
    clock: time.clock,
    timers: time.timers,
    open: (nowMs: number) => openLogStore(path, nowMs),
    warn: (_: object, message: string) => warnings.push(message),
    isOn: () => true,
    keepDays: () => ({ requests: 1, details: 1, events: 1 }),
  }
}

function record(count: number, from = 0): void {
  for (let number = from; number < from + count; number += 1) journal.record(outcomeOf(number, time.clock()))
}

function rowCount(table = "requests"): number {
  using database = new Database(path, { readonly: true })
  return database.query<{ count: number }, []>(`select count(*) as count from ${table}`).get()?.count ?? -1
}

function expectWholeSums(): void {
  for (const { raw, rolled } of sumsOf(path)) expect(rolled).toEqual(raw)
}

test("fault 61: a row waits for a quarter of a second at most, and never for more than a hundred others", () => {
  journal.start()
  record(1)
  time.advance(249)
  expect(rowCount()).toBe(0)
  time.advance(1)
  expect(rowCount()).toBe(1)
  record(100, 1)
  time.advance(0)
  expect(rowCount()).toBe(101)
})

test("fault 61: what a kill has kept out of the sums is added by the next start, and nothing twice", () => {
  journal.start()
  record(50)
  time.advance(5_000)
  record(300, 50)
  time.advance(250)
  // Killed here: 350 rows are written, 50 of them are in the sums.
  const { rolled } = sumsOf(path)[0] ?? {}
  expect(rolled?.reduce((sum, { requests = 0 }) => sum + requests, 0)).toBe(50)
  // Nothing of the old one happens any more.
  time = makeManualTime(time.clock())
  journal = makeJournal(parts())
  journal.start()
  expectWholeSums()
  record(20, 350)
  time.advance(90_000)
  record(20, 370)
  time.advance(5_000)
  expect(rowCount()).toBe(390)
  expectWholeSums()
})

test("a clock that was set back gives no row the id of another", () => {
  journal.start()
  record(5)
  time.advance(250)
  journal.close()
  time = makeManualTime(START_MS - 3_600_000)
  journal = makeJournal(parts())
  journal.start()
  record(5, 5)
  time.advance(5_000)
  expect(rowCount()).toBe(10)
  expect(warnings).toEqual([])
  expectWholeSums()
})

test("fault 62: rows that cannot be stored are put aside one by one, and all the others are stored", () => {
  journal.start()
  const poison = { inputTokens: Number.NaN, inputCachedTokens: 0, outputTokens: 0, reasoningTokens: 0 }
  for (let number = 0; number < 200; number += 1) {
    const changes = number === 17 || number === 160 ? { usage: poison } : {}
    journal.record(outcomeOf(number, time.clock(), changes))
  }
  time.advance(5_000)
  expect(rowCount()).toBe(198)
  expect(journal.status()).toMatchObject({ queued: 0, refused: 2, dropped: 0 })
  using database = new Database(path, { readonly: true })
  const letters = database.query<{ reason: string; entry_json: string }, []>("select * from dead_letters").all()
  expect(letters.map(({ entry_json }) => JSON.parse(entry_json).request.requestId.slice(-2))).toEqual(["11", "a0"])
  expect(letters[0]?.reason).toContain("input_tokens")
  expectWholeSums()
})

function makeNewer(): void {
  using database = new Database(path)
  database.run("pragma user_version = 99")
  database.run("pragma wal_checkpoint(truncate)")
}

test.each([
  ["no database at all", () => writeFileSync(path, "this is no database, whatever its name says".repeat(200))],
  ["cut in the middle", () => truncateSync(path, 6_000)],
  ["of a newer version", () => makeNewer()],
])("fault 63: a log that is %s is put aside whole, and a new one begins", (_, damage) => {
  const stop = journal.start()
  record(100)
  stop()
  journal.close()
  damage()
  const damaged = readFileSync(path)
  journal = makeJournal(parts())
  journal.start()
  record(10)
  time.advance(5_000)
  expect(rowCount()).toBe(10)
  const aside = readdirSync(folder).filter(name => /^log\.db\.damaged-[\dTZ-]+$/.test(name))
  expect(aside).toHaveLength(1)
  expect(readFileSync(join(folder, aside[0] ?? "")).equals(damaged)).toBe(true)
  expect(warnings).toEqual(["log.db could not be used; a new one was begun"])
})

test("fault 63: a log that is damaged or deleted under a running gateway is begun anew", () => {
  journal.start()
  record(10)
  time.advance(250)
  for (const suffix of ["", "-wal", "-shm"]) rmSync(path + suffix, { force: true })
  time.advance(5_000)
  record(20, 10)
  time.advance(5_000)
  expect(rowCount()).toBe(20)
  expect(warnings).toEqual(["log.db was deleted; a new one begins"])
})

test("without a log requests are kept for a while, and reading says what to do", () => {
  let isFull = true
  journal = makeJournal({
    ...parts(),
    open: nowMs => {
      if (isFull) throw Object.assign(new Error("disk is full"), { code: "SQLITE_FULL" })
      return openLogStore(path, nowMs)
    },
  })
  journal.start()
  record(10)
  time.advance(2_000)
  expect(() => journal.read(log => log.lastRequestId())).toThrow("cannot be read now")
  isFull = false
  time.advance(10_000)
  expect(rowCount()).toBe(10)
  expect(warnings).toEqual(["log.db cannot be opened; requests are served without it"])
})

test("a backlog is bounded: over it requests are counted without a row, and reported once", () => {
  let isFull = true
  journal = makeJournal({
    ...parts(),
    open: nowMs => {
      if (isFull) throw Object.assign(new Error("disk is full"), { code: "SQLITE_FULL" })
      return openLogStore(path, nowMs)
    },
  })
  journal.start()
  record(50_300)
  expect(journal.status()).toMatchObject({ queued: 50_000, dropped: 300 })
  isFull = false
  for (let step = 0; step < 120; step += 1) time.advance(100)
  expect(rowCount()).toBe(50_000)
  const [minutes] = sumsOf(path)
  expect(minutes?.rolled.reduce((sum, { requests = 0 }) => sum + requests, 0)).toBe(50_300)
  expect(warnings.filter(text => text.includes("without a row"))).toHaveLength(1)
})

test("fault 65: a reader that holds an old state for a minute stops nobody, and the write-ahead log stays bounded", () => {
  journal.start()
  record(100)
  time.advance(250)
  const reader = new Database(path, { readonly: true })
  reader.run("begin")
  expect(reader.query<{ count: number }, []>("select count(*) as count from requests").get()?.count).toBe(100)
  // A minute of 2,000 requests a second, each with a name of its own to make the rows large.
  const model = "x".repeat(200)
  for (let step = 0; step < 240; step += 1) {
    for (let number = 0; number < 500; number += 1) journal.record(outcomeOf(number, time.clock(), { model }))
    time.advance(250)
  }
  expect(journal.status().queued).toBe(0)
  expect(statSync(`${path}-wal`).size).toBeLessThan(80 * 1024 * 1024)
  reader.close()
  record(100)
  time.advance(5_000)
  expect(statSync(`${path}-wal`).size).toBeLessThan(33 * 1024 * 1024)
  // All are in the sums, with a row or without one.
  const [minutes] = sumsOf(path)
  expect(minutes?.rolled.reduce((sum, { requests = 0 }) => sum + requests, 0)).toBe(120_200)
})

test("old rows go in pieces once the sums have them, and the sums stay", () => {
  journal.start()
  record(2_500)
  for (let step = 0; step < 10; step += 1) time.advance(250)
  const tables = ["requests", "attempts", "details"]
  const counts = () => tables.map(table => rowCount(table))
  expect(counts()).toEqual([2_500, 358, 358])
  const rolled = () => sumsOf(path)[3]?.rolled
  time.advance(5_000)
  const before = rolled()
  expect(before?.length).toBeGreaterThan(0)
  time.advance(2 * DAY_MS)
  time.advance(600_000)
  time.advance(1_000)
  expect(counts()).toEqual([0, 0, 0])
  expect(rolled()).toEqual(before)
})

test("nothing is recorded when it is switched off", () => {
  journal = makeJournal({ ...parts(), isOn: () => false })
  journal.start()
  record(10)
  time.advance(5_000)
  expect(rowCount()).toBe(0)
})

test("the file belongs to this user alone", () => {
  journal.start()
  record(1)
  time.advance(250)
  expect(existsSync(path)).toBe(true)
  for (const suffix of ["", "-wal", "-shm"]) expect(statSync(path + suffix).mode & 0o777).toBe(0o600)
})
