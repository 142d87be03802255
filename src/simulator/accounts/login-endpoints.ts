/** The login page (which agrees at once), the device flow and the answer to "who am I". */

import { stringAt } from "#core/json.ts"
import type { Endpoint } from "#simulator/exchange.ts"
import { detailRefusal, refusalResponse } from "#simulator/refusal.ts"
import { readBody } from "#simulator/request-body.ts"
import type { World } from "#simulator/world.ts"

import type { LoginCodes } from "./login-codes.ts"
import { CODEX_CLIENT_ID } from "./token-endpoint.ts"

const SERVER = { server: "sluice-simulator" } as const

/** `GET /oauth/authorize`: signs the chosen account in and sends the browser back with code and state. */
export function makeAuthorizeEndpoint(codes: LoginCodes): Endpoint {
  return ({ world, url }) => {
    const query = url.searchParams
    const redirectUri = query.get("redirect_uri") ?? ""
    const isComplete =
      query.get("client_id") === CODEX_CLIENT_ID &&
      query.get("response_type") === "code" &&
      query.get("code_challenge_method") === "S256" &&
      URL.canParse(redirectUri)
    if (!isComplete) return refusalResponse(detailRefusal("Invalid authorization request"))
    const target = new URL(redirectUri)
    const challenge = query.get("code_challenge") ?? ""
    target.searchParams.set("code", codes.issue({ account: nextAccount(world), challenge, redirectUri }))
    target.searchParams.set("state", query.get("state") ?? "")
    return new Response(null, { status: 302, headers: { ...SERVER, location: target.href } })
  }
}

/** `POST …/deviceauth/usercode`. The interval is a string, as clients receive it. */
export function makeUserCodeEndpoint(codes: LoginCodes): Endpoint {
  return ({ world }) => {
    const rules = world.rules()
    const login = codes.startDevice(nextAccount(world), rules.devicePendingPolls)
    const body = {
      device_auth_id: login.deviceAuthId,
      user_code: login.userCode,
      interval: String(rules.deviceIntervalSec),
    }
    return Response.json(body, { headers: SERVER })
  }
}

/** `POST …/deviceauth/token`: 403 while the user has not agreed. */
export function makeDeviceTokenEndpoint(codes: LoginCodes): Endpoint {
  return async ({ request }) => {
    const read = await readBody(request)
    if ("refusal" in read) return refusalResponse(read.refusal)
    const grant = codes.pollDevice({
      deviceAuthId: stringAt(read.body, "device_auth_id") ?? "",
      userCode: stringAt(read.body, "user_code") ?? "",
    })
    if (grant === "pending") return refusalResponse(detailRefusal("Authorization pending", 403))
    if (grant === undefined) return refusalResponse(detailRefusal("Unknown device login", 400))
    const body = { authorization_code: grant.code, code_challenge: grant.challenge, code_verifier: grant.verifier }
    return Response.json(body, { headers: SERVER })
  }
}

function nextAccount(world: World): string {
  return world.signIn.nextLogin() ?? world.accounts.list()[0]?.name ?? world.accounts.create().name
}
