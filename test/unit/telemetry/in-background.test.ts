/** Work nobody waits for still reports its failure. */

import { expect, test } from "bun:test"

import { inBackground } from "#telemetry/in-background.ts"

test("a failure is reported under its name", async () => {
  const failure = new Error("disk full")
  const told = new Promise<readonly [string, unknown]>(resolve => {
    inBackground("snapshot", Promise.reject(failure), (name, error) => resolve([name, error]))
  })
  expect(await told).toEqual(["snapshot", failure])
})

test("success reports nothing", async () => {
  let reports = 0
  const work = Promise.resolve("done")
  inBackground("snapshot", work, () => {
    reports++
  })
  await work
  await Promise.resolve()
  expect(reports).toBe(0)
})
