/** The table of the simulated backend: what answers at which method and path. */

import { makeLoginCodes } from "./accounts/login-codes.ts"
import { makeAuthorizeEndpoint, makeDeviceTokenEndpoint, makeUserCodeEndpoint } from "./accounts/login-endpoints.ts"
import { makeTokenEndpoint, revokeEndpoint } from "./accounts/token-endpoint.ts"
import { ACCOUNT_ROUTES } from "./catalogue-endpoints.ts"
import { compactEndpoint } from "./compact-endpoint.ts"
import type { SimulatorControl } from "./control.ts"
import { makeControlEndpoint, makeRecordedEndpoint } from "./control-endpoint.ts"
import type { Endpoint } from "./exchange.ts"
import { detailRefusal, refusalResponse } from "./refusal.ts"
import { makeResponsesEndpoint } from "./responses-endpoint.ts"
import { searchEndpoint } from "./search-endpoint.ts"
import { socketEndpoint } from "./socket/socket-endpoint.ts"
import type { World } from "./world.ts"

const CODEX = "/backend-api/codex"

/** Returns the endpoints by method and path. */
export function makeRoutes(world: World, control: SimulatorControl): ReadonlyMap<string, Endpoint> {
  const codes = makeLoginCodes({ ids: world.ids })
  return new Map<string, Endpoint>([
    ["GET /", bannerEndpoint],
    [`POST ${CODEX}/responses`, makeResponsesEndpoint("chatgpt")],
    [`GET ${CODEX}/responses`, socketEndpoint],
    [`POST ${CODEX}/responses/compact`, compactEndpoint],
    [`POST ${CODEX}/alpha/search`, searchEndpoint],
    ...ACCOUNT_ROUTES,
    ["POST /v1/responses", makeResponsesEndpoint("api-key")],
    ["GET /v1/responses", upgradeEndpoint],
    ["GET /oauth/authorize", makeAuthorizeEndpoint(codes)],
    ["POST /oauth/token", makeTokenEndpoint(codes)],
    ["POST /oauth/revoke", revokeEndpoint],
    ["POST /api/accounts/deviceauth/usercode", makeUserCodeEndpoint(codes)],
    ["POST /api/accounts/deviceauth/token", makeDeviceTokenEndpoint(codes)],
    ["POST /__control", makeControlEndpoint(control)],
    ["GET /__recorded", makeRecordedEndpoint(control)],
  ])
}

/** No WebSocket on the public paths: 426 makes clients fall back to HTTP at once. */
const upgradeEndpoint: Endpoint = () =>
  refusalResponse({ ...detailRefusal("Upgrade refused: this simulator speaks HTTP only", 426) })

const bannerEndpoint: Endpoint = () =>
  new Response("This is the Sluice simulator: a pretended Codex backend for tests and demonstrations.\n", {
    headers: { server: "sluice-simulator" },
  })
