/** Errors of the Messages dialect: envelope, status, and what clients read before they try again. */

import { describe, expect, test } from "bun:test"

import { ERROR_KINDS, type ErrorKind, GatewayError, type GatewayErrorOptions } from "#core/errors.ts"
import type { RequestId } from "#core/ids.ts"
import { encodeMessagesError } from "#protocols/anthropic-messages/encode-error.ts"

/** Every type the SDK knows, and the one of bodies that are too large. */
const TYPES = [
  "invalid_request_error",
  "authentication_error",
  "permission_error",
  "not_found_error",
  "rate_limit_error",
  "timeout_error",
  "overloaded_error",
  "api_error",
  "request_too_large",
]

function encode(kind: ErrorKind, message = "It failed.", options: GatewayErrorOptions = {}) {
  const reply = encodeMessagesError(new GatewayError(kind, message, options), "req_7" as RequestId)
  return { ...reply, json: JSON.parse(reply.body) }
}

describe("every kind of failure", () => {
  test.each(Object.keys(ERROR_KINDS) as ErrorKind[])("%s has the envelope, a known type and the request's id", kind => {
    const { json, headers, status } = encode(kind)
    expect(json).toEqual({
      type: "error",
      error: { type: expect.stringMatching(new RegExp(`^(${TYPES.join("|")})$`)), message: expect.any(String) },
      request_id: "req_7",
    })
    expect(headers).toMatchObject({ "request-id": "req_7", "content-type": "application/json" })
    const comesBack = [429, 503, 529].includes(status)
    expect(headers["retry-after"] !== undefined).toBe(comesBack)
    expect(headers["x-should-retry"]).toBe(
      status < 500 && status !== 408 && status !== 429 ? "false" : (undefined as never),
    )
  })

  test.each(["credential-rejected", "no-account", "upstream-overloaded"] as const)(
    "%s is told as overload, never as the client's fault",
    kind => {
      expect(encode(kind)).toMatchObject({ status: 529, json: { error: { type: "overloaded_error" } } })
    },
  )
})

describe("phrases that clients look for", () => {
  test("61: an input that is too long is told with two numbers, the larger one first", () => {
    const window = { inputTokens: 300_000, limitTokens: 272_000 }
    const told = (facts: GatewayErrorOptions) =>
      encode("context-too-long", "Your input exceeds …", facts).json.error.message
    expect(told({ window })).toBe("prompt is too long: 300000 tokens > 272000 maximum")
    expect(told({ window: { ...window, inputTokens: 9 } })).toBe("prompt is too long: 272001 tokens > 272000 maximum")
    expect(told({})).toBe("prompt is too long")
  })

  test("a model that is not served is named behind its member", () => {
    expect(encode("model-not-found", 'The model "x" does not exist.').json.error.message).toStartWith(
      'model: The model "x"',
    )
  })

  test("stale reasoning that could not be healed is told in the vendor's words", () => {
    const { json } = encode("invalid-request", "…", { upstream: { code: "invalid_encrypted_content" } })
    expect(json.error.message).toMatch(/signature.*thinking/)
  })

  test("the member at fault is named once, a refused tool first of all", () => {
    expect(encode("invalid-request", "It must be text.", { param: "system" }).json.error.message).toBe(
      "system: It must be text.",
    )
    expect(encode("invalid-request", "'system' must be text.", { param: "system" }).json.error.message).toBe(
      "'system' must be text.",
    )
    const refused = encode("invalid-request", "Input tag 'advisor_1' found", { param: "tools" })
    expect(refused.json.error.message).toStartWith("Input tag 'advisor_1'")
  })

  test("threads are declined in the details the SDK reads", () => {
    expect(encode("invalid-request", "No.", { code: "thread_unsupported_request" }).json.error.details).toEqual({
      error_code: "thread_unsupported_request",
      unsupported: ["thread"],
    })
  })

  test("messages are one line without secrets", () => {
    const { json } = encode("upstream-unavailable", "a\nb\n  token sk-1234567890abcdef of me@example.org")
    expect(json.error.message).toBe("a b token [token] of [e-mail]")
  })
})

describe("when to come back", () => {
  test("64: a quota that opens in hours is not waited for", () => {
    const { status, headers } = encode("quota-exhausted", "Spent.", { retryAfterMs: 18_000_000 })
    expect({ status, ...headers }).toMatchObject({ status: 429, "retry-after": "18000", "x-should-retry": "false" })
  })

  test("a short pause is in whole seconds and waited for", () => {
    const { headers } = encode("rate-limited", "Slow down.", { retryAfterMs: 1200 })
    expect(headers["retry-after"]).toBe("2")
    expect(headers["x-should-retry"]).toBeUndefined()
  })
})
