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
}, 90_000)
