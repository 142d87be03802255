/** The crash run in small: `./dev bench crash` is the same with 200 accounts and 200 kills. */

import { expect, test } from "bun:test"

import { runCrashes } from "../support/crash/run.ts"

test("faults 26 and 61: a gateway that is killed under refreshes has every token on the disk, or says which it may have lost", async () => {
  const totals = await runCrashes({ kills: 6, accounts: 40, seed: 3 })
  expect(totals.complaints).toEqual([])
  expect(totals).toMatchObject({ lost: 0, secrets: { findings: [] } })
  // A run in which nothing happened would prove nothing.
  expect(totals.kills.total).toBe(6)
  expect(totals.refreshes).toBeGreaterThan(0)
  expect(totals.inFlight).toBeGreaterThan(0)
  // In files, in the database, and in the database as bare tokens that get their lasting id on the way.
  expect(totals.kinds).toMatchObject({ file: { accounts: 15 }, stored: { accounts: 13 }, bare: { accounts: 12 } })
  expect(totals.bare.promoted).toBeGreaterThanOrEqual(12)
}, 90_000)
