/** One line for each finished request. */

import { expect, test } from "bun:test"

import { type ErrorKind, GatewayError } from "#core/errors.ts"
import { type Log, type LogLevel, makeLog } from "#telemetry/log.ts"
import { describeOutcome, makeRequestLine } from "#telemetry/request-line.ts"

import { ACCOUNT, makeOutcome } from "./outcomes.ts"

const labelOf = () => "jordan@example.com"

test("a served request tells model, account, times, tokens and attempts", () => {
  expect(describeOutcome(makeOutcome({ attempts: 2 }), labelOf)).toEqual({
    level: "info",
    message: "request served",
    fields: {
      id: "req_0123456789",
      protocol: "openai-chat",
      model: "gpt-5.1-high",
      upstreamModel: "gpt-5.1",
      account: ACCOUNT,
      accountLabel: "jo***@example.com",
      keyId: "key-1",
      lane: "transcode",
      status: 200,
      firstByteMs: 40,
      totalMs: 500,
      inputTokens: 10,
      inputCachedTokens: 4,
      outputTokens: 6,
      reasoningTokens: 2,
      attempts: 2,
      retries: 1,
    },
  })
})

const LEVELS: readonly { readonly kind: ErrorKind; readonly level: LogLevel; readonly message: string }[] = [
  { kind: "cancelled", level: "info", message: "request cancelled" },
  { kind: "invalid-request", level: "info", message: "request failed" },
  { kind: "rate-limited", level: "info", message: "request failed" },
  { kind: "no-account", level: "warn", message: "request failed" },
  { kind: "upstream-protocol", level: "warn", message: "request failed" },
  { kind: "timeout", level: "warn", message: "request failed" },
  { kind: "internal", level: "error", message: "request failed" },
]

for (const { kind, level, message } of LEVELS) {
  test(`${kind} is logged as ${level}`, () => {
    const error = new GatewayError(kind, "words")
    const line = describeOutcome(makeOutcome({ error, status: error.status }), labelOf)
    expect(line).toMatchObject({ level, message, fields: { errorKind: kind, errorMessage: "words" } })
  })
}

test("a failure after the first byte is as serious as one before it, though the client got a 200", () => {
  const error = new GatewayError("upstream-protocol", "broke off")
  expect(describeOutcome(makeOutcome({ error, status: 200 }), labelOf).level).toBe("warn")
})

test("what the upstream said and what to do next is in the line", () => {
  const upstream = { status: 429, code: "usage_limit_reached", requestId: "up-1" }
  const error = new GatewayError("quota-exhausted", "spent", { upstream, hint: "wait", code: "c", retryAfterMs: 9 })
  expect(describeOutcome(makeOutcome({ error, status: 429 }), labelOf).fields).toMatchObject({
    errorCode: "c",
    errorHint: "wait",
    retryAfterMs: 9,
    upstreamStatus: 429,
    upstreamCode: "usage_limit_reached",
    upstreamRequestId: "up-1",
  })
})

test("a bug names its causes and the place, never their messages", () => {
  const cause = new TypeError("the prompt said: hello", { cause: new RangeError("more of it") })
  const error = new GatewayError("internal", "Internal error.", { cause })
  const { fields } = describeOutcome(makeOutcome({ error, status: 500 }), labelOf)
  expect(fields["causes"]).toMatch(/^TypeError at .*request-line\.test\.ts.* < RangeError at /)
  expect(JSON.stringify(fields)).not.toContain("hello")
})

test("a request that reached no account has no account in its line", () => {
  const { account: _account, usage: _usage, firstByteMs: _first, upstreamModel: _model, ...rest } = makeOutcome()
  const { fields } = describeOutcome(rest, labelOf)
  expect(Object.keys(fields)).toEqual([
    "id",
    "protocol",
    "model",
    "keyId",
    "lane",
    "status",
    "totalMs",
    "attempts",
    "retries",
  ])
})

test("the line goes to the log once, with its level", async () => {
  const lines: string[] = []
  const log: Log = await makeLog({
    level: "info",
    format: "json",
    destination: { write: line => void lines.push(line) },
  })
  makeRequestLine({ log, labelOf })(makeOutcome())
  expect(lines.map(line => JSON.parse(line))).toMatchObject([{ level: "info", id: "req_0123456789", outputTokens: 6 }])
})
