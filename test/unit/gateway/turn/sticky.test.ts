import { expect, test } from "bun:test"

import type { AccountId } from "#core/ids.ts"
import { makeSticky } from "#gateway/turn/sticky.ts"

const account = (name: string) => name as AccountId

test("a conversation finds its account again", () => {
  const sticky = makeSticky(10)
  sticky.set("one", account("a"))
  sticky.set("one", account("b"))
  expect(sticky.get("one")).toBe(account("b"))
  expect(sticky.get("other")).toBeUndefined()
})

test("a million conversations stay within the bound, and the used one survives", () => {
  const sticky = makeSticky(1000)
  sticky.set("kept", account("a"))
  for (let index = 0; index < 1_000_000; index += 1) {
    sticky.set(`c${index}`, account("b"))
    if (index % 100 === 0) expect(sticky.get("kept")).toBe(account("a"))
  }
  expect(sticky.get("c0")).toBeUndefined()
})
