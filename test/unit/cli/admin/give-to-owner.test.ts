/** Root at work in another user's data folder leaves nothing behind that the other user cannot open. */

import { afterEach, beforeEach, expect, test } from "bun:test"
import { chownSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import { giveToOwner } from "#cli/admin/give-to-owner.ts"

const OTHER = 65_532
const isRoot = process.getuid?.() === 0

let home = ""
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "sluice-owner-"))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

test.skipIf(!isRoot)("files that root makes get the owner of the folder, those of others keep theirs", () => {
  chownSync(home, OTHER, OTHER)
  writeFileSync(join(home, "theirs"), "")
  chownSync(join(home, "theirs"), 1234, 1234)
  const owner = giveToOwner(home)
  writeFileSync(join(home, "core.db"), "")
  owner.give()
  expect(statSync(join(home, "core.db"))).toMatchObject({ uid: OTHER, gid: OTHER })
  expect(statSync(join(home, "theirs")).uid).toBe(1234)
})

test.skipIf(!isRoot)("a folder that is made belongs to the owner of the one it is made in", () => {
  chownSync(home, OTHER, OTHER)
  const folder = join(home, "data")
  const owner = giveToOwner(folder)
  mkdirSync(folder)
  writeFileSync(join(folder, "core.db"), "")
  owner.give()
  expect([statSync(folder).uid, statSync(join(folder, "core.db")).uid]).toEqual([OTHER, OTHER])
})

test("in one's own folder nothing changes hands", () => {
  const owner = giveToOwner(home)
  writeFileSync(join(home, "core.db"), "")
  const before = statSync(join(home, "core.db")).uid
  owner.give()
  expect(statSync(join(home, "core.db")).uid).toBe(before)
})
