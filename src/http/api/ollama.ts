/** The routes that speak Ollama. They are served on a port of their own, where no key is asked for. */

import { Elysia } from "elysia"

import { GatewayError } from "#core/errors.ts"
import { type JsonObject, stringAt } from "#core/json.ts"
import type { ClientCall } from "#core/request.ts"
import type { GatewayAnswer } from "#gateway/answer/answer.ts"
import type { Gateway } from "#gateway/gateway.ts"
import { errorResponse } from "#http/errors.ts"
import { readJsonBody } from "#http/read-body.ts"
import { newRequestId, type ServeParts, serveModel } from "#http/serve-model.ts"
import { renderShow, renderTags } from "#protocols/ollama/model-list.ts"
import { unimplemented } from "#protocols/unimplemented.ts"

/** What the answers say of this machine; read at each request. */
export type OllamaFacts = () => { readonly version: string; readonly isVisionHidden: boolean }

/** Routes about files of weights and about vectors, which nobody here has. */
const UNSERVED = [
  ["/api/push", "Models cannot be pushed: they are the upstream's."],
  ["/api/create", "Models cannot be created here; the setting model.aliases gives models names of your own."],
  ["/api/copy", "Models cannot be copied; the setting model.aliases gives models names of your own."],
  ["/api/delete", "Models cannot be deleted: they are the upstream's."],
  ["/api/embed", "Embeddings are not served: the upstream has none."],
  ["/api/embeddings", "Embeddings are not served: the upstream has none."],
  ["/api/blobs/:digest", "Files of models are not kept here."],
] as const

const RAW = { parse: "none" } as const

/** Returns the routes as one Elysia plugin. */
export function ollamaRoutes(gateway: Gateway, parts: ServeParts, facts: OllamaFacts) {
  const plain = (handle: () => Response | Promise<Response>) => answered(parts, handle)
  const tags = () => plain(() => Response.json(renderTags(gateway.models.listed(), facts())))
  const version = () => Response.json({ version: facts().version })
  const app = new Elysia({ name: "ollama" })
    .get("/", () => new Response(ALIVE))
    .head("/", () => new Response(ALIVE))
    .get("/api/version", version)
    .head("/api/version", version)
    .get("/api/tags", tags)
    .head("/api/tags", tags)
    // Nothing is loaded into anybody's memory.
    .get("/api/ps", () => Response.json({ models: [] }))
    .post("/api/show", ({ request }) => plain(() => show(request, gateway, { parts, facts })), RAW)
    .post("/api/pull", ({ request }) => plain(() => pull(request, gateway, parts)), RAW)
    .post("/api/chat", ({ request }) => converse(request, "chat", gateway, parts), RAW)
    .post("/api/generate", ({ request }) => converse(request, "generate", gateway, parts), RAW)
  for (const [path, reason] of UNSERVED) app.all(path, () => plain(() => Promise.reject(unimplemented(reason))), RAW)
  return app
}

/** Asked for by those who want to know whether anyone is there. */
const ALIVE = "Ollama is running"

async function answered(parts: ServeParts, handle: () => Response | Promise<Response>): Promise<Response> {
  try {
    return await handle()
  } catch (cause) {
    return errorResponse(cause, "ollama", newRequestId(parts))
  }
}

async function converse(
  request: Request,
  endpoint: "chat" | "generate",
  gateway: Gateway,
  parts: ServeParts,
): Promise<Response> {
  if (isEmpty(request)) return answered(parts, () => Promise.reject(missingBody()))
  return serveModel(request, "ollama", call => run(call, endpoint, gateway), parts)
}

/** The body gets what the address says, under a name no client's body can speak for. */
async function run(call: ClientCall, endpoint: string, { turn }: Gateway): Promise<GatewayAnswer> {
  try {
    const answer = await turn({ ...call, json: { ...call.json, endpoint } })
    const isStream = answer.headers["content-type"]?.startsWith("text/event-stream")
    if (isStream !== true) return answer
    return { ...answer, headers: { ...answer.headers, "content-type": "application/x-ndjson" } }
  } catch (cause) {
    throw asNotFound(cause, stringAt(call.json, "model") ?? "")
  }
}

/** Clients look for these words, and some of them for nothing else. */
function asNotFound(cause: unknown, model: string): unknown {
  if (!(cause instanceof GatewayError) || cause.kind !== "model-not-found") return cause
  return new GatewayError("model-not-found", `model '${model.slice(0, 80)}' not found`, {
    code: "model_not_found",
    cause,
  })
}

async function show(
  request: Request,
  { models }: Gateway,
  { parts, facts }: { readonly parts: ServeParts; readonly facts: OllamaFacts },
): Promise<Response> {
  const name = modelOf(await readBody(request, parts))
  const entry = findModel(models, name)
  // This program shows the base name in its picker.
  const isCopilot = request.headers.get("user-agent")?.startsWith("GitHubCopilotChat/") === true
  return Response.json(renderShow(entry, isCopilot ? name : entry.info.slug, facts()))
}

/** A model that is served is there already; others are nowhere to be had. */
async function pull(request: Request, { models }: Gateway, parts: ServeParts): Promise<Response> {
  const body = await readBody(request, parts)
  findModel(models, modelOf(body))
  const line = JSON.stringify({ status: "success" })
  if (body["stream"] === false) return new Response(line, { headers: { "content-type": "application/json" } })
  return new Response(`${line}\n`, { headers: { "content-type": "application/x-ndjson" } })
}

function findModel(models: Gateway["models"], name: string): ReturnType<Gateway["models"]["listedOne"]> {
  try {
    return models.listedOne(name)
  } catch (cause) {
    throw asNotFound(cause, name)
  }
}

async function readBody(request: Request, parts: ServeParts): Promise<JsonObject> {
  if (isEmpty(request)) throw missingBody()
  return readJsonBody(request, { ...parts.bodyLimits(), timers: parts.timers })
}

/** Some clients say `name` where others say `model`. */
function modelOf(body: JsonObject): string {
  const name = stringAt(body, "model") || stringAt(body, "name")
  if (name) return name
  throw new GatewayError("invalid-request", "model is required", { param: "model", code: "missing_required_parameter" })
}

function isEmpty({ body, headers }: Request): boolean {
  return body === null || headers.get("content-length") === "0"
}

function missingBody(): GatewayError {
  return new GatewayError("invalid-request", "missing request body", { code: "invalid_json" })
}
