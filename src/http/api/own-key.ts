/** What a client key may see of itself, where replaced systems show it. */

import { Elysia } from "elysia"

import type { Gateway } from "#gateway/gateway.ts"
import { subKeyInfo } from "#http/adapters/icebear-keys.ts"
import { guarded } from "#http/guarded.ts"
import type { ServeParts } from "#http/serve-model.ts"

/** Returns the routes as one Elysia plugin. */
export function ownKeyRoutes(gateway: Gateway, parts: ServeParts) {
  return new Elysia({ name: "own-key" }).get("/v1/sub-key/info", ({ request }) =>
    guarded(request, parts, (_url, { keyId }) => Response.json(subKeyInfo(gateway.desk.keys.own(keyId)))),
  )
}
