/** Routes for operators and their monitors: health, statistics, refresh, quota. */

import { Elysia } from "elysia"

import type { Gateway } from "#gateway/gateway.ts"
import { guarded } from "#http/guarded.ts"
import { report } from "#http/progress.ts"
import type { ServeParts } from "#http/serve-model.ts"

/** Returns the operators' routes as one Elysia plugin. Health is open; everything else needs a client key. */
export function operationRoutes(gateway: Gateway, parts: ServeParts) {
  return new Elysia({ name: "operations" })
    .get("/health", () => Response.json(gateway.health()))
    .get("/health/live", () => Response.json({ status: "ok" }))
    .get("/health/ready", () => readiness(gateway))
    .get("/stats", ({ request }) => guarded(request, parts, () => Response.json(gateway.stats())))
    .post("/refresh", ({ request }) => guarded(request, parts, () => report(request, gateway.refreshAll)))
    .post("/check-quota", ({ request }) => guarded(request, parts, () => report(request, gateway.checkQuota)))
}

function readiness(gateway: Gateway): Response {
  const state = gateway.readiness()
  return Response.json(state, { status: state.ready ? 200 : 503 })
}
