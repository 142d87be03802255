/** The crash run's judge: it sees a lost token, and it does not take one in flight for lost. */

import { expect, test } from "bun:test"

import { refreshFingerprint } from "#accounts/fingerprint.ts"
import type { AccountId } from "#core/ids.ts"

import { audit, type ServerTokens } from "../../support/crash/audit.ts"
import type { Disk } from "../../support/crash/disk.ts"
import { makeDoubtBooks } from "../../support/crash/doubts.ts"

const ANN = "acc_ann" as AccountId

function serverWith(...live: readonly string[]): ServerTokens {
  return { rotations: 1, names: new Map([[ANN, "account-1"]]), live: new Map([[ANN, live]]) }
}

function diskWith({
  served,
  inFile = served,
  notes = [],
}: {
  served: string
  inFile?: string
  notes?: string[]
}): Disk {
  const account = { id: ANN, path: "ann.json", served, inFile }
  return { accounts: new Map([[ANN, account]]), intents: new Set(notes.map(refreshFingerprint)), journalled: 0 }
}

test("a used-up token without a note is lost", () => {
  expect(audit(diskWith({ served: "rt_1" }), serverWith("rt_2"))).toMatchObject({ lost: [ANN], usedUp: [] })
  expect(audit(diskWith({ served: "rt_1", notes: ["rt_0"] }), serverWith("rt_2"))).toMatchObject({ lost: [ANN] })
})

test("a used-up token with its note is one in flight, and so is a working one with its note", () => {
  const [used, works] = [serverWith("rt_2"), serverWith("rt_1")].map(server =>
    audit(diskWith({ served: "rt_1", notes: ["rt_1"] }), server),
  )
  expect(used).toMatchObject({ lost: [], usedUp: [refreshFingerprint("rt_1")] })
  expect(works).toMatchObject({ lost: [], usedUp: [], notes: new Map([[refreshFingerprint("rt_1"), ANN]]) })
})

test("a file behind its store is told, a file that is as dead as the store is not counted twice", () => {
  const behind = audit(diskWith({ served: "rt_2", inFile: "rt_1" }), serverWith("rt_2"))
  expect(behind.filesBehind.map(({ id }) => id)).toEqual([ANN])
  expect(audit(diskWith({ served: "rt_1" }), serverWith("rt_2")).filesBehind).toEqual([])
})

test("an account that is missing on the disk ends the run", () => {
  const empty: Disk = { accounts: new Map(), intents: new Set(), journalled: 0 }
  expect(() => audit(empty, serverWith("rt_1"))).toThrow("missing on the disk: acc_ann")
})

test("each exchange in flight ends once, as healed or with a login", () => {
  const books = makeDoubtBooks()
  expect(books.afterKill(new Map([["fp1", ANN]]))).toBe(1)
  expect(books.open()).toEqual([ANN])
  // Killed again before anything was settled.
  expect(books.afterKill(new Map([["fp1", ANN]]))).toBe(0)
  expect(books.afterKill(new Map([["fp2", ANN]]))).toBe(1)
  expect(books.totals()).toEqual({ inFlight: 2, healed: 1, logins: 0 })
  expect(books.askedForLogin(ANN)).toBe(true)
  expect(books.askedForLogin(ANN)).toBe(false)
  expect(books.open()).toEqual([])
  books.afterKill(new Map())
  expect(books.totals()).toEqual({ inFlight: 2, healed: 1, logins: 1 })
})
