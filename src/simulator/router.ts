/** One request to the simulated backend: recorded, answered, and mistakes of its user told in words. */

import type { SimulatorControl } from "./control.ts"
import type { Answered, Endpoint, Exchange } from "./exchange.ts"
import { detailRefusal, misuseRefusal, refusalResponse } from "./refusal.ts"
import { makeRoutes } from "./routes.ts"
import type { World } from "./world.ts"

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
