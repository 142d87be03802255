/** Endpoints that always say the same. */

import type { Endpoint } from "./exchange.ts"
import { detailRefusal, refusalResponse } from "./refusal.ts"

/** No WebSocket on the public paths: 426 makes clients fall back to HTTP at once. */
export const upgradeEndpoint: Endpoint = () =>
  refusalResponse({ ...detailRefusal("Upgrade refused: this simulator speaks HTTP only", 426) })

/** Who is asked by a browser says what it is. */
export const bannerEndpoint: Endpoint = () =>
  new Response("This is the Sluice simulator: a pretended Codex backend for tests and demonstrations.\n", {
    headers: { server: "sluice-simulator" },
  })
