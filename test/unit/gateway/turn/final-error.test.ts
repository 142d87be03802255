import { expect, test } from "bun:test"

import { GatewayError } from "#core/errors.ts"
import { finalError } from "#gateway/turn/final-error.ts"

import { block, type Harness, id, makeHarness, START_MS } from "../../scheduler/harness.ts"

function harness(...accounts: readonly string[]): Harness {
  const made = makeHarness({ accountConcurrency: 1 })
  for (const account of accounts) made.add(account)
  return made
}

const shown = (error: GatewayError, { scheduler, time }: Harness, ...tried: readonly string[]) =>
  finalError({ error, model: "gpt-5", keyId: "key", tried: new Set(tried.map(id)), nowMs: time.clock() }, scheduler)

const burst = new GatewayError("rate-limited", "Slow down.", { retryAfterMs: 30_000 })
const spent = new GatewayError("quota-exhausted", "Spent.", { retryAfterMs: 9_000_000 })

test("a failure that is no limit is passed on as it is, whoever else could serve", () => {
  const error = new GatewayError("upstream-unavailable", "Down.")
  expect(shown(error, harness("a", "b"), "a")).toBe(error)
})

test.each([burst, spent])("while another account could serve, a limit ($kind) is 503 with a short wait", limit => {
  const made = harness("a", "b")
  const error = shown(limit, made, "a")
  expect(error).toMatchObject({ kind: "no-account", code: "accounts_busy", retryAfterMs: 1_000 })
  expect(made.scheduler.counts().leases).toBe(0)
})

test("while the others are merely busy, a limit is 503 as well, and nobody is left waiting", () => {
  const made = harness("a", "b")
  made.lease({ exclude: new Set([id("a")]) })
  expect(shown(burst, made, "a")).toMatchObject({ kind: "no-account", code: "accounts_busy" })
  expect(made.scheduler.counts().waiting).toBe(0)
})

test("when every account is spent, the client hears when the first one opens again", () => {
  const made = harness("a", "b")
  made.report("a", block("quota", 7_200_000))
  made.report("b", block("quota", 3_600_000))
  const error = shown(spent, made, "a")
  expect(error.kind).toBe("quota-exhausted")
  expect(error.upstream?.resetsAtSec).toBeLessThan((START_MS + 7_000_000) / 1000)
})

test("when the only account is throttled, its own wait is passed on", () => {
  expect(shown(burst, harness("a"), "a")).toBe(burst)
})
