/** The table of the simulated backend: what answers at which method and path. */

import { makeSignInRoutes } from "./accounts/sign-in-routes.ts"
import { ACCOUNT_ROUTES } from "./catalogue-endpoints.ts"
import { compactEndpoint } from "./compact-endpoint.ts"
import type { SimulatorControl } from "./control.ts"
import { makeControlEndpoint, makeRecordedEndpoint } from "./control-endpoint.ts"
import type { Endpoint } from "./exchange.ts"
import { bannerEndpoint, upgradeEndpoint } from "./plain-endpoints.ts"
import { makeResponsesEndpoint } from "./responses-endpoint.ts"
import { searchEndpoint } from "./search-endpoint.ts"
import { socketEndpoint } from "./socket/socket-endpoint.ts"
import type { World } from "./world.ts"

const CODEX = "/backend-api/codex"

/** Returns the endpoints by method and path. */
export function makeRoutes(world: World, control: SimulatorControl): ReadonlyMap<string, Endpoint> {
  return new Map<string, Endpoint>([
    ["GET /", bannerEndpoint],
    [`POST ${CODEX}/responses`, makeResponsesEndpoint("chatgpt")],
    [`GET ${CODEX}/responses`, socketEndpoint],
    [`POST ${CODEX}/responses/compact`, compactEndpoint],
    [`POST ${CODEX}/alpha/search`, searchEndpoint],
    ...ACCOUNT_ROUTES,
    ["POST /v1/responses", makeResponsesEndpoint("api-key")],
    ["GET /v1/responses", upgradeEndpoint],
    ...makeSignInRoutes(world.ids),
    ["POST /__control", makeControlEndpoint(control)],
    ["GET /__recorded", makeRecordedEndpoint(control)],
  ])
}
