/** The routes that speak OpenAI: chat, legacy completions, responses and the model lists, under every prefix clients use. */

import { Elysia } from "elysia"

import { GatewayError } from "#core/errors.ts"
import type { ClientCall } from "#core/request.ts"
import type { GatewayAnswer } from "#gateway/answer/answer.ts"
import type { Gateway } from "#gateway/gateway.ts"
import { guarded } from "#http/guarded.ts"
import { type ServeParts, serveModel } from "#http/serve-model.ts"

import { modelRoutes } from "./models.ts"
import { notServedRoutes } from "./not-served.ts"
import { storedResponseRoutes } from "./stored-responses.ts"

/** `/v1/v1` comes from clients whose base URL already ends in `/v1`. */
const PREFIXES = ["/v1", "", "/backend-api/codex", "/v1/v1"] as const

/** Returns the OpenAI routes as one Elysia plugin. */
export function openaiRoutes(gateway: Gateway, parts: ServeParts) {
  const app = new Elysia({ name: "openai" })
  for (const prefix of PREFIXES) {
    app.use(turnRoutes(prefix, gateway, parts)).use(modelRoutes(prefix, gateway, parts))
    app.use(storedResponseRoutes(prefix, gateway, parts)).use(notServedRoutes(prefix, parts))
  }
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
    .post("/completions", ({ request }) => serveModel(request, "openai-completions", gateway.turn, parts), {
      parse: "none",
    })
    .post("/alpha/search", ({ request }) => serveModel(request, "openai-responses", gateway.search, parts), {
      parse: "none",
    })
    .post("/responses/input_tokens", ({ request }) => serveModel(request, "openai-responses", count(gateway), parts), {
      parse: "none",
    })
    .post("/responses/compact", ({ request }) => serveModel(request, "openai-responses", gateway.compact, parts), {
      parse: "none",
    })
    .get("/responses", ({ request }) => guarded(request, parts, refusePlainGet))
}

function count({ countTokens }: Gateway): (call: ClientCall) => Promise<GatewayAnswer> {
  return async call => ({
    status: 200,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ object: "response.input_tokens", input_tokens: await countTokens(call) }),
  })
}

/** A handshake never gets here: the server takes it before the routes. */
function refusePlainGet(): Response {
  throw new GatewayError("upgrade-required", "This address answers POST, and GET only as a WebSocket handshake.", {
    code: "upgrade_required",
  })
}
