/** The code exchange, against the simulator and against services that answer badly. */

import { afterAll, beforeAll, expect, test } from "bun:test"

import { type CodeProof, exchangeCode } from "#accounts/sign-in/exchange-code.ts"
import { parseCallback } from "#accounts/sign-in/parse-callback.ts"
import { startLogin } from "#accounts/sign-in/pending-login.ts"
import { systemClock } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"
import { type Simulator, startSimulator } from "#simulator/simulator.ts"

import { CLIENT_ID, NEVER, scriptedService, serviceOf } from "./sign-in-fixture.ts"

let simulator: Simulator
beforeAll(() => {
  simulator = startSimulator({ accounts: 1 })
})
afterAll(() => simulator.stop())

/** Signs in at the simulator's page, which agrees at once. */
async function agreedProof(): Promise<CodeProof> {
  const login = startLogin({
    issuer: simulator.url,
    clientId: CLIENT_ID,
    originator: "codex_cli_rs",
    redirectUri: "http://localhost:1455/auth/callback",
    clock: systemClock,
    random: bytes => crypto.getRandomValues(bytes),
  })
  const page = await fetch(login.url, { redirect: "manual" })
  const redeemed = login.redeem(parseCallback(page.headers.get("location") ?? ""))
  if (redeemed.type !== "proof") throw new Error("the page did not agree")
  return redeemed.proof
}

const PROOF: CodeProof = { code: "ac_1", verifier: "v", redirectUri: "http://localhost:1455/auth/callback" }

test("a code gives all three tokens", async () => {
  const answer = await exchangeCode(serviceOf(simulator), await agreedProof(), NEVER)
  expect(answer).toMatchObject({
    type: "tokens",
    tokens: { accessToken: expect.any(String), refreshToken: expect.any(String), idToken: expect.any(String) },
  })
})

test("a code that was used before is refused with what to do", async () => {
  const proof = await agreedProof()
  await exchangeCode(serviceOf(simulator), proof, NEVER)
  expect(await exchangeCode(serviceOf(simulator), proof, NEVER)).toMatchObject({
    type: "refused",
    code: "invalid_grant",
    hint: expect.stringContaining("works once"),
  })
})

test("a verifier that does not fit the challenge gets no tokens", async () => {
  const proof = { ...(await agreedProof()), verifier: "x".repeat(43) }
  expect(await exchangeCode(serviceOf(simulator), proof, NEVER)).toMatchObject({ code: "invalid_grant" })
})

test("another redirect address than the page was told gets no tokens", async () => {
  const proof = { ...(await agreedProof()), redirectUri: "http://localhost:1457/auth/callback" }
  expect(await exchangeCode(serviceOf(simulator), proof, NEVER)).toMatchObject({ code: "invalid_grant" })
})

test("an unknown client id names the setting", async () => {
  const service = { ...serviceOf(simulator), clientId: "app_other" }
  expect(await exchangeCode(service, PROOF, NEVER)).toMatchObject({
    code: "invalid_client",
    hint: expect.stringContaining("oauth.client-id"),
  })
})

test("the question is a form with the five fields of the grant", async () => {
  const { service, asked } = scriptedService(() => Response.json({ access_token: "a" }))
  await exchangeCode(service, PROOF, NEVER)
  expect(asked[0]?.headers["content-type"]).toBe("application/x-www-form-urlencoded")
  expect(Object.fromEntries(new URLSearchParams(asked[0]?.body))).toEqual({
    grant_type: "authorization_code",
    code: "ac_1",
    redirect_uri: PROOF.redirectUri,
    client_id: CLIENT_ID,
    code_verifier: "v",
  })
})

const BAD_ANSWERS: readonly (readonly [string, string, () => Response])[] = [
  ["a success without tokens", "no_tokens", () => Response.json({})],
  ["a page in place of an answer", "no_tokens", () => new Response("<html>")],
  ["a challenge page", "challenge", () => new Response("<html>", { status: 403 })],
  ["a busy service", "status_503", () => new Response("", { status: 503 })],
  ["too many sign-ins", "status_429", () => new Response("", { status: 429 })],
  ["a nested code", "odd_code", () => Response.json({ error: { code: "odd_code" } }, { status: 400 })],
  ["a code that is no code", "status_400", () => Response.json({ error: "<script>" }, { status: 400 })],
]
for (const [name, code, answer] of BAD_ANSWERS) {
  test(`${name} is ${code} and says what to do`, async () => {
    const refusal = await exchangeCode(scriptedService(answer).service, PROOF, NEVER)
    expect(refusal).toMatchObject({ type: "refused", code })
    expect(refusal.type === "refused" && refusal.hint.length > 10).toBe(true)
  })
}

test("a service that cannot be reached is a refusal that names the settings", async () => {
  const send = () => Promise.reject(new GatewayError("upstream-unavailable", "Connection refused."))
  const service = { ...scriptedService().service, send }
  expect(await exchangeCode(service, PROOF, NEVER)).toMatchObject({
    code: "not_reached",
    message: expect.stringContaining("Connection refused."),
    hint: expect.stringContaining("proxy-url"),
  })
})
