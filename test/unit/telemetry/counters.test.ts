/** Sums for the statistics endpoint. */

import { expect, test } from "bun:test"

import { GatewayError } from "#core/errors.ts"
import { makeCounters } from "#telemetry/counters.ts"

import { ACCOUNT, makeOutcome, OTHER_ACCOUNT } from "./outcomes.ts"

test("before the first request everything is zero", () => {
  const { total, accounts } = makeCounters().snapshot()
  expect(total).toMatchObject({ requests: 0, errors: 0, outputTokens: 0, lastUsedAtMs: undefined })
  expect(accounts.size).toBe(0)
})

test("requests, errors, retries, tokens and the last use add up for each account and in total", () => {
  const counters = makeCounters()
  counters.recordOutcome(makeOutcome({ attempts: 3 }))
  const { usage: _usage, ...failed } = makeOutcome({ startedAtMs: 9000, error: new GatewayError("timeout", "late") })
  counters.recordOutcome(failed)
  counters.recordOutcome(makeOutcome({ account: OTHER_ACCOUNT, startedAtMs: 5000 }))
  const { total, accounts } = counters.snapshot()
  expect(total).toEqual({
    requests: 3,
    errors: 1,
    cancelled: 0,
    retries: 2,
    inputTokens: 20,
    inputCachedTokens: 8,
    outputTokens: 12,
    reasoningTokens: 4,
    lastUsedAtMs: 9500,
  })
  expect(accounts.get(ACCOUNT)).toMatchObject({
    requests: 2,
    errors: 1,
    retries: 2,
    inputTokens: 10,
    lastUsedAtMs: 9500,
  })
  expect(accounts.get(OTHER_ACCOUNT)).toMatchObject({ requests: 1, errors: 0, lastUsedAtMs: 5500 })
})

test("a cancelled request is not an error, and one without an account counts in total only", () => {
  const counters = makeCounters()
  const { account: _account, ...homeless } = makeOutcome({ error: new GatewayError("no-account", "none"), attempts: 0 })
  counters.recordOutcome(homeless)
  counters.recordOutcome(makeOutcome({ error: new GatewayError("cancelled", "gone") }))
  const { total, accounts } = counters.snapshot()
  expect(total).toMatchObject({ requests: 2, errors: 1, cancelled: 1, retries: 0 })
  expect(accounts.get(ACCOUNT)).toMatchObject({ requests: 1, errors: 0, cancelled: 1 })
})

test("a late end of an early request does not move the last use back", () => {
  const counters = makeCounters()
  counters.recordOutcome(makeOutcome({ startedAtMs: 9000 }))
  counters.recordOutcome(makeOutcome({ startedAtMs: 1000 }))
  expect(counters.snapshot().total.lastUsedAtMs).toBe(9500)
})

test("a snapshot does not change afterwards, and a forgotten account is gone from the next one", () => {
  const counters = makeCounters()
  counters.recordOutcome(makeOutcome())
  const before = counters.snapshot()
  counters.forget(ACCOUNT)
  counters.recordOutcome(makeOutcome({ account: OTHER_ACCOUNT }))
  expect([...before.accounts.keys()]).toEqual([ACCOUNT])
  expect([...counters.snapshot().accounts.keys()]).toEqual([OTHER_ACCOUNT])
  expect(counters.snapshot().total.requests).toBe(2)
})
