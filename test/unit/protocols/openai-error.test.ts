/** The OpenAI error envelope. */

import { describe, expect, test } from "bun:test"

import { ERROR_KINDS, type ErrorKind, GatewayError } from "#core/errors.ts"
import type { RequestId } from "#core/ids.ts"
import { encodeChatError } from "#protocols/openai-chat/encode-error.ts"
import { encodeResponsesError } from "#protocols/openai-responses/encode-error.ts"

const requestId = "req_0123456789ab" as RequestId
// The keys of the catalogue are the kinds.
const kinds = Object.keys(ERROR_KINDS) as readonly ErrorKind[]
const encoders = [encodeChatError, encodeResponsesError]

describe("every kind", () => {
  test("has all four keys, the catalogue's status and the request id in a header", () => {
    for (const encode of encoders) {
      for (const kind of kinds) {
        const reply = encode(new GatewayError(kind, "It failed."), requestId)
        const { error } = JSON.parse(reply.body)
        expect(reply.status).toBe(ERROR_KINDS[kind].status)
        expect(reply.headers["x-request-id"]).toBe(requestId)
        expect(reply.headers["content-type"]).toBe("application/json")
        expect(Object.keys(error).slice(0, 4)).toEqual(["message", "type", "param", "code"])
        expect([typeof error.message, typeof error.type, typeof error.code]).toEqual(["string", "string", "string"])
      }
    }
  })

  test("is an invalid request only when the client can do something about it", () => {
    for (const kind of kinds) {
      const { error } = JSON.parse(encodeChatError(new GatewayError(kind, "It failed."), requestId).body)
      const isClients = ["request", "client-key"].includes(ERROR_KINDS[kind].scope) || kind === "request-timeout"
      if (!isClients) expect(error.type).not.toBe("invalid_request_error")
    }
  })
})

test("the error's own code and parameter win over the default", () => {
  const error = new GatewayError("invalid-request", "Bad.", { code: "invalid_type", param: "messages[0].role" })
  expect(JSON.parse(encodeChatError(error, requestId).body)).toEqual({
    error: { message: "Bad.", type: "invalid_request_error", param: "messages[0].role", code: "invalid_type" },
  })
})

describe("a spent usage window", () => {
  const error = new GatewayError("quota-exhausted", "The usage limit has been reached", {
    retryAfterMs: 5_400_400,
    upstream: { planType: "plus", resetsAtSec: 1_790_000_000, code: "usage_limit_reached" },
  })
  const facts = { plan_type: "plus", resets_at: 1_790_000_000, resets_in_seconds: 5401, code: "usage_limit_reached" }

  test("keeps plan and reset time and says when to come back, in whole seconds", () => {
    const reply = encodeChatError(error, requestId)
    expect(JSON.parse(reply.body).error).toMatchObject({ ...facts, type: "rate_limit_error" })
    expect(reply.headers["retry-after"]).toBe("5401")
  })

  test("keeps the backend's own type in the Responses dialect, where Codex looks for it", () => {
    const reply = encodeResponsesError(error, requestId)
    expect(JSON.parse(reply.body).error).toMatchObject({ ...facts, type: "usage_limit_reached" })
  })
})

test("a passing limit without a stated time asks for one second, other failures for none", () => {
  const retryAfter = (kind: ErrorKind) => encodeChatError(new GatewayError(kind, "x"), requestId).headers["retry-after"]
  expect(retryAfter("rate-limited")).toBe("1")
  expect(retryAfter("no-account")).toBe("1")
  expect(retryAfter("invalid-request")).toBeUndefined()
  expect(retryAfter("internal")).toBeUndefined()
})

test("the id stands in the message of failures an operator looks up, and in no other", () => {
  const message = (kind: ErrorKind) =>
    JSON.parse(encodeChatError(new GatewayError(kind, "It failed."), requestId).body).error.message
  expect(message("internal")).toBe("It failed. (id req_0123456789ab)")
  expect(message("upstream-protocol")).toBe("It failed. (id req_0123456789ab)")
  expect(message("invalid-request")).toBe("It failed.")
})

test("addresses and tokens are taken out of messages, and long ones are cut", () => {
  const long = new GatewayError("upstream-unavailable", `for jo@example.com with sk-abcdefghij ${"x".repeat(4000)}`)
  const { message } = JSON.parse(encodeChatError(long, requestId).body).error
  expect(message).not.toContain("example.com")
  expect(message).not.toContain("sk-abcdefghij")
  expect(message.length).toBeLessThan(2100)
})
