/** New conversations leave an account alone that has little left; its own stay with it. */

import { expect, test } from "bun:test"

import { id, makeHarness } from "./harness.ts"

const used = (percent: number) => [{ hours: 5, used: percent, resetsInMs: 3_600_000 }]

test("whoever is over the ceiling serves new conversations only when nobody else is free", () => {
  const { add, quota, lease } = makeHarness({ softCeilingPercent: 90, accountConcurrency: 1 })
  add("over", { priority: 50 })
  add("below")
  quota("over", used(90))
  quota("below", used(89))
  expect(lease().account).toBe(id("below"))
  expect(lease().account).toBe(id("over"))
})

test("fault 59: a conversation stays when its account crosses the ceiling", () => {
  const { add, quota, lease } = makeHarness({ softCeilingPercent: 90 })
  add("home")
  add("other")
  quota("home", used(94))
  expect(lease({ prefer: id("home") }).account).toBe(id("home"))
  expect(lease().account).toBe(id("other"))
})

test("the ceiling falls with the window's reset, and follows the setting while it runs", async () => {
  const { add, quota, lease, limits, time } = makeHarness({ softCeilingPercent: 50, strategy: "fill-first" })
  add("over")
  add("other")
  const taken = () => {
    const given = lease()
    given.release()
    return given.account
  }
  quota("over", used(60))
  expect(taken()).toBe(id("other"))
  limits.softCeilingPercent = 65
  expect(taken()).toBe(id("over"))
  limits.softCeilingPercent = 50
  expect(taken()).toBe(id("other"))
  await time.advance(3_600_000)
  expect(taken()).toBe(id("over"))
})
