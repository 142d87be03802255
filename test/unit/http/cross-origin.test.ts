import { expect, test } from "bun:test"

import { makeAdmission } from "#http/admission.ts"
import { preflight, withCrossOrigin } from "#http/cross-origin.ts"

import { NO_STORED_KEYS } from "../../support/stored-keys.ts"

function allowedOrigin(keys: readonly string[], headers: Record<string, string>): string | null {
  const request = new Request("http://gateway.test/v1/models", { headers })
  return withCrossOrigin(request, new Response("{}"), makeAdmission(keys, NO_STORED_KEYS)).headers.get(
    "access-control-allow-origin",
  )
}

test("a page may read answers when a key decides who may ask", () => {
  expect(allowedOrigin(["sk-1"], { origin: "https://example.com" })).toBe("*")
})

test("without keys no page of another site may read answers", () => {
  expect(allowedOrigin([], { origin: "https://example.com" })).toBeNull()
})

test("a program that is no browser gets no such header", () => {
  expect(allowedOrigin(["sk-1"], {})).toBeNull()
})

test("a preflight is answered without a key", () => {
  expect(preflight().status).toBe(204)
})
