/** Which requests a relay carries: every address of a model turn that the routes have, and nothing else. */

import { expect, test } from "bun:test"

import { isHot } from "#relay/thread/hot-addresses.ts"

const at = (path: string, method = "POST") => isHot({ method, url: `http://127.0.0.1:8317${path}` })

test.each([
  ...["", "/v1", "/v1/v1", "/backend-api/codex"].map(prefix => `${prefix}/responses`),
  ...["", "/v1", "/v1/v1"].map(prefix => `${prefix}/chat/completions`),
  ...["", "/v1", "/v1/v1"].map(prefix => `${prefix}/completions`),
  ...["", "/v1", "/v1/v1"].map(prefix => `${prefix}/messages`),
  "/v1/messages?beta=true",
  ...["/v1beta", "/v1alpha", "/v1", "", "//v1beta", "//v1", "/v1beta/v1beta"].map(
    prefix => `${prefix}/models/gpt-5.5:generateContent`,
  ),
  "/v1beta/models/gpt-5.5:streamGenerateContent?alt=sse",
  "/v1beta/models/org/gpt-5.5:streamGenerateContent",
])("carried: %s", path => {
  expect(at(path)).toBe(true)
})

test.each([
  "/v1/messages/count_tokens",
  "/v1/responses/compact",
  "/v1/responses/resp_1/cancel",
  "/v1/images/generations",
  "/v1beta/models/gpt-5.5:countTokens",
  "/v1beta/models/gpt-5.5",
  "/api/admin/keys",
  "/api/chat",
  "/other/v1/responses",
  "/v1/responses/",
])("passed on: %s", path => {
  expect(at(path)).toBe(false)
})

test("only what posts a turn is carried", () => {
  expect(at("/v1/responses", "GET")).toBe(false)
  expect(at("/v1/chat/completions", "OPTIONS")).toBe(false)
})
