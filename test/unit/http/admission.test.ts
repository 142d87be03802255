import { describe, expect, test } from "bun:test"

import type { GatewayError } from "#core/errors.ts"
import { makeAdmission } from "#http/admission.ts"

import { NO_STORED_KEYS } from "../../support/stored-keys.ts"

const KEY = "sk-sluice-test-1"

function admit(keys: readonly string[], headers: Record<string, string>, query = "", origin = "http://127.0.0.1:8080") {
  const request = new Request(`${origin}/v1/models${query}`, { headers })
  return makeAdmission(keys, NO_STORED_KEYS).admit(request, new URL(request.url), () => "127.0.0.1")
}

function refusal(keys: readonly string[], headers: Record<string, string>, query = ""): GatewayError {
  try {
    admit(keys, headers, query)
  } catch (error) {
    return error as GatewayError
  }
  throw new Error("the request was admitted")
}

describe("client keys", () => {
  test.each([
    [{ authorization: `Bearer ${KEY}` }, ""],
    [{ authorization: `bearer ${KEY}` }, ""],
    [{ "x-api-key": KEY }, ""],
    [{ "x-goog-api-key": KEY }, ""],
    [{}, `?key=${KEY}`],
  ])("a known key is accepted in %p%s", (headers, query) => {
    expect(admit(["other", KEY], headers, query).keyId).toMatch(/^[0-9a-f]{8}$/)
  })

  test("35: of two keys one has to be good, whichever it is", () => {
    const good = admit([KEY], { "x-api-key": KEY }).keyId
    expect(admit([KEY], { authorization: "Bearer wrong", "x-api-key": KEY }).keyId).toBe(good)
    expect(admit([KEY], { authorization: `Bearer ${KEY}`, "x-api-key": "wrong" }).keyId).toBe(good)
    expect(refusal([KEY], { authorization: "Bearer wrong", "x-api-key": "wrong too" }).kind).toBe("unauthorized")
  })

  test("two keys are two principals, and the id does not contain the key", () => {
    const first = admit(["one-key-1234", KEY], { "x-api-key": "one-key-1234" }).keyId
    const second = admit(["one-key-1234", KEY], { "x-api-key": KEY }).keyId
    expect(first).not.toBe(second)
    expect(KEY).not.toContain(second)
  })

  test.each([[{}], [{ authorization: "Bearer wrong" }], [{ authorization: `Basic ${KEY}` }], [{ "x-api-key": "" }]])(
    "%p is refused with 401",
    headers => {
      expect(refusal([KEY], headers)).toMatchObject({ kind: "unauthorized", code: "invalid_api_key" })
    },
  )

  test("without configured keys everyone on this machine may ask", () => {
    expect(admit([], {}).keyId).toBe("anonymous")
    expect(admit([], { origin: "http://localhost:3000" }).keyId).toBe("anonymous")
    expect(admit([], { origin: "vscode-webview://panel" }).keyId).toBe("anonymous")
  })

  test("without configured keys a page of another site may not use the gateway through the user's browser", () => {
    expect(refusal([], { origin: "https://example.com" }).kind).toBe("forbidden")
    expect(refusal([], { origin: "https://localhost.example.com" }).kind).toBe("forbidden")
    expect(refusal([], { origin: "null" }).kind).toBe("forbidden")
  })

  test("without configured keys a host name that a page may have pointed at this machine is refused", () => {
    expect(() => admit([], {}, "", "http://rebound.example.com:8080")).toThrow("other host names")
    expect(admit([], {}, "", "http://localhost:8080").keyId).toBe("anonymous")
    expect(admit([], {}, "", "http://[::1]:8080").keyId).toBe("anonymous")
    expect(admit([KEY], { "x-api-key": KEY }, "", "http://gateway.example.com").keyId).toMatch(/^[0-9a-f]{8}$/)
  })
})
