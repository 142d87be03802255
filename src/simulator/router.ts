/** Method and path → endpoint, with every request recorded. */

import { makeLoginCodes } from "./accounts/login-codes.ts"
import { makeAuthorizeEndpoint, makeDeviceTokenEndpoint, makeUserCodeEndpoint } from "./accounts/login-endpoints.ts"
import { makeTokenEndpoint, revokeEndpoint } from "./accounts/token-endpoint.ts"
import { modelsEndpoint, publicModelsEndpoint, usageEndpoint } from "./catalogue-endpoints.ts"
import { compactEndpoint } from "./compact-endpoint.ts"
import type { SimulatorControl } from "./control.ts"
import { makeControlEndpoint, makeRecordedEndpoint } from "./control-endpoint.ts"
import type { Answered, Endpoint, Exchange } from "./exchange.ts"
import { detailRefusal, misuseRefusal, refusalResponse } from "./refusal.ts"
import { makeResponsesEndpoint } from "./responses-endpoint.ts"
import { socketEndpoint } from "./socket/socket-endpoint.ts"
import type { World } from "./world.ts"

const CODEX = "/backend-api/codex"

/** Handles one request; undefined once its connection is a WebSocket. */
export type Route = (request: Request, upgrade: Exchange["upgrade"]) => Promise<Response | undefined>

/** Makes the request handler. */
export function makeRouter(world: World, control: SimulatorControl): Route {
  const routes = makeRoutes(world, control)
  return async (request, upgrade) => {
    const url = new URL(request.url)
    const path = url.pathname.replace(/\/+$/, "")
    const endpoint = routes.get(`${request.method} ${path === "" ? "/" : path}`)
    const isOwn = path.startsWith("/__")
    const number = isOwn ? 0 : world.recorder.open(recordOf(request, url))
    const response = await answer(endpoint, {
      world,
      request,
      url,
      upgrade,
      record: facts => world.recorder.amend(number, facts),
    })
    world.recorder.amend(number, { status: response === "upgraded" ? 101 : response.status })
    return response === "upgraded" ? undefined : response
  }
}

async function answer(endpoint: Endpoint | undefined, exchange: Exchange): Promise<Answered> {
  if (endpoint === undefined) return refusalResponse(detailRefusal("Not Found", 404))
  try {
    return await endpoint(exchange)
  } catch (error) {
    return refusalResponse(misuseRefusal(error))
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
    [`GET ${CODEX}/responses`, socketEndpoint],
    [`POST ${CODEX}/responses/compact`, compactEndpoint],
    [`GET ${CODEX}/models`, modelsEndpoint],
    [`GET ${CODEX}/usage`, usageEndpoint],
    ["GET /backend-api/wham/usage", usageEndpoint],
    ["GET /api/codex/usage", usageEndpoint],
    ["POST /v1/responses", makeResponsesEndpoint("api-key")],
    ["GET /v1/responses", upgradeEndpoint],
    ["GET /v1/models", publicModelsEndpoint],
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
