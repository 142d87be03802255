/** The routes of remembered responses: read one, what it was asked with, and forget it. */

import { Elysia, NotFoundError } from "elysia"

import { GatewayError } from "#core/errors.ts"
import type { JsonObject } from "#core/json.ts"
import type { Gateway } from "#gateway/gateway.ts"
import { guarded } from "#http/guarded.ts"
import type { ServeParts } from "#http/serve-model.ts"

const NO_IDS: ReadonlySet<string> = new Set(["compact", "input_tokens"])

/** Returns the routes under one prefix as an Elysia plugin. */
export function storedResponseRoutes(prefix: string, { memory }: Gateway, parts: ServeParts) {
  const answer = (request: Request, read: (owner: string) => JsonObject) =>
    guarded(request, parts, (_url, principal) => Response.json(read(principal.keyId)))
  return new Elysia({ prefix })
    .get("/responses/:id", ({ request, params }) => {
      // The router cannot tell them apart: these are addresses of their own, for other methods.
      if (NO_IDS.has(params.id)) throw new NotFoundError()
      return answer(request, owner => {
        refuseStream(request)
        return memory.response(owner, params.id)
      })
    })
    .get("/responses/:id/input_items", ({ request, params }) =>
      answer(request, owner => listOf(memory.inputItems(owner, params.id))),
    )
    .delete("/responses/:id", ({ request, params }) =>
      answer(request, owner => {
        memory.forget(owner, params.id)
        return { id: params.id, object: "response", deleted: true }
      }),
    )
    .post("/responses/:id/cancel", ({ request }) => answer(request, refuseCancel), { parse: "none" })
}

function listOf(items: ReturnType<Gateway["memory"]["inputItems"]>): JsonObject {
  return { object: "list", data: items, has_more: false }
}

function refuseStream(request: Request): void {
  if (new URL(request.url).searchParams.get("stream") !== "true") return
  throw new GatewayError("invalid-request", "A remembered response is not streamed again.", {
    code: "unsupported_parameter",
    param: "stream",
  })
}

function refuseCancel(): never {
  throw new GatewayError("invalid-request", "Only background responses can be cancelled, and there are none here.", {
    code: "unsupported_parameter",
    param: "background",
  })
}
