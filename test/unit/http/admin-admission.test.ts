/** Who may use the operators' surface, with a key and without. */

import { describe, expect, test } from "bun:test"

import { GatewayError } from "#core/errors.ts"
import { makeAdminAdmission } from "#http/admin-admission.ts"

type Asked = { headers?: Record<string, string>; peer?: string | undefined; origin?: string }

function codeOf(key: string, { headers = {}, origin = "http://127.0.0.1:8080", ...rest }: Asked): string {
  const request = new Request(`${origin}/api/admin/accounts`, { headers })
  const peer = "peer" in rest ? rest.peer : "127.0.0.1"
  try {
    makeAdminAdmission(key).admit(request, new URL(request.url), peer)
    return "admitted"
  } catch (error) {
    if (error instanceof GatewayError) return error.code ?? error.kind
    throw error
  }
}

describe("with a key", () => {
  test.each([
    [{ "x-admin-key": "secret-1" }, "admitted"],
    [{ authorization: "Bearer secret-1" }, "admitted"],
    [{ "x-api-key": "secret-1" }, "admitted"],
    [{ "x-admin-key": "secret-2" }, "invalid_admin_key"],
    [{ "x-admin-key": "" }, "invalid_admin_key"],
    [{ "x-admin-key": "secret-2", authorization: "Bearer secret-1" }, "invalid_admin_key"],
    [{}, "invalid_admin_key"],
  ])("%p is %s, from anywhere", (headers, expected) => {
    expect(codeOf("secret-1", { headers, peer: "203.0.113.9", origin: "https://gateway.example" })).toBe(expected)
  })

  test("this machine needs it as well", () => {
    expect(codeOf("secret-1", {})).toBe("invalid_admin_key")
  })
})

describe("without a key", () => {
  test.each(["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])("a connection from %s is admitted", peer => {
    expect(codeOf("", { peer })).toBe("admitted")
  })

  test.each(["192.168.1.4", "203.0.113.9", "::ffff:10.0.0.1", "fe80::1", undefined])("one from %s is not", peer => {
    expect(codeOf("", { peer })).toBe("admin_key_required")
  })

  test.each([
    { origin: "http://gateway.example:8080" },
    { headers: { origin: "https://evil.example" } },
    { headers: { origin: "null" } },
    { headers: { "x-forwarded-for": "203.0.113.9" } },
    { headers: { forwarded: "for=203.0.113.9" } },
    { headers: { via: "1.1 proxy" } },
  ])("%p from this machine is not", asked => {
    expect(codeOf("", asked)).toBe("admin_key_required")
  })

  test("a page of this machine is admitted", () => {
    expect(codeOf("", { headers: { origin: "http://localhost:8080" } })).toBe("admitted")
  })
})
