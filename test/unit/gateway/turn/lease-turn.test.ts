import { describe, expect, test } from "bun:test"

import { GatewayError } from "#core/errors.ts"
import type { AccountId } from "#core/ids.ts"
import { type LeaseWish, leaseAccount } from "#gateway/turn/lease-turn.ts"
import type { TurnParts } from "#gateway/turn/turn-parts.ts"
import type { Turn } from "#gateway/turn/turn-types.ts"

import { type Harness, id, makeHarness } from "../../scheduler/harness.ts"

// Leasing reads nothing else of a turn.
const turn = { plan: { slug: "gpt-5" }, call: { principal: { keyId: "key" } } } as unknown as Turn
const NOTHING: LeaseWish = {
  excluded: new Set(),
  prefer: undefined,
  requeued: new Set(),
  plansWithout: new Set(),
  lastError: undefined,
}

type Renewal = { readonly expired?: string; readonly renew?: (account: AccountId) => Promise<void> }

function partsOf({ scheduler, time }: Harness, { expired, renew }: Renewal = {}): TurnParts {
  const pool = {
    expiredAccount: () => (expired === undefined ? undefined : id(expired)),
    refreshNow: renew ?? (() => Promise.reject(new Error("not to be refreshed"))),
  }
  // Leasing uses the clock, the scheduler, these two of the pool and one limit.
  return { clock: time.clock, scheduler, pool, limits: () => ({ queueTimeoutMs: 1_000 }) } as unknown as TurnParts
}

const live = () => new AbortController().signal

describe("an account whose token has run out", () => {
  test("is renewed for the request that needs it", async () => {
    const made = makeHarness()
    made.add("a", { credential: "expired" })
    const parts = partsOf(made, {
      expired: "a",
      renew: async account => made.scheduler.setCredential(account, "fresh"),
    })
    const lease = await leaseAccount(turn, NOTHING, live(), parts)
    expect(lease.account).toBe(id("a"))
    lease.release()
  })

  test("that cannot be renewed leaves the scheduler's refusal as the answer", async () => {
    const made = makeHarness()
    made.add("a", { credential: "expired" })
    const leasing = leaseAccount(turn, NOTHING, live(), partsOf(made, { expired: "a" }))
    expect(leasing).rejects.toMatchObject({ kind: "no-account" })
  })

  test("is left alone while another account serves", async () => {
    const made = makeHarness()
    made.add("a", { credential: "expired" })
    made.add("b")
    expect((await leaseAccount(turn, NOTHING, live(), partsOf(made, { expired: "a" }))).account).toBe(id("b"))
  })

  test("whose client leaves during the exchange is not leased", async () => {
    const made = makeHarness()
    made.add("a", { credential: "expired" })
    const client = new AbortController()
    const parts = partsOf(made, {
      expired: "a",
      renew: async account => {
        client.abort()
        made.scheduler.setCredential(account, "fresh")
      },
    })
    await expect(leaseAccount(turn, NOTHING, client.signal, parts)).rejects.toMatchObject({ kind: "cancelled" })
    expect(made.scheduler.counts().leases).toBe(0)
  })
})

test("when every account was tried, the last answer is told instead of the fact", () => {
  const made = makeHarness()
  made.add("a")
  const lastError = new GatewayError("upstream-unavailable", "The upstream answered with status 500.")
  const wish = { ...NOTHING, excluded: new Set([id("a")]), lastError }
  expect(leaseAccount(turn, wish, live(), partsOf(made))).rejects.toBe(lastError)
})

test("a client that leaves while it waits gets out of the line", async () => {
  const made = makeHarness({ accountConcurrency: 1 })
  made.add("a")
  made.lease()
  const client = new AbortController()
  const leasing = leaseAccount(turn, NOTHING, client.signal, partsOf(made))
  expect(made.scheduler.counts().waiting).toBe(1)
  client.abort()
  expect(leasing).rejects.toMatchObject({ kind: "cancelled" })
  expect(made.scheduler.counts().waiting).toBe(0)
})
