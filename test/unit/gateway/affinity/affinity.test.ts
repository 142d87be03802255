import { describe, expect, test } from "bun:test"

import type { AccountId } from "#core/ids.ts"
import { makeAffinity } from "#gateway/affinity/affinity.ts"

import { makeManualTime } from "../../../support/manual-timers.ts"

const HOUR_MS = 60 * 60_000
const account = (name: string) => name as AccountId

function start() {
  const time = makeManualTime()
  return { time, affinity: makeAffinity({ clock: time.clock }) }
}

test("a conversation finds its account again, and the account it was given last", () => {
  const { conversations } = start().affinity
  conversations.set("one", account("a"))
  conversations.set("one", account("b"))
  expect(conversations.get("one")).toBe(account("b"))
  expect(conversations.get("other")).toBeUndefined()
})

test("each kind is remembered for its own time", () => {
  const { time, affinity } = start()
  for (const memory of Object.values(affinity)) memory.set("x", account("a"))
  const known = () => Object.entries(affinity).flatMap(([kind, memory]) => (memory.get("x") ? [kind] : []))
  time.advance(HOUR_MS)
  expect(known()).toEqual(["conversations", "turnStates", "blobs", "escapes"])
  time.advance(24 * HOUR_MS)
  expect(known()).toEqual(["turnStates", "blobs"])
  time.advance(7 * 24 * HOUR_MS)
  expect(known()).toEqual(["blobs"])
  time.advance(7 * 24 * HOUR_MS + 1)
  expect(known()).toEqual([])
})

test("names are kept as digests, which stay the same from one version to the next", () => {
  const { affinity } = start()
  affinity.blobs.set(`gAAAA${"x".repeat(50_000)}`, account("a"))
  affinity.blobs.set("gAAAA", account("a"))
  expect(affinity.blobs.takeChanged(10).map(({ key }) => key)).toEqual([2606537742486726, 5699962437035851])
})

describe("over a restart", () => {
  test("bindings come back with their age", () => {
    const { time, affinity } = start()
    affinity.conversations.set("one", account("a"))
    time.advance(HOUR_MS / 2)
    affinity.conversations.set("two", account("b"))
    const kept = affinity.conversations.takeChanged(10)
    const { conversations } = makeAffinity({ clock: time.clock })
    conversations.restore(kept)
    expect(conversations.takeChanged(10)).toEqual([])
    time.advance(HOUR_MS / 2 + 1)
    expect(conversations.get("one")).toBeUndefined()
    expect(conversations.get("two")).toBe(account("b"))
  })

  test("what is idle need not be kept, nor what a full memory has forgotten", () => {
    const { time, affinity } = start()
    const { conversations } = affinity
    expect(conversations.horizonMs()).toBe(time.clock() - HOUR_MS)
    for (let index = 0; index < conversations.maxEntries; index += 1) conversations.set(`c${index}`, account("a"))
    time.advance(1000)
    for (let index = 0; index < conversations.maxEntries; index += 1) conversations.set(`d${index}`, account("a"))
    expect(conversations.horizonMs()).toBe(time.clock())
  })
})
