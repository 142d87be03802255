/** Marks of who can read a sealed item. */

import { expect, test } from "bun:test"

import type { AccountId } from "#core/ids.ts"
import { originOf } from "#gateway/turn/origin.ts"

const one = "acc_1111111111111111" as AccountId
const two = "acc_2222222222222222" as AccountId

test("models of one family share a mark, other families, accounts and client keys do not", () => {
  const mark = originOf("key", one, "gpt-5.6-sol")
  expect(originOf("key", one, "gpt-5.6-luna")).toBe(mark)
  const others = [
    originOf("key", one, "gpt-6-sol"),
    originOf("key", two, "gpt-5.6-sol"),
    originOf("other", one, "gpt-5.6-sol"),
  ]
  expect(new Set([mark, ...others]).size).toBe(4)
})

test("a mark says nothing about its account and fits into a signature", () => {
  const mark = originOf("key", one, "house-model")
  expect(mark).toMatch(/^[0-9a-f]{12}$/)
  expect(mark).not.toContain("1111")
})
