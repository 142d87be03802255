/** Error answers in all their shapes. */

import { describe, expect, test } from "bun:test"

import fc from "fast-check"

import { readErrorReply } from "#providers/error-reply.ts"

function read(bodyText: string, headers: Record<string, string> = {}, status = 400) {
  return readErrorReply({ status, headers: new Headers(headers), bodyText })
}

describe("bodies", () => {
  test.each([
    [
      '{"error":{"message":"m","type":"t","code":"c","param":"p","plan_type":"plus","resets_at":5,"resets_in_seconds":6}}',
      { message: "m", type: "t", code: "c", param: "p", planType: "plus", resetsAtSec: 5, resetsInSec: 6 },
    ],
    ['{"error":{"message":"m","type":null,"code":null,"param":null}}', { message: "m" }],
    ['{"error":"invalid_grant"}', { message: "invalid_grant" }],
    ['{"detail":"text"}', { message: "text" }],
    ['{"detail":{"code":"deactivated_workspace"}}', { message: "", code: "deactivated_workspace" }],
    ['{"detail":{"code":"c","message":"m"}}', { message: "m", code: "c" }],
    ['{"detail":[{"loc":["body"],"msg":"field required"}]}', { message: "field required" }],
    ['{"message":"m","code":"c"}', { message: "m", code: "c" }],
    ['\uFEFF\n {"detail" :\n "text"}\n', { message: "text" }],
    ["plain text", { message: "plain text" }],
    ['{"broken":', { message: '{"broken":' }],
    ["[1,2]", { message: "[1,2]" }],
    ["", { message: "" }],
  ])("%p", (body, facts) => {
    expect(read(body)).toEqual({ status: 400, ...facts } as ReturnType<typeof read>)
  })

  test("a page is told by its beginning or by its type", () => {
    expect(read("<!DOCTYPE html><title> Bad gateway </title>", {}, 502)).toEqual({
      status: 502,
      html: true,
      message: "Bad gateway",
    })
    expect(read("<center>nginx</center>", { "content-type": "text/html; charset=utf-8" }, 502).html).toBe(true)
    expect(read("<center>nginx</center>", {}, 502).html).toBeUndefined()
  })

  test("no body makes the reader throw", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), text => {
        expect(read(text).status).toBe(400)
      }),
    )
  })
})

describe("headers", () => {
  test("the authentication layer's code counts before the body's", () => {
    expect(
      read('{"error":{"code":"x","message":"m"}}', { "x-openai-authorization-error": "token_expired" }),
    ).toMatchObject({
      code: "token_expired",
      message: "m",
    })
    expect(read("", { "x-error-json": btoa('{"error":{"code":"token_revoked"}}') }).code).toBe("token_revoked")
  })

  test("an unreadable coded header says nothing", () => {
    expect(read("", { "x-error-json": "%%%" }).code).toBeUndefined()
    expect(read("", { "x-error-json": btoa("[1]") }).code).toBeUndefined()
  })

  test.each([
    [{ "retry-after": "20" }, 20_000],
    [{ "retry-after": "0" }, 0],
    [{ "retry-after-ms": "1500", "retry-after": "20" }, 1500],
    [{ "retry-after": "Tue, 22 Sep 2026 10:00:30 GMT", date: "Tue, 22 Sep 2026 10:00:00 GMT" }, 30_000],
    [{ "retry-after": "Tue, 22 Sep 2026 10:00:30 GMT" }, undefined],
    [{ "retry-after": "soon" }, undefined],
    [{ "retry-after": "" }, undefined],
    [{}, undefined],
  ])("%j waits %p ms", (headers, ms) => {
    expect(read("", headers as Record<string, string>).retryAfterMs).toBe(ms)
  })

  test("a 429 takes plan and reset from the headers of the spent window", () => {
    const headers = {
      "x-codex-plan-type": "free",
      "x-codex-primary-used-percent": "12",
      "x-codex-primary-window-minutes": "300",
      "x-codex-primary-reset-at": "1790000100",
      "x-codex-secondary-used-percent": "100",
      "x-codex-secondary-window-minutes": "10080",
      "x-codex-secondary-reset-at": "1790500000",
    }
    expect(read("", headers, 429)).toMatchObject({ planType: "free", resetsAtSec: 1_790_500_000 })
    expect(read("", headers, 400).resetsAtSec).toBeUndefined()
    const stated = '{"error":{"type":"usage_limit_reached","resets_at":1790000200,"plan_type":"plus"}}'
    expect(read(stated, headers, 429)).toMatchObject({ planType: "plus", resetsAtSec: 1_790_000_200 })
  })

  test("a reset that is only relative stays relative", () => {
    const headers = {
      "x-codex-primary-used-percent": "100",
      "x-codex-primary-window-minutes": "300",
      "x-codex-primary-reset-after-seconds": "9000",
    }
    const failure = read("", headers, 429)
    expect(failure.resetsInSec).toBe(9000)
    expect(failure.resetsAtSec).toBeUndefined()
  })

  test("the upstream's request id is kept", () => {
    expect(read("", { "x-oai-request-id": "abc" }).requestId).toBe("abc")
  })
})
