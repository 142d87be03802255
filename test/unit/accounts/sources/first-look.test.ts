/** The look at start: every file at once on a fast disk, many at a time on a slow one, the same result both ways. */

import { afterEach, beforeEach, expect, test } from "bun:test"
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"

import { NO_MEMORY } from "#accounts/account-from-draft.ts"
import { stampAccountFiles } from "#accounts/sources/directory-files.ts"
import { firstLook } from "#accounts/sources/first-look.ts"
import type { Clock } from "#core/clock.ts"

import { makeTestDirectory, writeFlatFile } from "../token-endpoint.ts"

let home: ReturnType<typeof makeTestDirectory>
beforeEach(() => {
  home = makeTestDirectory()
})
afterEach(() => home.remove())

const look = (clock: Clock, path = home.path) => firstLook({ path, memory: NO_MEMORY, clock, isLeftOut: () => false })

/** Advances by `stepMs` whenever it is read. */
function makeClock(stepMs: number): Clock {
  let nowMs = 0
  return () => {
    nowMs += stepMs
    return nowMs
  }
}

const PACES = { fast: 0, "slow after some files": 40, "slow from the beginning": 1000 }

for (const [pace, stepMs] of Object.entries(PACES)) {
  test(`a disk that is ${pace} gives every file once, in order of name, with the stamp of a later look`, async () => {
    const names = Array.from({ length: 150 }, (_, index) => `person-${String(index).padStart(3, "0")}`)
    for (const name of names.toReversed()) writeFlatFile(home.path, name)
    writeFileSync(join(home.path, "person-075.json"), "{")
    const files = (await look(makeClock(stepMs))) ?? []
    const labels = files.map(({ loaded }) => loaded?.resolved[0]?.account.label ?? loaded?.faults.length)
    expect(labels).toEqual(names.map((name, index) => (index === 75 ? 1 : `${name}@example.com`)))
    expect(files.map(file => file.stamp)).toEqual([...((await stampAccountFiles(home.path)) ?? [])])
  })
}

for (const stepMs of Object.values(PACES)) {
  test(`what is no file is passed over, a link to one is not (clock in steps of ${stepMs} ms)`, async () => {
    mkdirSync(join(home.path, "folder.json"))
    Bun.spawnSync(["mkfifo", join(home.path, "pipe.json")])
    symlinkSync(join(home.path, "nowhere"), join(home.path, "dangling.json"))
    symlinkSync(writeFlatFile(home.path, "ann"), join(home.path, "link.json"))
    const files = (await look(makeClock(stepMs))) ?? []
    expect(files.map(file => file.stamp.path)).toEqual([join(home.path, "ann.json"), join(home.path, "link.json")])
  })
}

test("a folder that does not exist is told from an empty one", async () => {
  expect(await look(makeClock(0))).toEqual([])
  expect(await look(makeClock(0), join(home.path, "missing"))).toBeUndefined()
})
