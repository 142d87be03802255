/** The routes that speak OpenAI: chat completions, responses and models, under every prefix clients use. */

import { Elysia } from "elysia"

import { GatewayError } from "#core/errors.ts"
import type { Gateway } from "#gateway/gateway.ts"
import { holdsVersion } from "#http/etag.ts"
import { guarded } from "#http/guarded.ts"
import { type ServeParts, serveModel } from "#http/serve-model.ts"

/** `/v1/v1` comes from clients whose base URL already ends in `/v1`. */
const PREFIXES = ["/v1", "", "/backend-api/codex", "/v1/v1"] as const

/** Returns the OpenAI routes as one Elysia plugin. */
export function openaiRoutes(gateway: Gateway, parts: ServeParts) {
  const app = new Elysia({ name: "openai" })
  for (const prefix of PREFIXES) app.use(turnRoutes(prefix, gateway, parts)).use(modelRoutes(prefix, gateway, parts))
  return app
}

// Bodies are read and checked by the dialects: the framework's own parsing drops unknown fields and knows no limits.
function turnRoutes(prefix: string, gateway: Gateway, parts: ServeParts) {
  return new Elysia({ prefix })
    .post("/chat/completions", ({ request }) => serveModel(request, "openai-chat", gateway.turn, parts), {
      parse: "none",
    })
    .post("/responses", ({ request }) => serveModel(request, "openai-responses", gateway.turn, parts), {
      parse: "none",
    })
    .post("/responses/compact", ({ request }) => serveModel(request, "openai-responses", gateway.compact, parts), {
      parse: "none",
    })
    .get("/responses", ({ request }) => guarded(request, parts, refuseUpgrade))
}

function modelRoutes(prefix: string, gateway: Gateway, parts: ServeParts) {
  return new Elysia({ prefix })
    .get("/models", ({ request }) => guarded(request, parts, url => listModels(request, url, gateway)))
    .get("/models/catalog", ({ request }) => guarded(request, parts, () => Response.json(gateway.models.catalog())))
    .get("/models/*", ({ request, params }) => guarded(request, parts, () => oneModel(params["*"], gateway)))
}

/** Codex falls back to HTTP at once on 426; any other refusal costs it several tries. */
function refuseUpgrade(): Response {
  throw new GatewayError("upgrade-required", "Responses over WebSocket are not served; use POST.", {
    code: "websocket_not_supported",
  })
}

/** Codex asks with `client_version` and expects the catalogue of its own backend; everyone else gets the list. */
function listModels(request: Request, url: URL, gateway: Gateway): Response {
  const isCodex = url.searchParams.has("client_version") || url.pathname.startsWith("/backend-api/codex")
  if (!isCodex) return Response.json(gateway.models.list())
  const { etag, body } = gateway.models.manifest(url.searchParams.get("client_version") ?? undefined)
  if (holdsVersion(request.headers.get("if-none-match"), etag))
    return new Response(null, { status: 304, headers: { etag } })
  return new Response(body, { headers: { "content-type": "application/json", etag } })
}

/** Model ids may contain slashes, so the `/info` ending is told apart here. */
function oneModel(path: string, gateway: Gateway): Response {
  const id = decodedId(path)
  const info = id.endsWith("/info")
  return Response.json(info ? gateway.models.info(id.slice(0, -"/info".length)) : gateway.models.one(id))
}

/** An id with a broken percent sign is left as it was sent: no model has such a name, which is the answer then. */
function decodedId(path: string): string {
  const bare = path.replace(/\/+$/, "")
  try {
    return decodeURIComponent(bare)
  } catch {
    return bare
  }
}
