/** `POST /oauth/token` and `/oauth/revoke`: code exchange, and refresh tokens that work exactly once. */

import { type JsonObject, stringAt } from "#core/json.ts"
import { pause } from "#simulator/delivery/stream-body.ts"
import type { Endpoint, Exchange } from "#simulator/exchange.ts"
import { detailRefusal, errorRefusal, type Refusal, refusalResponse } from "#simulator/refusal.ts"
import { readBody } from "#simulator/request-body.ts"
import { startScripted } from "#simulator/scripts/scripted-endpoint.ts"
import type { World } from "#simulator/world.ts"

import type { SimulatedAccount } from "./accounts.ts"
import type { LoginCodes } from "./login-codes.ts"
import type { RefreshState, TokenSet } from "./sessions.ts"

/** Public client id of the Codex clients; there is no secret. */
export const CODEX_CLIENT_ID = "app_EMoamEEZ73f0CkXaXp7hrann"

const REUSED_TEXT =
  "Your refresh token has already been used to generate a new access token. Please try signing in again."

/** Makes the token endpoint; `codes` are those the login pages handed out. */
export function makeTokenEndpoint(codes: LoginCodes): Endpoint {
  return async exchange => {
    const read = await readBody(exchange.request)
    if ("refusal" in read) return refusalResponse(read.refusal)
    const { body } = read
    exchange.record({ body })
    if (stringAt(body, "client_id") !== CODEX_CLIENT_ID) return refuseGrant("invalid_client", "Unknown client.")
    const grant = stringAt(body, "grant_type")
    if (grant === "authorization_code") return exchangeCode(exchange.world, codes, body)
    if (grant === "refresh_token") return refresh(exchange, stringAt(body, "refresh_token") ?? "")
    return refuseGrant("unsupported_grant_type", "Unsupported grant type.")
  }
}

/** Takes a refresh token out of circulation. Unknown ones are fine (RFC 7009, https://www.rfc-editor.org/rfc/rfc7009). */
export const revokeEndpoint: Endpoint = async exchange => {
  const read = await readBody(exchange.request)
  if ("refusal" in read) return refusalResponse(read.refusal)
  const token = stringAt(read.body, "token") ?? ""
  const record = exchange.world.sessions.readRefresh(token)
  if (record !== undefined) exchange.world.sessions.markRefresh(record.name, "invalidated")
  return Response.json({}, { headers: { server: "sluice-simulator" } })
}

function exchangeCode(world: World, codes: LoginCodes, body: JsonObject): Response {
  const name = codes.redeem({
    code: stringAt(body, "code") ?? "",
    redirectUri: stringAt(body, "redirect_uri") ?? "",
    verifier: stringAt(body, "code_verifier") ?? "",
  })
  if (name === undefined) return refuseGrant("invalid_grant", "The authorization code or its verifier is not valid.")
  return tokenResponse(world.sessions.issue(world.accounts.get(name)), { omitRefreshToken: false, omitIdToken: false })
}

async function refresh(exchange: Exchange, token: string): Promise<Response> {
  const { world } = exchange
  const known = world.sessions.readRefresh(token)
  if (known === undefined) return refuseRefresh("refresh_token_invalidated")
  const account = world.accounts.get(known.name)
  exchange.record({ account: account.name })
  const asked = { endpoint: "token", account, userText: "", model: "", family: "codex" } as const
  const { response } = await startScripted(exchange, asked)
  if (response !== undefined) return response
  // A client that left during the pause above counts as one whose request was lost on its way: nothing is used up.
  if (exchange.request.signal.aborted) return refusalResponse(detailRefusal("Client Closed Request", 499))
  // Read again: while this request waited, another one may have used the token.
  const refusal = refuseState(world, account, world.sessions.readRefresh(token)?.state ?? "invalidated")
  return refusal === undefined ? rotate(exchange, account, token) : refusalResponse(refusal)
}

function refuseState(world: World, account: SimulatedAccount, state: RefreshState): Refusal | undefined {
  const { failWith } = world.signIn.read(account.name)
  if (failWith !== "") return refreshRefusal(failWith)
  if (account.lifecycle === "deactivated") return refreshRefusal("account_deactivated")
  switch (state) {
    case "live":
      return undefined
    case "used":
      return refreshRefusal("refresh_token_reused")
    case "expired":
      return refreshRefusal("refresh_token_expired")
    case "invalidated":
      return refreshRefusal("refresh_token_invalidated")
  }
}

async function rotate(exchange: Exchange, account: SimulatedAccount, token: string): Promise<Response> {
  const { world } = exchange
  const switches = world.signIn.read(account.name)
  if (switches.omitRefreshToken) return tokenResponse(world.sessions.issueAccessOnly(account), switches)
  world.sessions.consume(token)
  const set = world.sessions.issue(account)
  if (switches.answerDelayMs > 0) {
    await pause({ timers: world.timers, signal: exchange.request.signal }, switches.answerDelayMs)
  }
  if (switches.dropAfterConsuming === 0) return tokenResponse(set, switches)
  world.signIn.change(account.name, { dropAfterConsuming: switches.dropAfterConsuming - 1 })
  return brokenOff(world)
}

type Omissions = { readonly omitRefreshToken: boolean; readonly omitIdToken: boolean }

function tokenResponse(set: TokenSet, omit: Omissions): Response {
  const body = {
    access_token: set.accessToken,
    ...(omit.omitIdToken ? {} : { id_token: set.idToken }),
    ...(omit.omitRefreshToken ? {} : { refresh_token: set.refreshToken }),
    expires_in: set.lifetimeSec,
    token_type: "Bearer",
    scope: "openid profile email offline_access",
  }
  return Response.json(body, { headers: { server: "sluice-simulator", "cache-control": "no-store" } })
}

/** A body that never comes: the server breaks the connection off. */
function brokenOff(world: World): Response {
  const body = new ReadableStream({
    pull: controller =>
      new Promise<void>(resolve => {
        world.timers.after(1, () => {
          controller.error(new Error("The simulator broke the connection off on purpose."))
          resolve()
        })
      }),
  })
  return new Response(body, { headers: { "content-type": "application/json", server: "sluice-simulator" } })
}

function refuseRefresh(code: string): Response {
  return refusalResponse(refreshRefusal(code))
}

function refreshRefusal(code: string): Refusal {
  const message = code === "refresh_token_reused" ? REUSED_TEXT : `Simulated sign-in refusal: ${code}.`
  return errorRefusal({ status: 401, message, code })
}

function refuseGrant(error: string, description: string): Response {
  return Response.json(
    { error, error_description: description },
    { status: 400, headers: { server: "sluice-simulator" } },
  )
}
