/** The crash run's judge: it sees a lost token, and it does not take one in flight for lost. */

import { expect, test } from "bun:test"

import { refreshFingerprint } from "#accounts/fingerprint.ts"
import type { AccountId } from "#core/ids.ts"

import { audit as auditWith, bareIdOf, type ServerTokens } from "../../support/crash/audit.ts"
import type { Disk } from "../../support/crash/disk.ts"
import { makeDoubtBooks } from "../../support/crash/doubts.ts"

const ANN = "acc_ann" as AccountId
const BARE = bareIdOf("rt_bare")

function audit(disk: Disk, server: ServerTokens) {
  return auditWith(disk, server, new Map([[BARE, "account-1"]]))
}

function serverWith(...live: readonly string[]): ServerTokens {
  return { rotations: 1, names: new Map([[ANN, "account-1"]]), live: new Map([["account-1", live]]) }
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
  const account = { id: ANN, served, file: { path: "ann.json", token: inFile } }
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

function storedWith(id: AccountId, served: string): Disk {
  return { accounts: new Map([[id, { id, served, file: undefined }]]), intents: new Set(), journalled: 0 }
}

test("a stored account is found under the id of its bare token too, and lost when that was used up without a note", () => {
  expect(audit(storedWith(ANN, "rt_1"), serverWith("rt_2"))).toMatchObject({ lost: [ANN], unnamed: [] })
  expect(audit(storedWith(BARE, "rt_bare"), serverWith("rt_bare"))).toMatchObject({ lost: [], unnamed: [] })
  expect(audit(storedWith(BARE, "rt_bare"), serverWith("rt_2"))).toMatchObject({ lost: [BARE] })
  // Refreshed, and killed before it got its lasting id.
  expect(audit(storedWith(BARE, "rt_2"), serverWith("rt_2"))).toMatchObject({ lost: [], unnamed: [BARE] })
})

test("an account that nobody owns ends the run", () => {
  const strange = storedWith("acc_bob" as AccountId, "rt_1")
  expect(() => audit(strange, serverWith("rt_1"))).toThrow("on the disk only: acc_bob")
})

test("a doubt follows its account to the lasting id, and a login is not counted for another account of the same owner", () => {
  const books = makeDoubtBooks(() => "account-1")
  const none = new Set<string>()
  books.afterKill(new Map([["fp1", ANN]]), none)
  expect(books.askedForLogin(ANN)).toBe(true)
  books.afterKill(
    new Map([
      ["fp1", ANN],
      ["fp2", BARE],
    ]),
    none,
  )
  // Asked for at every start until somebody signs in.
  expect(books.askedForLogin(ANN)).toBe(false)
  expect(books.open()).toEqual([BARE])
  books.afterKill(new Map([["fp2", BARE]]), none)
  // The start gave the bare token its lasting id and asks under that.
  expect(books.askedForLogin(ANN)).toBe(true)
  books.afterKill(new Map([["fp3", BARE]]), none)
  books.afterKill(new Map([["fp3", ANN]]), none)
  expect(books.open()).toEqual([ANN])
})

test("an account that is missing on the disk ends the run", () => {
  const empty: Disk = { accounts: new Map(), intents: new Set(), journalled: 0 }
  expect(() => audit(empty, serverWith("rt_1"))).toThrow("not on the disk: account-1")
})

test("each exchange in flight ends once: healed, with a login, or replaced by a sign-in nobody asked for", () => {
  const books = makeDoubtBooks(() => undefined)
  const none = new Set<string>()
  expect(books.afterKill(new Map([["fp1", ANN]]), none)).toEqual({ fresh: [ANN], replaced: [] })
  expect(books.open()).toEqual([ANN])
  // Killed again before anything was settled.
  expect(books.afterKill(new Map([["fp1", ANN]]), none)).toEqual({ fresh: [], replaced: [] })
  expect(books.afterKill(new Map([["fp2", ANN]]), none)).toEqual({ fresh: [ANN], replaced: [] })
  expect(books.totals()).toEqual({ inFlight: 2, healed: 1, logins: 0, replaced: 0 })
  expect(books.askedForLogin(ANN)).toBe(true)
  expect(books.askedForLogin(ANN)).toBe(false)
  expect(books.open()).toEqual([])
  books.afterKill(new Map(), none)
  expect(books.totals()).toEqual({ inFlight: 2, healed: 1, logins: 1, replaced: 0 })
  books.afterKill(new Map([["fp3", ANN]]), none)
  expect(books.afterKill(new Map(), new Set(["fp3"]))).toEqual({ fresh: [], replaced: [ANN] })
  expect(books.totals()).toEqual({ inFlight: 3, healed: 1, logins: 1, replaced: 1 })
})
