/** Where the sign-in service answers. */

import type { Endpoint } from "#simulator/exchange.ts"
import type { Ids } from "#simulator/ids.ts"

import { makeLoginCodes } from "./login-codes.ts"
import { makeAuthorizeEndpoint, makeDeviceTokenEndpoint, makeUserCodeEndpoint } from "./login-endpoints.ts"
import { makeTokenEndpoint, revokeEndpoint } from "./token-endpoint.ts"

/** Returns its endpoints by method and path; they share the codes they hand out. */
export function makeSignInRoutes(ids: Ids): readonly (readonly [string, Endpoint])[] {
  const codes = makeLoginCodes({ ids })
  return [
    ["GET /oauth/authorize", makeAuthorizeEndpoint(codes)],
    ["POST /oauth/token", makeTokenEndpoint(codes)],
    ["POST /oauth/revoke", revokeEndpoint],
    ["POST /api/accounts/deviceauth/usercode", makeUserCodeEndpoint(codes)],
    ["POST /api/accounts/deviceauth/token", makeDeviceTokenEndpoint(codes)],
  ]
}
