/** Refresh tokens that work once, the login page, the device flow. */

import { expect, test } from "bun:test"

import { isJsonObject, type JsonObject } from "#core/json.ts"
import type { Simulator } from "#simulator/simulator.ts"

import { GOOD_BODY, postTurn, withSimulator } from "./client.ts"

const CLIENT_ID = "app_EMoamEEZ73f0CkXaXp7hrann"

function refresh(simulator: Simulator, token: string, signal?: AbortSignal): Promise<Response> {
  return fetch(`${simulator.url}/oauth/token`, {
    method: "POST",
    ...(signal === undefined ? {} : { signal }),
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ client_id: CLIENT_ID, grant_type: "refresh_token", refresh_token: token }),
  })
}

async function tokensOf(response: Response): Promise<JsonObject> {
  const body: unknown = await response.json()
  return isJsonObject(body) ? body : {}
}

test("a refresh token works exactly once, in JSON and in form bodies", () =>
  withSimulator(async simulator => {
    const old = simulator.control.accountFile("account-1").refresh_token
    const first = await tokensOf(await refresh(simulator, old))
    expect(Object.keys(first)).toContain("access_token")
    const replay = await refresh(simulator, old)
    expect([replay.status, await replay.json()]).toEqual([
      401,
      {
        error: {
          message:
            "Your refresh token has already been used to generate a new access token. Please try signing in again.",
          type: "invalid_request_error",
          param: null,
          code: "refresh_token_reused",
        },
      },
    ])
    const form = new URLSearchParams({
      client_id: CLIENT_ID,
      grant_type: "refresh_token",
      refresh_token: String(first["refresh_token"]),
      scope: "openid profile email",
    })
    expect((await fetch(`${simulator.url}/oauth/token`, { method: "POST", body: form })).status).toBe(200)
  }))

test("of many simultaneous refreshes with one token exactly one succeeds", () =>
  withSimulator(async simulator => {
    const token = simulator.control.accountFile("account-1").refresh_token
    const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(simulator, token)))
    expect(answers.filter(answer => answer.status === 200).length).toBe(1)
  }))

test("401 on expired access tokens is healed by a refresh", () =>
  withSimulator(async simulator => {
    const { control } = simulator
    const old = control.accountFile("account-1")
    control.markAccess("account-1", "expired")
    expect((await postTurn(simulator, GOOD_BODY)).status).toBe(401)
    await refresh(simulator, old.refresh_token)
    expect(control.accountFile("account-1").access_token).not.toBe(old.access_token)
    expect((await postTurn(simulator, GOOD_BODY)).status).toBe(200)
  }))

test("the answer can leave out the refresh token, and then the old one stays good", () =>
  withSimulator(async simulator => {
    simulator.control.setSignIn("account-1", { omitRefreshToken: true, omitIdToken: true })
    const token = simulator.control.accountFile("account-1").refresh_token
    const body = await tokensOf(await refresh(simulator, token))
    expect(body).not.toHaveProperty("refresh_token")
    expect(body).not.toHaveProperty("id_token")
    expect((await refresh(simulator, token)).status).toBe(200)
  }))

test("a dropped connection has consumed the token all the same", () =>
  withSimulator(async simulator => {
    simulator.control.setSignIn("account-1", { dropAfterConsuming: 1 })
    const token = simulator.control.accountFile("account-1").refresh_token
    const lost = refresh(simulator, token).then(response => response.text())
    expect(await lost.catch(error => String(error.code))).toBe("ECONNRESET")
    expect(await (await refresh(simulator, token)).json()).toMatchObject({ error: { code: "refresh_token_reused" } })
  }))

test("while an answer is on its way its successor is the account's token, and the one that was sent works no more", () =>
  withSimulator(async simulator => {
    const { control } = simulator
    control.setSignIn("account-1", { answerDelayMs: 60_000 })
    const sent = control.accountFile("account-1").refresh_token
    const client = new AbortController()
    const asked = refresh(simulator, sent, client.signal).catch(error => String(error.name))
    while (control.accountFile("account-1").refresh_token === sent) await Bun.sleep(1)
    const [state] = control.tokenStates().accounts
    expect(state).toMatchObject({
      name: "account-1",
      liveRefreshTokens: [control.accountFile("account-1").refresh_token],
    })
    expect(control.tokenStates().openExchanges).toBe(1)
    client.abort()
    expect(await asked).toBe("AbortError")
    while (control.tokenStates().openExchanges > 0) await Bun.sleep(1)
    expect(await (await refresh(simulator, sent)).json()).toMatchObject({ error: { code: "refresh_token_reused" } })
  }))

test("a client that leaves before its request was looked at has used nothing up", () =>
  withSimulator(async simulator => {
    const { control } = simulator
    control.script({ endpoint: "token", settings: { headersDelayMs: 60_000 }, times: 1 })
    const sent = control.accountFile("account-1").refresh_token
    const client = new AbortController()
    const asked = refresh(simulator, sent, client.signal).catch(error => String(error.name))
    while (control.tokenStates().openExchanges === 0) await Bun.sleep(1)
    client.abort()
    expect(await asked).toBe("AbortError")
    while (control.tokenStates().openExchanges > 0) await Bun.sleep(1)
    expect((await refresh(simulator, sent)).status).toBe(200)
  }))

