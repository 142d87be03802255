/** The numbers in a refusal of an input that is too long. */

import { expect, test } from "bun:test"

import { GatewayError } from "#core/errors.ts"
import type { Verdict } from "#core/outcome.ts"
import { withWindow } from "#gateway/turn/with-window.ts"

import { decodeMessagesBody, user } from "../../protocols/anthropic-messages/messages-kit.ts"
import { makeModelInfo } from "../../protocols/request-kit.ts"

const request = decodeMessagesBody({ messages: [user("word ".repeat(4000))] })
const plan = { slug: "gpt-5.5", warnings: [], info: makeModelInfo({ contextTokens: 1000 }) }

function verdict(kind: "context-too-long" | "invalid-request"): Verdict {
  const options = { code: "context_length_exceeded", hint: "Shorten it.", upstream: { status: 400 } }
  return { error: new GatewayError(kind, "It is too long.", options), effect: { type: "none" }, next: "stop" }
}

test("a refusal for length says how long the input is about and how long it may be", () => {
  const { error } = withWindow(verdict("context-too-long"), { request, plan })
  expect(error.window).toEqual({ inputTokens: expect.any(Number), limitTokens: 1000 })
  expect(error.window?.inputTokens).toBeGreaterThan(3000)
  expect(error).toMatchObject({ code: "context_length_exceeded", hint: "Shorten it.", upstream: { status: 400 } })
})

test("other refusals, and models of unknown width, are left as they are", () => {
  const other = verdict("invalid-request")
  expect(withWindow(other, { request, plan })).toBe(other)
  const long = verdict("context-too-long")
  const { contextTokens: _, ...info } = plan.info
  expect(withWindow(long, { request, plan: { ...plan, info } })).toBe(long)
})
