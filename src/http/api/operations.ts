/** Routes for operators and their monitors: health, statistics, refresh, quota. */

import { Elysia } from "elysia"

import type { Gateway } from "#gateway/gateway.ts"
import { guarded } from "#http/guarded.ts"
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

type Report = (onProgress: (step: unknown) => void) => Promise<unknown>

/** A long operation: one JSON report at the end, or its steps as they happen for a client that asks for events. */
function report(request: Request, run: Report): Promise<Response> | Response {
  const wantsEvents = (request.headers.get("accept") ?? "").includes("text/event-stream")
  if (!wantsEvents) return run(() => {}).then(result => Response.json(result))
  return new Response(progressStream(run), {
    headers: { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" },
  })
}

function progressStream(run: Report): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  const frame = (event: string, data: unknown) => encoder.encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
  let open = true
  return new ReadableStream({
    start: async controller => {
      // Steps are few and small (one an account), so they may be queued without demand.
      const result = await run(step => open && controller.enqueue(frame("progress", step)))
      if (!open) return
      controller.enqueue(frame("done", result))
      controller.close()
    },
    cancel: () => {
      open = false
    },
  })
}