test("a new sign-in gives new tokens, and every token ever handed out is listed", () =>
  withSimulator(async simulator => {
    const { control } = simulator
    const first = control.accountFile("account-1")
    await refresh(simulator, first.refresh_token)
    const second = control.accountFile("account-1")
    const third = control.signInAgain("account-1")
    expect(control.accountFile("account-1")).toEqual(third)
    for (const { access_token, refresh_token, id_token } of [first, second, third]) {
      expect(control.issuedTokens()).toEqual(expect.arrayContaining([access_token, refresh_token, id_token]))
    }
    expect(control.issuedTokens()).toHaveLength(9)
  }))

test("a scripted transient failure consumes nothing", () =>
  withSimulator(async simulator => {
    simulator.control.script({ scenario: "bad-gateway", endpoint: "token", times: 1 })
    const token = simulator.control.accountFile("account-1").refresh_token
    expect((await refresh(simulator, token)).status).toBe(502)
    expect((await refresh(simulator, token)).status).toBe(200)
  }))

test("a permanent refusal carries its code", () =>
  withSimulator(async simulator => {
    simulator.control.setSignIn("account-1", { failWith: "refresh_token_expired" })
    const answer = await refresh(simulator, simulator.control.accountFile("account-1").refresh_token)
    expect(await answer.json()).toMatchObject({ error: { code: "refresh_token_expired" } })
  }))

test("the tokens carry account, plan, user and e-mail where clients look for them", () =>
  withSimulator(async simulator => {
    const [account] = simulator.control.accounts()
    const file = simulator.control.codexAuthFile("account-1")
    const auth = {
      chatgpt_account_id: account?.workspaceId ?? "",
      chatgpt_plan_type: "plus",
      chatgpt_user_id: account?.userId ?? "",
    }
    expect(claimsOf(file.tokens.access_token)).toMatchObject({
      "https://api.openai.com/auth": auth,
      "https://api.openai.com/profile": { email: account?.email ?? "" },
    })
    expect(claimsOf(file.tokens.id_token)).toMatchObject({
      "https://api.openai.com/auth": auth,
      email: account?.email ?? "",
    })
  }))

test("the login page needs the matching proof key, once", () =>
  withSimulator(async simulator => {
    const verifier = "v".repeat(64)
    const challenge = new Bun.CryptoHasher("sha256").update(verifier).digest("base64url")
    const redirectUri = "http://localhost:1455/auth/callback"
    const login = async () => {
      const query = new URLSearchParams({
        response_type: "code",
        client_id: CLIENT_ID,
        redirect_uri: redirectUri,
        code_challenge: challenge,
        code_challenge_method: "S256",
        state: "abc",
      })
      const answer = await fetch(`${simulator.url}/oauth/authorize?${query}`, { redirect: "manual" })
      const target = new URL(answer.headers.get("location") ?? "")
      expect(target.searchParams.get("state")).toBe("abc")
      return target.searchParams.get("code") ?? ""
    }
    const redeem = async (code: string, proof: string) => {
      const body = new URLSearchParams({
        grant_type: "authorization_code",
        code,
        redirect_uri: redirectUri,
        client_id: CLIENT_ID,
        code_verifier: proof,
      })
      return (await fetch(`${simulator.url}/oauth/token`, { method: "POST", body })).status
    }
    expect(await redeem(await login(), "wrong")).toBe(400)
    const code = await login()
    expect(await redeem(code, verifier)).toBe(200)
    expect(await redeem(code, verifier)).toBe(400)
  }))

test("a device login is pending until the user has agreed", () =>
  withSimulator(async simulator => {
    simulator.control.setRules({ devicePendingPolls: 2 })
    const post = async (path: string, body: JsonObject) => {
      const answer = await fetch(`${simulator.url}${path}`, { method: "POST", body: JSON.stringify(body) })
      return { status: answer.status, body: await tokensOf(answer) }
    }
    const { body: start } = await post("/api/accounts/deviceauth/usercode", { client_id: CLIENT_ID })
    expect(typeof start["interval"]).toBe("string")
    const ask = { device_auth_id: start["device_auth_id"] ?? "", user_code: start["user_code"] ?? "" }
    const poll = () => post("/api/accounts/deviceauth/token", ask)
    expect([(await poll()).status, (await poll()).status]).toEqual([403, 403])
    const agreed = await poll()
    expect(agreed.status).toBe(200)
    const grant = await post("/oauth/token", {
      grant_type: "authorization_code",
      client_id: CLIENT_ID,
      code: agreed.body["authorization_code"] ?? "",
      code_verifier: agreed.body["code_verifier"] ?? "",
      redirect_uri: "https://auth.openai.com/deviceauth/callback",
    })
    expect(grant.status).toBe(200)
  }))

function claimsOf(token: string): unknown {
  return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString())
}
