/** A conversation whose account answers far more slowly than the others; in virtual time. */

import { expect, setDefaultTimeout, test } from "bun:test"

import type { AccountId } from "#core/ids.ts"
import type { JsonObject } from "#core/json.ts"

import { goodAfter, makeTurnWorld } from "../support/turn-world.ts"

// A busy machine: nothing here waits for real time.
setDefaultTimeout(20_000)

const FAST_MS = 1_000
const SLOW_MS = 8_000
const HOUR_MS = 3_600_000

/** A conversation on the account `a`, after every account has answered somebody else quickly; `slow` ones now take eight times as long. */
async function start(slow: readonly string[], accounts: readonly string[] = ["a", "b", "c", "d"]) {
  const world = makeTurnWorld({ accounts, scheduler: { strategy: "round-robin" } })
  const slowOnes = new Set<string>()
  world.always(account => goodAfter(slowOnes.has(account) ? SLOW_MS : FAST_MS))
  const say = async (body: JsonObject = { prompt_cache_key: "talk" }) => {
    expect((await world.settle(world.ask(body))).status).toBe(200)
    return world.accounts().at(-1)
  }
  for (const name of accounts) expect(await say({ prompt_cache_key: `another of ${name}` })).toBe(name)
  for (const name of slow) slowOnes.add(name)
  expect(await say()).toBe("a")
  return { ...world, say, slowOnes }
}

test("fault 60: a conversation leaves an account that was slow three turns in a row, and stays where it went", async () => {
  const { say } = await start(["a"])
  expect([await say(), await say()]).toEqual(["a", "a"])
  const escaped = await say()
  expect(escaped).not.toBe("a")
  expect([await say(), await say(), await say()]).toEqual([escaped, escaped, escaped])
})

test("fault 60: a slow turn now and then is no reason to leave", async () => {
  const { say, slowOnes } = await start([])
  for (let round = 0; round < 4; round += 1) {
    slowOnes.add("a")
    expect([await say(), await say()]).toEqual(["a", "a"])
    slowOnes.delete("a")
    expect(await say()).toBe("a")
  }
})

test("fault 60: what only the slow account can read stays with it", async () => {
  const { say, affinity } = await start(["a"])
  affinity.blobs.set("sealed-by-a", "a" as AccountId)
  const reasoning = { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "sealed-by-a" }
  const message = { type: "message", role: "user", content: [{ type: "input_text", text: "go on" }] }
  for (let turn = 0; turn < 6; turn += 1) {
    expect(await say({ prompt_cache_key: "talk", input: [reasoning, message] })).toBe("a")
  }
})

test("fault 60: a conversation does not flee from account to account: what is slow everywhere is its own doing", async () => {
  const { say, slowOnes, time } = await start(["a"])
  for (let turn = 0; turn < 2; turn += 1) await say()
  const escaped = (await say()) ?? ""
  slowOnes.add(escaped)
  for (let turn = 0; turn < 8; turn += 1) expect(await say()).toBe(escaped)
  time.advance(HOUR_MS - 10_000)
  await say()
  expect(await say()).toBe(escaped)
})

test("fault 60: while no other account is free or any faster, the conversation stays", async () => {
  const all = await start([])
  for (const name of "abcd") all.slowOnes.add(name)
  for (let round = 0; round < 6; round += 1) {
    for (const name of "abcd") expect(await all.say({ prompt_cache_key: `another of ${name}` })).toBe(name)
    expect(await all.say()).toBe("a")
  }
  const alone = await start(["a"], ["a"])
  for (let turn = 0; turn < 6; turn += 1) expect(await alone.say()).toBe("a")
})
