/** One request to the simulated backend: recorded, answered, and mistakes of its user told in words. */

import { toGatewayError } from "#core/errors.ts"

import type { SimulatorControl } from "./control.ts"
import type { Endpoint } from "./exchange.ts"
import { detailRefusal, jsonRefusal, refusalResponse } from "./refusal.ts"
import { makeRoutes } from "./routes.ts"
import type { World } from "./world.ts"

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
