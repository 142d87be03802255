/** What the token endpoint's answers mean. */

import { expect, test } from "bun:test"

import { backOffMs, refreshDueAtMs } from "#accounts/refresh/refresh-schedule.ts"
import { exchangeRefreshToken, type RefreshAnswer } from "#accounts/refresh/refresh-token.ts"
import { GatewayError } from "#core/errors.ts"
import type { UpstreamRequest } from "#core/upstream.ts"

import { makeJwt, START_SEC } from "../token-endpoint.ts"

const endpoint = { url: "http://127.0.0.1/oauth/token", clientId: "client" }

function answerTo(status: number, body: string): Promise<RefreshAnswer> {
  const send = async () => ({ status, headers: new Headers(), body: new Response(body).body ?? undefined })
  return exchangeRefreshToken({
    send,
    endpoint,
    refreshToken: "rt",
    egress: undefined,
    signal: new AbortController().signal,
  })
}

function answerToError(error: unknown): Promise<RefreshAnswer> {
  const send = () => Promise.reject(error)
  return exchangeRefreshToken({
    send,
    endpoint,
    refreshToken: "rt",
    egress: undefined,
    signal: new AbortController().signal,
  })
}

test("the request is JSON with the client id and without a scope", async () => {
  const requests: UpstreamRequest[] = []
  const send = async (request: UpstreamRequest) => {
    requests.push(request)
    return { status: 200, headers: new Headers(), body: new Response('{"access_token":"a"}').body ?? undefined }
  }
  await exchangeRefreshToken({
    send,
    endpoint,
    refreshToken: "rt",
    egress: undefined,
    signal: new AbortController().signal,
  })
  expect(requests[0]?.headers["content-type"]).toBe("application/json")
  expect(JSON.parse(requests[0]?.body ?? "")).toEqual({
    client_id: "client",
    grant_type: "refresh_token",
    refresh_token: "rt",
  })
})

test("a success may carry any of the tokens", async () => {
  expect(await answerTo(200, '{"access_token":"a","expires_in":60}')).toEqual({
    type: "renewed",
    tokens: { accessToken: "a", expiresInSec: 60 },
  })
  expect(await answerTo(200, '{"refresh_token":"r","access_token":"a","id_token":""}')).toEqual({
    type: "renewed",
    tokens: { accessToken: "a", refreshToken: "r" },
  })
})

const coded = (code: string) => JSON.stringify({ error: { code, type: "invalid_request_error", message: "no" } })

test.each([
  [401, coded("refresh_token_reused"), "permanent", "refresh_token_reused"],
  [400, coded("refresh_token_expired"), "permanent", "refresh_token_expired"],
  [400, '{"error":"invalid_grant","error_description":"x"}', "permanent", "invalid_grant"],
  [401, '{"code":"token_expired"}', "permanent", "token_expired"],
  [401, '{"error":{"code":"never_seen_before"}}', "permanent", "never_seen_before"],
  [403, coded("account_deactivated"), "suspended", "account_deactivated"],
  [401, '{"error":"invalid_client"}', "configuration", "invalid_client"],
  [400, '{"error":"unsupported_grant_type"}', "configuration", "unsupported_grant_type"],
  [429, coded("refresh_token_reused"), "transient", "status-429"],
  [408, "", "transient", "status-408"],
  [503, "{}", "transient", "status-503"],
  [403, "<!doctype html><title>Just a moment</title>", "transient", "html"],
  [401, "<html></html>", "transient", "html"],
  [400, "", "transient", "no-json"],
  [200, "<html>sign in to the hotel network</html>", "transient", "html"],
  [200, "", "ambiguous", "no-tokens"],
  [200, '{"access_tok', "ambiguous", "no-tokens"],
] as const)("status %d with %s is %s", async (status, body, failureClass, code) => {
  expect(await answerTo(status, body)).toEqual({ type: "failed", class: failureClass, code, status })
})

test("an answer that breaks off after a success is a lost answer", async () => {
  const body = new ReadableStream<Uint8Array>({
    pull: controller => controller.error(new Error("reset")),
  })
  const send = async () => ({ status: 200, headers: new Headers(), body })
  const answer = await exchangeRefreshToken({
    send,
    endpoint,
    refreshToken: "rt",
    egress: undefined,
    signal: new AbortController().signal,
  })
  expect(answer).toMatchObject({ type: "failed", class: "ambiguous" })
})

test("a connection that never came about decides nothing; any other loss may have spent the token", async () => {
  const refused = new GatewayError("upstream-unavailable", "no", {
    cause: Object.assign(new Error("x"), { code: "ECONNREFUSED" }),
  })
  const reset = new GatewayError("upstream-unavailable", "no", {
    cause: Object.assign(new Error("x"), { code: "ECONNRESET" }),
  })
  expect(await answerToError(refused)).toMatchObject({ class: "transient" })
  expect(await answerToError(reset)).toMatchObject({ class: "ambiguous" })
  expect(await answerToError(new GatewayError("timeout", "late"))).toMatchObject({
    class: "ambiguous",
    code: "timeout",
  })
})

function dueOf(lifetimeSec: number, jitter: number): number {
  const accessToken = makeJwt({ iat: START_SEC, exp: START_SEC + lifetimeSec })
  const expiresAtMs = (START_SEC + lifetimeSec) * 1000
  const credential = { type: "chatgpt", accessToken, refreshToken: "rt", expiresAtMs, generation: 0 } as const
  const due = refreshDueAtMs(credential, START_SEC * 1000, jitter) ?? Number.NaN
  return Math.round((expiresAtMs - due) / 1000)
}

test("the margin is five minutes for short tokens and a fifth of the life, at most a day, for long ones", () => {
  expect(dueOf(3600, 0)).toBe(300)
  expect(dueOf(2 * 86_400, 0)).toBe(0.4 * 86_400)
  expect(dueOf(10 * 86_400, 0)).toBe(86_400)
  expect(dueOf(10 * 86_400, 1)).toBe(1.2 * 86_400)
  expect(dueOf(120, 1)).toBeLessThan(120)
})

test("nothing to refresh with and nothing that tells the age mean no planned refresh", () => {
  const bare = { type: "chatgpt", accessToken: "opaque", generation: 0 } as const
  expect(refreshDueAtMs({ ...bare, expiresAtMs: 1 }, 0, 0)).toBeUndefined()
  expect(refreshDueAtMs({ ...bare, refreshToken: "rt" }, 1000, 0, 3_000_000)).toBe(3_001_000)
  expect(refreshDueAtMs({ ...bare, refreshToken: "rt", lastRefreshAtMs: 0 }, 0, 0)).toBe(8 * 86_400_000)
})

test("pauses grow from five seconds to five minutes and go on for ever", () => {
  expect([1, 2, 3, 4, 5].map(count => backOffMs(count, 0.5))).toEqual([5000, 15_000, 45_000, 135_000, 300_000])
  expect([backOffMs(1, 0), backOffMs(1, 1)].map(Math.round)).toEqual([3500, 6500])
  expect([backOffMs(6, 0), backOffMs(600, 1)]).toEqual([600_000, 1_800_000])
})
