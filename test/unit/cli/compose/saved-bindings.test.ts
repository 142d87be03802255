import { afterEach, beforeEach, expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import { makeBindingKeeper } from "#cli/compose/saved-bindings.ts"
import type { AccountId } from "#core/ids.ts"
import { makeAffinity } from "#gateway/affinity/affinity.ts"
import { makeStore, type Store } from "#store/store.ts"

import { type ManualTime, makeManualTime } from "../../../support/manual-timers.ts"

const MINUTE_MS = 60_000
const account = (name: string) => name as AccountId

let home: string
let store: Store
let time: ManualTime

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "bindings-test-"))
  store = makeStore({ path: join(home, "core.db"), pid: process.pid })
  time = makeManualTime()
})

afterEach(() => {
  store.close()
  rmSync(home, { recursive: true, force: true })
})

/** A process that has just started. */
function start(rows: Pick<Store, "saveBindings" | "listBindings" | "deleteOldBindings"> = store) {
  const affinity = makeAffinity({ clock: time.clock })
  const keeper = makeBindingKeeper({ affinity, store: rows })
  keeper.restore()
  return { affinity, keeper }
}

const rowsOf = (kind: string) => store.listBindings(kind, { sinceMs: 0, maxRows: 1_000_000 })

test("all kinds come back after a restart, the latest account of each", () => {
  const before = start()
  before.affinity.conversations.set("c", account("a"))
  before.affinity.turnStates.set("t", account("a"))
  before.affinity.blobs.set("b", account("a"))
  before.keeper.save()
  before.affinity.conversations.set("c", account("b"))
  before.keeper.save()
  const { affinity } = start()
  expect(affinity.conversations.get("c")).toBe(account("b"))
  expect(affinity.turnStates.get("t")).toBe(account("a"))
  expect(affinity.blobs.get("b")).toBe(account("a"))
})

test("what was idle for too long does not come back, and its rows go", () => {
  const before = start()
  before.affinity.conversations.set("old", account("a"))
  before.keeper.save()
  time.advance(61 * MINUTE_MS)
  const after = start()
  expect(after.affinity.conversations.get("old")).toBeUndefined()
  expect(rowsOf("conversations")).toHaveLength(1)
  after.keeper.save()
  expect(rowsOf("conversations")).toEqual([])
})

test("a conversation that goes on for hours is not forgotten by a restart", () => {
  const before = start()
  before.affinity.conversations.set("long", account("a"))
  before.keeper.save()
  for (let minutes = 0; minutes < 180; minutes += 10) {
    time.advance(10 * MINUTE_MS)
    before.affinity.conversations.get("long")
    before.keeper.save()
  }
  expect(start().affinity.conversations.get("long")).toBe(account("a"))
})

test("a round writes a bounded number of rows, the stop writes the rest", () => {
  const { affinity, keeper } = start()
  for (let index = 0; index < 2_500; index += 1) affinity.conversations.set(`c${index}`, account("a"))
  keeper.save()
  expect(rowsOf("conversations")).toHaveLength(1_000)
  keeper.saveAll()
  expect(rowsOf("conversations")).toHaveLength(2_500)
})

test("a stop does not write for ever", () => {
  const { affinity, keeper } = start()
  for (let index = 0; index < 30_000; index += 1) affinity.conversations.set(`c${index}`, account("a"))
  keeper.saveAll()
  expect(rowsOf("conversations")).toHaveLength(20_000)
})

test("rows that a store refused are written in the next round", () => {
  let refuses = true
  const { affinity, keeper } = start({
    ...store,
    saveBindings: (kind, rows) => {
      if (refuses) throw new Error("database is locked")
      store.saveBindings(kind, rows)
    },
  })
  affinity.conversations.set("c", account("a"))
  expect(keeper.save).toThrow("locked")
  refuses = false
  keeper.save()
  expect(rowsOf("conversations")).toHaveLength(1)
})
