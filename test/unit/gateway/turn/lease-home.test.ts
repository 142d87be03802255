import { describe, expect, test } from "bun:test"

import type { GatewayError } from "#core/errors.ts"
import type { Hold } from "#gateway/affinity/home.ts"
import { makeStandings } from "#gateway/affinity/standing.ts"
import { leaseHome } from "#gateway/turn/lease-home.ts"
import { exclude, startTries } from "#gateway/turn/tries.ts"
import type { TurnParts } from "#gateway/turn/turn-parts.ts"
import type { Turn } from "#gateway/turn/turn-types.ts"

import { block, type Harness, id, makeHarness } from "../../scheduler/harness.ts"

// Leasing reads nothing else of a turn.
const turn = { plan: { slug: "gpt-5" }, call: { principal: { keyId: "key" } } } as unknown as Turn
const HOUR_MS = 3_600_000

/** A pool of `home` and `other` with one place each, and a request that belongs to `home`. */
function start(hold: Hold) {
  const made = makeHarness({ accountConcurrency: 1 })
  made.add("home")
  made.add("other")
  const { scheduler, time } = made
  const standingOf = makeStandings({ scheduler })
  const limits = () => ({ queueTimeoutMs: 30_000 })
  const parts = { clock: time.clock, scheduler, standingOf, limits } as unknown as TurnParts
  const trace = { reasoning: new Map(), hasReasoning: false, hasCompaction: false }
  const tries = startTries({ account: id("home"), hold, owns: false }, trace)
  const client = new AbortController()
  return { made, tries, client, lease: () => leaseHome(turn, tries, client.signal, parts) }
}

/** What a pending lease has come to by now. */
async function outcomeOf(pending: Promise<{ readonly account: string } | undefined>): Promise<string> {
  return Promise.race([
    pending.then(lease => lease?.account ?? "elsewhere"),
    new Promise<string>(resolve => setImmediate(() => resolve("waits"))),
  ])
}

const waiting = ({ scheduler }: Harness) => scheduler.counts().waiting

describe("a home that is free", () => {
  test.each(["soft", "hard", "fixed"] as const)("is leased at once (%s)", async hold => {
    expect(await outcomeOf(start(hold).lease())).toBe("home")
  })

  test("that is only a hint is left to the usual pick", async () => {
    expect(await outcomeOf(start("hint").lease())).toBe("elsewhere")
  })
})

describe("a busy home", () => {
  test("gives its place to whoever waits for it, although another account is idle", async () => {
    const { made, lease } = start("soft")
    const held = made.lease({ prefer: id("home") })
    const pending = lease()
    expect(await outcomeOf(pending)).toBe("waits")
    await made.time.advanceAsync(1_000)
    held.release()
    expect(await outcomeOf(pending)).toBe("home")
  })

  test.each([
    ["soft", 2_000],
    ["hard", 30_000],
  ] as const)("%s: is waited for %d ms, and keeps the conversation all the same", async (hold, waitMs) => {
    const { made, tries, lease } = start(hold)
    made.lease({ prefer: id("home") })
    const pending = lease()
    await made.time.advanceAsync(waitMs - 1)
    expect(await outcomeOf(pending)).toBe("waits")
    await made.time.advanceAsync(1)
    expect(await outcomeOf(pending)).toBe("elsewhere")
    expect(tries.lost.size).toBe(0)
    expect(waiting(made)).toBe(0)
  })

  test("that no other account can stand in for is named when the wait is over", async () => {
    const { made, lease } = start("fixed")
    made.lease({ prefer: id("home") })
    const failure = lease().catch((cause: unknown) => cause)
    await made.time.advanceAsync(30_000)
    expect(await failure).toMatchObject({ kind: "no-account", code: "compaction_account_unavailable" })
  })

  test("is not waited for any longer when the client leaves", async () => {
    const { made, client, lease } = start("hard")
    made.lease({ prefer: id("home") })
    const pending = lease()
    expect(await outcomeOf(pending)).toBe("waits")
    client.abort()
    await expect(pending).rejects.toMatchObject({ kind: "cancelled" })
    expect(waiting(made)).toBe(0)
  })
})

describe("a home that rests", () => {
  test.each([
    ["soft", 9_000],
    ["hard", 14_000],
  ] as const)("%s: is waited for when it rests for %d ms", async (hold, restMs) => {
    const { made, lease } = start(hold)
    made.report("home", block("burst", restMs, { type: "model", model: "gpt-5" }))
    const pending = lease()
    expect(await outcomeOf(pending)).toBe("waits")
    await made.time.advanceAsync(restMs + 1)
    expect(await outcomeOf(pending)).toBe("home")
  })

  test.each([
    ["soft", 11_000],
    ["hard", 16_000],
    ["hard", HOUR_MS],
  ] as const)("%s: is given up when it rests for %d ms", async (hold, restMs) => {
    const { made, tries, lease } = start(hold)
    made.report("home", block("quota", restMs))
    expect(await outcomeOf(lease())).toBe("elsewhere")
    expect([...tries.lost]).toEqual([id("home")])
  })

  test("for another model is not resting", async () => {
    const { made, lease } = start("soft")
    made.report("home", block("quota", HOUR_MS, { type: "model", model: "other" }))
    expect(await outcomeOf(lease())).toBe("home")
  })

  test("and cannot be stood in for is named with the end of its rest", async () => {
    const { made, lease } = start("fixed")
    made.report("home", block("quota", HOUR_MS))
    const error = await lease().catch((cause: unknown) => cause)
    expect(error).toMatchObject({ kind: "no-account", code: "compaction_account_unavailable" })
    expect((error as GatewayError).retryAfterMs).toBeGreaterThanOrEqual(HOUR_MS)
  })

  test("since a moment ago is not taken for ready because of an older look", async () => {
    const { made, tries, lease } = start("hard")
    const held = made.lease({ prefer: id("home") })
    const pending = lease()
    held.release()
    ;(await pending)?.release()
    made.time.advance(10)
    made.report("home", block("quota", HOUR_MS))
    expect(await outcomeOf(lease())).toBe("elsewhere")
    expect([...tries.lost]).toEqual([id("home")])
  })
})

describe("a home that is out", () => {
  test.each(["paused", "needs-login", "suspended"] as const)("%s: loses the conversation", async lifecycle => {
    const { made, tries, lease } = start("hard")
    made.scheduler.setLifecycle(id("home"), lifecycle)
    expect(await outcomeOf(lease())).toBe("elsewhere")
    expect([...tries.lost]).toEqual([id("home")])
  })

  test("because it was removed loses the conversation", async () => {
    const { made, tries, lease } = start("soft")
    made.scheduler.remove(id("home"))
    expect(await outcomeOf(lease())).toBe("elsewhere")
    expect([...tries.lost]).toEqual([id("home")])
  })

  test("until its token is renewed keeps the conversation", async () => {
    const { made, tries, lease } = start("soft")
    made.scheduler.setCredential(id("home"), "expired")
    expect(await outcomeOf(lease())).toBe("elsewhere")
    expect(tries.lost.size).toBe(0)
  })

  test("for this request is not asked again", async () => {
    const { tries, lease } = start("hard")
    exclude(tries, id("home"))
    expect(await outcomeOf(lease())).toBe("elsewhere")
  })

  test("for good, and cannot be stood in for, is the client's problem to solve", async () => {
    const { made, lease } = start("fixed")
    made.scheduler.remove(id("home"))
    await expect(lease()).rejects.toMatchObject({ kind: "invalid-request", code: "compaction_account_unavailable" })
  })
})
