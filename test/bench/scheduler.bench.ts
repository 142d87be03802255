/**
 * Pick and release, against a scan over all accounts in the same run. Run with `bun test/bench/scheduler.bench.ts`.
 * The scan does what the scheduler promises (lowest utilisation, then unused for longest) over plain objects.
 */

import { measure } from "mitata"

import { systemTimers } from "#core/clock.ts"
import type { AccountId } from "#core/ids.ts"
import { makeScheduler } from "#scheduler/scheduler.ts"
import type { Lease } from "#scheduler/types.ts"

const SIZES = [10, 1_000, 10_000]
const CAP = 4
const MODEL = "gpt-5"

type Scanned = { readonly id: AccountId; load: number; lastUsed: number; readonly blockedUntilMs: number }

/** Only a bench invents ids; the brand keeps plain text out of production code. */
const idOf = (index: number) => `acc_${index}` as AccountId

/** Each round gives back the oldest lease and takes a new one, with a steady number in flight as under load. */
function makeScheduled(size: number): () => void {
  let nowMs = 1_800_000_000_000
  const scheduler = makeScheduler({
    clock: () => nowMs,
    timers: systemTimers,
    random: () => 0,
    limits: () => ({ accountConcurrency: CAP, queueMax: 0, queueTimeoutMs: 0 }),
  })
  for (let index = 0; index < size; index++) {
    const facts = { id: idOf(index), provider: "codex", lifecycle: "enabled", credential: "fresh" } as const
    scheduler.upsert(facts)
  }
  const demand = { model: MODEL, exclude: new Set<AccountId>(), keyId: "bench", deadlineMs: Number.MAX_SAFE_INTEGER }
  const take = (): Lease => {
    const acquired = scheduler.acquire(demand)
    if (acquired.type !== "lease") throw new Error(acquired.type)
    return acquired.lease
  }
  const inFlight = Array.from({ length: size }, take)
  let turn = 0
  return () => {
    nowMs += 1
    inFlight[turn]?.release()
    inFlight[turn] = take()
    turn = (turn + 1) % size
  }
}

function makeScan(size: number): () => void {
  const accounts = Array.from(
    { length: size },
    (_, index): Scanned => ({
      id: idOf(index),
      load: 0,
      lastUsed: 0,
      blockedUntilMs: 0,
    }),
  )
  let uses = 0
  let nowMs = 1_800_000_000_000
  const take = (): Scanned => {
    let best: Scanned | undefined
    for (const account of accounts) {
      if (account.load >= CAP || account.blockedUntilMs > nowMs) continue
      const better = best === undefined || account.load < best.load
      if (better || (account.load === best?.load && account.lastUsed < best.lastUsed)) best = account
    }
    if (best === undefined) throw new Error("no account")
    uses += 1
    best.load += 1
    best.lastUsed = uses
    return best
  }
  const inFlight = Array.from({ length: size }, take)
  let turn = 0
  return () => {
    nowMs += 1
    const old = inFlight[turn]
    if (old !== undefined) old.load -= 1
    inFlight[turn] = take()
    turn = (turn + 1) % size
  }
}

for (const size of SIZES) {
  const scheduled = await measure(makeScheduled(size))
  const scanned = await measure(makeScan(size))
  const ratio = (scanned.avg / scheduled.avg).toFixed(1)
  console.log(
    `${size} accounts: scheduler ${scheduled.avg.toFixed(0)} ns (p99 ${scheduled.p99.toFixed(0)}), scan ${scanned.avg.toFixed(0)} ns, scan/scheduler ${ratio}`,
  )
}
