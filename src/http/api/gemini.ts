/** The routes that speak Gemini: what to do stands in the address, behind the model. */

import { Elysia } from "elysia"

import type { ClientCall } from "#core/request.ts"
import type { GatewayAnswer } from "#gateway/answer/answer.ts"
import type { Gateway } from "#gateway/gateway.ts"
import type { Carrier } from "#gateway/turn/carrier.ts"
import { errorResponse } from "#http/errors.ts"
import { newRequestId, type ServeParts, serveModel } from "#http/serve-model.ts"
import { type ModelAddress, readModelAddress } from "#protocols/gemini/model-address.ts"

import { modelRoutes } from "./models.ts"

/** Versions this dialect has for itself. */
const VERSIONS = ["/v1beta", "/v1alpha"] as const

/** Base URLs come with the version, without it, and with a slash too many. */
const PREFIXES = [...VERSIONS, "/v1", "", "//v1beta", "//v1alpha", "//v1", "/v1beta/v1beta"] as const

/** Returns the Gemini routes as one Elysia plugin. */
export function geminiRoutes(gateway: Gateway, parts: ServeParts) {
  const app = new Elysia({ name: "gemini" })
  for (const prefix of PREFIXES) app.use(methodRoutes(prefix, gateway, parts))
  for (const prefix of VERSIONS) app.use(modelRoutes(prefix, gateway, parts))
  return app
}

// Bodies are read and checked by the dialect: the framework's own parsing drops unknown fields and knows no limits.
function methodRoutes(prefix: string, gateway: Gateway, parts: ServeParts) {
  return new Elysia({ prefix }).post(
    "/models/*",
    ({ request, params }) => serveMethod(request, params["*"], gateway, parts),
    { parse: "none" },
  )
}

async function serveMethod(request: Request, path: string, gateway: Gateway, parts: ServeParts): Promise<Response> {
  let address: ModelAddress
  try {
    parts.admission().admit(request, new URL(request.url), parts.peerOf)
    address = readModelAddress(path)
  } catch (cause) {
    const id = newRequestId(parts)
    parts.refused({ id, protocol: "gemini", startedAtMs: parts.clock(), cause })
    return errorResponse(cause, "gemini", id)
  }
  const { countTokens } = gateway
  const carried = (carrier?: Carrier) => ({ countTokens, turn: (call: ClientCall) => gateway.turn(call, carrier) })
  const url = new URL(request.url)
  return serveModel(request, "gemini", (call, carrier) => run(call, address, url, carried(carrier)), parts)
}

/** The body gets what the address says, under names no client's body can speak for. */
async function run(
  call: ClientCall,
  { model, method }: ModelAddress,
  url: URL,
  gateway: Pick<Gateway, "turn" | "countTokens">,
): Promise<GatewayAnswer> {
  const alt = url.searchParams.get("alt") ?? url.searchParams.get("$alt")
  const isStream = method === "streamGenerateContent"
  const isArray = isStream && alt !== "sse"
  const addressed = { ...call, json: { ...call.json, model, stream: isStream, alt: isArray ? "json" : "sse" } }
  if (method === "countTokens") return count(addressed, gateway)
  return gateway.turn(addressed)
}

async function count(call: ClientCall, { countTokens }: Pick<Gateway, "countTokens">): Promise<GatewayAnswer> {
  return {
    status: 200,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ totalTokens: await countTokens(call) }),
  }
}
