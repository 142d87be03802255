/** The routes of the model lists, which several dialects share: the caller's headers say whose form it wants. */

import { Elysia } from "elysia"

import type { Gateway } from "#gateway/gateway.ts"
import { dialectOf } from "#http/dialect-of.ts"
import { holdsVersion } from "#http/etag.ts"
import { guarded } from "#http/guarded.ts"
import type { ServeParts } from "#http/serve-model.ts"
import { renderMessagesModel, renderMessagesModels } from "#protocols/anthropic-messages/model-list.ts"
import { bareModelName } from "#protocols/gemini/model-address.ts"
import { renderGeminiModel, renderGeminiModels } from "#protocols/gemini/model-list.ts"

/** Returns the model routes under one prefix as an Elysia plugin. */
export function modelRoutes(prefix: string, gateway: Gateway, parts: ServeParts) {
  return new Elysia({ prefix })
    .get("/models", ({ request }) => guarded(request, parts, url => listModels(request, url, gateway)))
    .get("/models/catalog", ({ request }) => guarded(request, parts, () => Response.json(gateway.models.catalog())))
    .get("/models/*", ({ request, params }) => guarded(request, parts, () => oneModel(request, params["*"], gateway)))
}

/** Codex asks with `client_version` and expects the catalogue of its own backend; everyone else gets the list. */
function listModels(request: Request, url: URL, { models }: Gateway): Response {
  const isCodex = url.searchParams.has("client_version") || url.pathname.startsWith("/backend-api/codex")
  if (isCodex) return manifest(request, url, models)
  switch (dialectOf(request)) {
    case "anthropic-messages":
      return Response.json(renderMessagesModels(models.listed()))
    case "gemini":
      return Response.json(renderGeminiModels(models.listed(), url.searchParams))
    case "openai-chat":
      return Response.json(models.list())
  }
}

function manifest(request: Request, url: URL, models: Gateway["models"]): Response {
  const { etag, body } = models.manifest(url.searchParams.get("client_version") ?? undefined)
  if (holdsVersion(request.headers.get("if-none-match"), etag))
    return new Response(null, { status: 304, headers: { etag } })
  return new Response(body, { headers: { "content-type": "application/json", etag } })
}

/** Model ids may contain slashes, so the `/info` ending is told apart here. */
function oneModel(request: Request, path: string, { models }: Gateway): Response {
  const id = decodedId(path)
  if (id.endsWith("/info")) return Response.json(models.info(id.slice(0, -"/info".length)))
  switch (dialectOf(request)) {
    case "anthropic-messages":
      return Response.json(renderMessagesModel(models.listedOne(id)))
    case "gemini":
      return Response.json(renderGeminiModel(models.listedOne(bareModelName(id))))
    case "openai-chat":
      return Response.json(models.one(id))
  }
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
