/** The last resort must hold what it was given, across crashes and full disks. */

import { afterEach, beforeEach, expect, test } from "bun:test"
import { readFileSync, statSync, truncateSync, writeFileSync } from "node:fs"
import { join } from "node:path"

import { openEmergencyJournal } from "#accounts/credentials/emergency-journal.ts"

import { makeTestDirectory } from "../token-endpoint.ts"

let home: ReturnType<typeof makeTestDirectory>
let path: string

beforeEach(() => {
  home = makeTestDirectory()
  path = join(home.path, "refresh-journal.ndjson")
})

afterEach(() => home.remove())

test("lines of an earlier run are still there and new ones come after them", () => {
  const first = openEmergencyJournal(path)
  first.append({ n: 1 })
  first.append({ n: 2 })
  first.close()
  const second = openEmergencyJournal(path)
  second.append({ n: 3 })
  expect(second.read()).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }])
  second.close()
})

test("a line that a crash cut off does not spoil the one after it", () => {
  writeFileSync(path, '{"n":1}\n{"n":2')
  const journal = openEmergencyJournal(path)
  journal.append({ n: 3 })
  expect(journal.read()).toEqual([{ n: 1 }, { n: 3 }])
  journal.close()
})

test("its space is taken in advance, and only this user may read it", () => {
  const journal = openEmergencyJournal(path)
  const before = statSync(path).size
  journal.append({ secret: "x".repeat(8000) })
  expect(statSync(path).size).toBe(before)
  expect(statSync(path).mode & 0o777).toBe(0o600)
  journal.close()
})

test("a cleared journal keeps no secret on the disk", () => {
  const journal = openEmergencyJournal(path)
  journal.append({ secret: "rt_secret" })
  journal.clear()
  expect(journal.read()).toEqual([])
  expect(readFileSync(path, "utf8")).not.toContain("rt_secret")
  journal.append({ n: 1 })
  expect(journal.read()).toEqual([{ n: 1 }])
  journal.close()
})

test("an empty file left by a crash at creation is no obstacle", () => {
  writeFileSync(path, "")
  truncateSync(path, 0)
  const journal = openEmergencyJournal(path)
  expect(journal.read()).toEqual([])
  journal.close()
})
