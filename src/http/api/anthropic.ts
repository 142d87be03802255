/** The routes that speak Anthropic Messages, under every prefix clients use. */

import { Elysia } from "elysia"

import type { ClientCall } from "#core/request.ts"
import type { GatewayAnswer } from "#gateway/answer/answer.ts"
import type { Gateway } from "#gateway/gateway.ts"
import { type ServeParts, serveModel } from "#http/serve-model.ts"

/** `/v1/v1` comes from clients whose base URL already ends in `/v1`. */
const PREFIXES = ["/v1", "", "/v1/v1"] as const

/** Returns the Messages routes as one Elysia plugin. */
export function anthropicRoutes(gateway: Gateway, parts: ServeParts) {
  const app = new Elysia({ name: "anthropic" })
  for (const prefix of PREFIXES) app.use(messageRoutes(prefix, gateway, parts))
  // Claude Code asks these whether anyone is there, before it has a key to show.
  return app.head("/", hello).get("/api/hello", hello).head("/api/hello", hello)
}

// Bodies are read and checked by the dialect: the framework's own parsing drops unknown fields and knows no limits.
function messageRoutes(prefix: string, gateway: Gateway, parts: ServeParts) {
  return new Elysia({ prefix })
    .post("/messages", ({ request }) => serveModel(request, "anthropic-messages", gateway.turn, parts), {
      parse: "none",
    })
    .post("/messages/count_tokens", ({ request }) => serveModel(request, "anthropic-messages", count(gateway), parts), {
      parse: "none",
    })
}

function hello(): Response {
  return new Response(null, { status: 200 })
}

function count({ countTokens }: Gateway): (call: ClientCall) => Promise<GatewayAnswer> {
  return async call => ({
    status: 200,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ input_tokens: await countTokens(call) }),
  })
}
