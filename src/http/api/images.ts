/** The routes that draw: from a prompt, or from a prompt and pictures, sent as JSON or as a form. */

import { Elysia } from "elysia"

import type { JsonObject } from "#core/json.ts"
import type { ClientCall } from "#core/request.ts"
import type { GatewayAnswer } from "#gateway/answer/answer.ts"
import type { Gateway } from "#gateway/gateway.ts"
import { parseJsonBody } from "#http/read-body.ts"
import { type ServeParts, serveModel } from "#http/serve-model.ts"

import { isForm, readImageForm } from "./image-form.ts"

/** `/v1/v1` comes from clients whose base URL already ends in `/v1`. */
const PREFIXES = ["/v1", "", "/backend-api/codex", "/v1/v1"] as const

/** Returns the images routes as one Elysia plugin. */
export function imageRoutes(gateway: Gateway, parts: ServeParts) {
  const app = new Elysia({ name: "images" })
  const reading = { ...parts, readBody }
  const draw = (operation: string) => (call: ClientCall) => run(call, operation, gateway)
  for (const prefix of PREFIXES) {
    app
      .post(
        `${prefix}/images/generations`,
        ({ request }) => serveModel(request, "openai-images", draw("generation"), reading),
        { parse: "none" },
      )
      .post(`${prefix}/images/edits`, ({ request }) => serveModel(request, "openai-images", draw("edit"), reading), {
        parse: "none",
      })
  }
  return app
}

function readBody(bytes: Uint8Array<ArrayBuffer>, request: Request): JsonObject | Promise<JsonObject> {
  const contentType = request.headers.get("content-type") ?? ""
  return isForm(contentType) ? readImageForm(bytes, contentType) : parseJsonBody(bytes)
}

/** The body gets what the address says, under a name no client's body can speak for. */
function run(call: ClientCall, operation: string, gateway: Gateway): Promise<GatewayAnswer> {
  return gateway.images({ ...call, json: { ...call.json, operation } })
}
