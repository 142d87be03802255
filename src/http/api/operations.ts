/** Routes for operators and their monitors: health, statistics, refresh, quota. */

import { Elysia } from "elysia"

import { GatewayError } from "#core/errors.ts"
import type { Gateway } from "#gateway/gateway.ts"
import { KEY_ID_PREFIX } from "#gateway/keys/key-gate.ts"
import { guarded } from "#http/guarded.ts"
import { report } from "#http/progress.ts"
import type { ServeParts } from "#http/serve-model.ts"

/** Returns the operators' routes as one Elysia plugin. Health is open; everything else needs a client key. */
export function operationRoutes(gateway: Gateway, parts: ServeParts) {
  return new Elysia({ name: "operations" })
    .get("/health", () => Response.json(gateway.health()))
    .get("/health/live", () => Response.json({ status: "ok" }))
    .get("/health/ready", () => readiness(gateway))
    .get("/stats", ({ request }) => forOperators(request, parts, () => Response.json(gateway.stats())))
    .post("/refresh", ({ request }) => forOperators(request, parts, () => report(request, gateway.refreshAll)))
    .post("/check-quota", ({ request }) => forOperators(request, parts, () => report(request, gateway.checkQuota)))
}

/** Keys of the configuration are the operator's own; those that are stored are handed to others, who see no accounts. */
function forOperators(
  request: Request,
  parts: ServeParts,
  handle: () => Response | Promise<Response>,
): Promise<Response> {
  return guarded(request, parts, (_url, { keyId }) => {
    if (!keyId.startsWith(KEY_ID_PREFIX)) return handle()
    throw new GatewayError("forbidden", "This API key is for models only.", {
      code: "key_for_models_only",
      hint: "Ask with a key of `api-keys`, or use the operators' surface with `admin-key`.",
    })
  })
}

function readiness(gateway: Gateway): Response {
  const state = gateway.readiness()
  return Response.json(state, { status: state.ready ? 200 : 503 })
}
