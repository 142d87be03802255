/**
 * Remembering which account serves a conversation, against two plain ways to do it in the same run; and what that adds to
 * a pick. Run with `bun test/bench/affinity.bench.ts`.
 */

import { systemTimers } from "#core/clock.ts"
import type { AccountId } from "#core/ids.ts"
import { makeAffinity } from "#gateway/affinity/affinity.ts"
import { conversationKey } from "#protocols/conversation-seed.ts"
import { makeScheduler } from "#scheduler/scheduler.ts"

import { sized } from "./smoke.ts"

const CAPACITY = sized(100_000, 4_000)
const CONVERSATIONS = sized(65_536, 2_048)
const ACCOUNTS = 10_000
const START_MS = 1_800_000_000_000

/** Only a bench invents ids; the brand keeps plain text out of production code. As in a run, there is one text an account. */
const ids = Array.from({ length: ACCOUNTS }, (_, index) => `acc_${index}` as AccountId)
const idOf = (index: number) => ids[index % ACCOUNTS] ?? ("" as AccountId)

const BATCH = 256
const BATCHES = sized(2_000, 20)

/** A key as the gateway makes it. */
const keyOf = (index: number) => conversationKey(`seed ${index}`, "bench")

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
  const { conversations } = makeAffinity({ clock: () => nowMs++ })
  return { get: conversations.get, set: (key, value) => conversations.set(key, idOf(value)) }
}

/** Times `run` on keys that were just made, as a request's is, while what is remembered of them lies in cold memory. */
function nsPerRun(nextKey: () => string, run: (key: string) => void): { readonly p50: number; readonly p99: number } {
  const batchesNs: number[] = []
  for (let batch = 0; batch < BATCHES; batch++) {
    const keys = Array.from({ length: BATCH }, nextKey)
    const startedNs = Bun.nanoseconds()
    for (const key of keys) run(key)
    batchesNs.push((Bun.nanoseconds() - startedNs) / BATCH)
  }
  // The first half is for the compiler.
  const counted = batchesNs.slice(BATCHES / 2).sort((left, right) => left - right)
  const at = (share: number) => counted[Math.floor(counted.length * share)] ?? 0
  return { p50: at(0.5), p99: at(0.99) }
}

/** Every conversation in turn, each far from the last one. */
function makeTurns(): () => string {
  let turn = 0
  return () => {
    turn = (turn + 12_289) % CONVERSATIONS
    return keyOf(turn)
  }
}

function hits(memory: Memory) {
  for (let index = 0; index < CONVERSATIONS; index++) memory.set(keyOf(index), index)
  return nsPerRun(makeTurns(), key => memory.get(key))
}

function insertions(memory: Memory) {
  let next = CONVERSATIONS
  const nextKey = () => keyOf(next++)
  for (let index = 0; index < CAPACITY; index++) memory.set(nextKey(), 1)
  return nsPerRun(nextKey, key => memory.set(key, 1))
}

/** Each round gives back the oldest lease and takes a new one for some conversation's account, or for any account. */
function picks(bound: boolean) {
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
  for (let index = 0; index < CONVERSATIONS; index++) conversations.set(keyOf(index), idOf(index))
  const demand = { model: "gpt-5", exclude: new Set<AccountId>(), keyId: "bench", deadlineMs: Number.MAX_SAFE_INTEGER }
  const take = (key: string) => {
    const only = bound ? conversations.get(key) : undefined
    const acquired = scheduler.acquire(only === undefined ? demand : { ...demand, only })
    if (acquired.type !== "lease") throw new Error(acquired.type)
    return acquired.lease
  }
  const inFlight = Array.from({ length: ACCOUNTS }, (_, index) => take(keyOf(index)))
  let slot = 0
  return nsPerRun(makeTurns(), key => {
    nowMs += 1
    inFlight[slot]?.release()
    inFlight[slot] = take(key)
    slot = (slot + 1) % ACCOUNTS
  })
}

const MEMORIES = [
  { name: "slab", make: makeSlab },
  { name: "two generations", make: makeGenerations },
  { name: "delete and insert", make: makeReinserting },
] as const

for (const { name, make } of MEMORIES) {
  const hit = hits(make())
  const insert = insertions(make())
  console.log(
    `${name.padEnd(18)} hit ${hit.p50.toFixed(0).padStart(5)} ns (p99 ${hit.p99.toFixed(0)}), ` +
      `insert and evict ${insert.p50.toFixed(0).padStart(6)} ns (p99 ${insert.p99.toFixed(0)})`,
  )
}
for (const bound of [false, true]) {
  const { p50, p99 } = picks(bound)
  const name = bound ? "look up, pick and release" : "pick and release"
  console.log(`${name}, ${ACCOUNTS} accounts: ${p50.toFixed(0)} ns (p99 ${p99.toFixed(0)})`)
}
