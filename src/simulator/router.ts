/** Method and path → endpoint, with every request recorded. */

import { toGatewayError } from "#core/errors.ts"

import { makeLoginCodes } from "./accounts/login-codes.ts"
import { makeAuthorizeEndpoint, makeDeviceTokenEndpoint, makeUserCodeEndpoint } from "./accounts/login-endpoints.ts"
import { makeTokenEndpoint, revokeEndpoint } from "./accounts/token-endpoint.ts"
import { ACCOUNT_ROUTES } from "./catalogue-endpoints.ts"
import { compactEndpoint } from "./compact-endpoint.ts"
import type { SimulatorControl } from "./control.ts"
import { makeControlEndpoint, makeRecordedEndpoint } from "./control-endpoint.ts"
import type { Endpoint } from "./exchange.ts"
import { detailRefusal, jsonRefusal, refusalResponse } from "./refusal.ts"
import { makeResponsesEndpoint } from "./responses-endpoint.ts"
import type { World } from "./world.ts"

const CODEX = "/backend-api/codex"

/** Makes the request handler. */
export function makeRouter(world: World, control: SimulatorControl): (request: Request) => Promise<Response> {
  const routes = makeRoutes(world, control)
  return async request => {
    const url = new URL(request.url)
    const path = url.pathname.replace(/\/+$/, "")
    const endpoint = routes.get(`${request.method} ${path === "" ? "/" : path}`)
    const isOwn = path.startsWith("/__")
    const number = isOwn ? 0 : world.recorder.open(recordOf(request, url))
    const response = await answer(endpoint, {
      world,
      request,
      url,
      record: facts => world.recorder.amend(number, facts),
    })
    world.recorder.amend(number, { status: response.status })
    return response
  }
}

/** A mistake in a script or a control call is told in words; it must not look like the backend's own refusal. */
async function answer(endpoint: Endpoint | undefined, exchange: Parameters<Endpoint>[0]): Promise<Response> {
  if (endpoint === undefined) return refusalResponse(detailRefusal("Not Found", 404))
  try {
    return await endpoint(exchange)
  } catch (error) {
    const { status, message } = toGatewayError(error)
    const body = { error: { message, type: "simulator_error", param: null, code: "simulator_misuse" } }
    return refusalResponse(jsonRefusal(status, body))
  }
}

function recordOf(request: Request, url: URL) {
  return {
    method: request.method,
    path: url.pathname,
    query: url.search,
    headers: Object.fromEntries(request.headers),
  }
}

function makeRoutes(world: World, control: SimulatorControl): ReadonlyMap<string, Endpoint> {
  const codes = makeLoginCodes({ ids: world.ids })
  return new Map<string, Endpoint>([
    ["GET /", bannerEndpoint],
    [`POST ${CODEX}/responses`, makeResponsesEndpoint("chatgpt")],
    [`GET ${CODEX}/responses`, upgradeEndpoint],
    [`POST ${CODEX}/responses/compact`, compactEndpoint],
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

/** No WebSocket here: 426 makes clients fall back to HTTP at once. */
const upgradeEndpoint: Endpoint = () =>
  refusalResponse({ ...detailRefusal("Upgrade refused: this simulator speaks HTTP only", 426) })

const bannerEndpoint: Endpoint = () =>
  new Response("This is the Sluice simulator: a pretended Codex backend for tests and demonstrations.\n", {
    headers: { server: "sluice-simulator" },
  })
