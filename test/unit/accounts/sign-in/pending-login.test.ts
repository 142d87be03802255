/** One sign-in's page and its answer. */

import { expect, test } from "bun:test"

import fc from "fast-check"

import { parseCallback } from "#accounts/sign-in/parse-callback.ts"
import { startLogin } from "#accounts/sign-in/pending-login.ts"
import { challengeOf } from "#accounts/sign-in/pkce.ts"

import { CLIENT_ID } from "./sign-in-fixture.ts"

const REDIRECT = "http://localhost:1455/auth/callback"

function start() {
  let nowMs = 1_000_000
  const login = startLogin({
    issuer: "https://auth.openai.com",
    clientId: CLIENT_ID,
    originator: "codex_cli_rs",
    redirectUri: REDIRECT,
    clock: () => nowMs,
    random: bytes => crypto.getRandomValues(bytes),
  })
  const query = new URL(login.url).searchParams
  const advance = (ms: number) => {
    nowMs += ms
  }
  const redeem = (text: string) => login.redeem(parseCallback(text))
  return { login, query, advance, redeem, state: query.get("state") ?? "" }
}

test("the page is asked for exactly what the Codex client asks for, and for a fresh sign-in", () => {
  const { login, query, state } = start()
  expect(login.url.split("?")[0]).toBe("https://auth.openai.com/oauth/authorize")
  expect(Object.fromEntries(query)).toEqual({
    response_type: "code",
    client_id: CLIENT_ID,
    redirect_uri: REDIRECT,
    scope: "openid profile email offline_access",
    code_challenge: expect.stringMatching(/^[\w-]{43}$/),
    code_challenge_method: "S256",
    id_token_add_organizations: "true",
    codex_cli_simplified_flow: "true",
    state,
    originator: "codex_cli_rs",
    prompt: "login",
  })
})

test("spaces of the scope are written as %20, never as plus", () => {
  const { login } = start()
  expect(login.url).toContain("scope=openid%20profile%20email%20offline_access")
  expect(login.url).not.toContain("+")
})

test("the state is 32 random bytes, another one each time", () => {
  const [one, two] = [start().state, start().state]
  expect(Buffer.from(one, "base64url")).toHaveLength(32)
  expect(one).not.toBe(two)
})

test("the answer gives the code with the verifier that fits the page's challenge", () => {
  const { redeem, query, state } = start()
  const redeemed = redeem(`${REDIRECT}?code=ac_1&state=${state}`)
  if (redeemed.type !== "proof") throw new Error("not redeemed")
  expect(redeemed.proof).toMatchObject({ code: "ac_1", redirectUri: REDIRECT })
  expect(challengeOf(redeemed.proof.verifier)).toBe(query.get("code_challenge") ?? "")
})

test("the challenge is the one of RFC 7636, appendix B", () => {
  expect(challengeOf("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")).toBe("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
})

test("a wrong or missing state is not its answer and leaves the sign-in open", () => {
  const { redeem, state } = start()
  expect(redeem(`${REDIRECT}?code=ac_1&state=wrong`)).toMatchObject({ type: "other", refusal: { code: "wrong_state" } })
  expect(redeem(`${REDIRECT}?code=ac_1`)).toMatchObject({ type: "other", refusal: { code: "wrong_state" } })
  expect(redeem("ac_1#wrong")).toMatchObject({ type: "other", refusal: { code: "wrong_state" } })
  expect(redeem(`ac_1#${state}`).type).toBe("proof")
})

test("an answer counts once", () => {
  const { redeem, state } = start()
  redeem(`${REDIRECT}?code=ac_1&state=${state}`)
  expect(redeem(`${REDIRECT}?code=ac_1&state=${state}`)).toMatchObject({
    type: "other",
    refusal: { code: "login_used" },
  })
})

test("after ten minutes the answer comes too late", () => {
  const { redeem, state, advance } = start()
  advance(10 * 60_000)
  const late = redeem(`${REDIRECT}?code=ac_1&state=${state}`)
  expect(late).toMatchObject({ type: "refused", code: "login_expired", hint: "Start the sign-in again." })
})

test("a workspace without Codex is told apart from a refusal by the user", () => {
  const without = start()
  const query = new URLSearchParams({
    error: "access_denied",
    error_description: "missing_codex_entitlement: ask your admin",
    state: without.state,
  })
  expect(without.redeem(`?${query}`)).toMatchObject({
    code: "missing_codex_entitlement",
    message: "This ChatGPT workspace has not enabled Codex.",
    hint: expect.stringContaining("administrator"),
  })
  const declined = start()
  expect(declined.redeem(`?error=access_denied&state=${declined.state}`)).toMatchObject({
    code: "access_denied",
    message: expect.stringContaining("declined"),
  })
})

test("an error text from outside is never repeated", () => {
  const { redeem, state } = start()
  const said = JSON.stringify(redeem(`?error=${encodeURIComponent("<b>\u001b[31m")}&state=${state}`))
  expect(said).toContain('"unknown"')
  expect(said).not.toContain("<b>")
})

test("pasting the sign-in page's own address or nonsense says what to paste instead", () => {
  const { login, redeem, state } = start()
  expect(redeem(login.url)).toMatchObject({ type: "other", refusal: { code: "sign_in_page" } })
  expect(redeem("what now")).toMatchObject({ type: "other", refusal: { code: "unreadable_answer" } })
  expect(redeem("http://localhost:1455/auth/callback")).toMatchObject({ type: "other" })
  expect(redeem(`  ${REDIRECT}?code=ac_1&state=${state}\r\n`).type).toBe("proof")
})

test("the code alone and the query alone are enough", () => {
  expect(start().redeem(" ac_12-x~y.z \n")).toMatchObject({ type: "proof", proof: { code: "ac_12-x~y.z" } })
  const { redeem, state } = start()
  expect(redeem(`code=ac_1&state=${state}`)).toMatchObject({ type: "proof", proof: { code: "ac_1" } })
})

test("no text that was not given out by the page is taken for a full answer, and none throws", () => {
  const { redeem } = start()
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.webUrl({ withQueryParameters: true })), text => {
      const callback = parseCallback(text)
      if (callback.type !== "bare-code") expect(redeem(text).type).toBe("other")
      else expect(text.trim()).toBe(callback.code)
    }),
  )
})
