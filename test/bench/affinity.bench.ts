/**
 * Remembering which account serves a conversation, against two plain ways to do it in the same run; and what that adds to
 * a pick. Run with `bun test/bench/affinity.bench.ts`.
 */

import { measure } from "mitata"

import { systemTimers } from "#core/clock.ts"
import type { AccountId } from "#core/ids.ts"
import { makeAffinity } from "#gateway/affinity/affinity.ts"
import { makeSlabLru } from "#gateway/affinity/slab-lru.ts"
import { conversationKey } from "#protocols/conversation-seed.ts"
import { makeScheduler } from "#scheduler/scheduler.ts"

const CAPACITY = 100_000
const CONVERSATIONS = 65_536
const ACCOUNTS = 10_000
const START_MS = 1_800_000_000_000

/** Only a bench invents ids; the brand keeps plain text out of production code. */
const idOf = (index: number) => `acc_${index}` as AccountId

/** Keys as the gateway makes them. */
const keys = Array.from({ length: CONVERSATIONS }, (_, index) => conversationKey(`seed ${index}`, "bench"))

type Memory = { readonly get: (key: string) => unknown; readonly set: (key: string, value: number) => void }

/** Deleting and inserting again keeps a Map in order of use; the first key is the oldest. */
function makeReinserting(): Memory {
  const entries = new Map<string, number>()
  return {
    get: key => {
      const value = entries.get(key)
      if (value === undefined) return undefined
      entries.delete(key)
      entries.set(key, value)
      return value
    },
    set: (key, value) => {
      entries.delete(key)
      entries.set(key, value)
      if (entries.size <= CAPACITY) return
      const oldest = entries.keys().next()
      if (!oldest.done) entries.delete(oldest.value)
    },
  }
}

/** Two Maps: what was not used while the young one filled up is dropped whole. No idle time, no order. */
function makeGenerations(): Memory {
  let young = new Map<string, number>()
  let old = new Map<string, number>()
  const set = (key: string, value: number) => {
    young.set(key, value)
    if (young.size * 2 < CAPACITY) return
    old = young
    young = new Map()
  }
  return {
    get: key => {
      const fresh = young.get(key)
      if (fresh !== undefined) return fresh
      const aged = old.get(key)
      if (aged !== undefined) set(key, aged)
      return aged
    },
    set,
  }
}

function makeSlab(): Memory {
  let nowMs = START_MS
  return makeSlabLru({ clock: () => nowMs++, maxEntries: CAPACITY, idleMs: Number.MAX_SAFE_INTEGER })
}

/** Every key in turn, so that no processor cache holds the answer. */
function hits(memory: Memory): () => void {
  for (const [index, key] of keys.entries()) memory.set(key, index)
  let turn = 0
  return () => {
    memory.get(keys[turn] ?? "")
    turn = (turn + 12_289) % CONVERSATIONS
  }
}

function insertions(memory: Memory): () => void {
  let next = 0
  const add = () => memory.set(`00000000-0000-8000-8000-${String(next++).padStart(12, "0")}`, 1)
  for (let index = 0; index < 2 * CAPACITY; index++) add()
  return add
}

/** Each round gives back the oldest lease and takes a new one for some conversation's account, or for any account. */
function makePicks(bound: boolean): () => void {
  let nowMs = START_MS
  const clock = () => nowMs
  const scheduler = makeScheduler({
    clock,
    timers: systemTimers,
    random: () => 0,
    limits: () => ({ accountConcurrency: 4, queueMax: 0, queueTimeoutMs: 0 }),
  })
  const { conversations } = makeAffinity({ clock })
  for (let index = 0; index < ACCOUNTS; index++) {
    scheduler.upsert({ id: idOf(index), provider: "codex", lifecycle: "enabled", credential: "fresh" })
  }
  for (const [index, key] of keys.entries()) conversations.set(key, idOf(index % ACCOUNTS))
  const demand = { model: "gpt-5", exclude: new Set<AccountId>(), keyId: "bench", deadlineMs: Number.MAX_SAFE_INTEGER }
  const take = (turn: number) => {
    const prefer = bound ? conversations.get(keys[turn] ?? "") : undefined
    const acquired = scheduler.acquire(prefer === undefined ? demand : { ...demand, prefer })
    if (acquired.type !== "lease") throw new Error(acquired.type)
    return acquired.lease
  }
  const inFlight = Array.from({ length: ACCOUNTS }, (_, index) => take(index))
  let turn = 0
  let slot = 0
  return () => {
    nowMs += 1
    inFlight[slot]?.release()
    inFlight[slot] = take(turn)
    slot = (slot + 1) % ACCOUNTS
    turn = (turn + 12_289) % CONVERSATIONS
  }
}

const MEMORIES = [
  { name: "slab", make: makeSlab },
  { name: "two generations", make: makeGenerations },
  { name: "delete and insert", make: makeReinserting },
] as const

for (const { name, make } of MEMORIES) {
  const hit = await measure(hits(make()))
  const insert = await measure(insertions(make()))
  console.log(
    `${name.padEnd(18)} hit ${hit.avg.toFixed(0).padStart(5)} ns (p99 ${hit.p99.toFixed(0)}), ` +
      `insert and evict ${insert.avg.toFixed(0).padStart(6)} ns (p99 ${insert.p99.toFixed(0)})`,
  )
}
for (const bound of [false, true]) {
  const picks = await measure(makePicks(bound))
  const name = bound ? "look up, pick and release" : "pick and release"
  console.log(`${name}, ${ACCOUNTS} accounts: ${picks.avg.toFixed(0)} ns (p99 ${picks.p99.toFixed(0)})`)
}
