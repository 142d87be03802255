/** The routes of the model lists, which several dialects share: the caller's headers say whose form it wants. */

import { Elysia } from "elysia"

import { parseJsonObject } from "#core/json.ts"
import type { Gateway } from "#gateway/gateway.ts"
import type { Manifest } from "#gateway/models/render-manifest.ts"
import { dialectOf } from "#http/dialect-of.ts"
import { holdsVersion } from "#http/etag.ts"
import { guarded } from "#http/guarded.ts"
import type { ServeParts } from "#http/serve-model.ts"
import { renderMessagesModel, renderMessagesModels } from "#protocols/anthropic-messages/model-list.ts"
import { bareModelName } from "#protocols/gemini/model-address.ts"
import { renderGeminiModel, renderGeminiModels } from "#protocols/gemini/model-list.ts"

import { type MayUse, onlyAllowed } from "./allowed-models.ts"

/** Returns the model routes under one prefix as an Elysia plugin. */
export function modelRoutes(prefix: string, gateway: Gateway, parts: ServeParts) {
  return new Elysia({ prefix })
    .get("/models", ({ request }) =>
      guarded(request, parts, (url, { keyId }) =>
        listModels(request, { url, gateway, mayUse: gateway.desk.keys.modelsOf(keyId) }),
      ),
    )
    .get("/models/catalog", ({ request }) =>
      guarded(request, parts, (_url, { keyId }) =>
        Response.json(onlyAllowed(gateway.models.catalog(), gateway.desk.keys.modelsOf(keyId))),
      ),
    )
    .get("/models/*", ({ request, params }) => guarded(request, parts, () => oneModel(request, params["*"], gateway)))
}

type Listing = { readonly url: URL; readonly gateway: Gateway; readonly mayUse: MayUse | undefined }

/** Codex asks with `client_version` and expects the catalogue of its own backend; everyone else gets the list. */
function listModels(request: Request, { url, gateway, mayUse }: Listing): Response {
  const { models } = gateway
  const isCodex = url.searchParams.has("client_version") || url.pathname.startsWith("/backend-api/codex")
  if (isCodex) return manifest(request, { url, gateway, mayUse })
  const listed = () => models.listed().filter(({ id, info }) => mayUse?.([id, info.slug]) !== false)
  switch (dialectOf(request)) {
    case "anthropic-messages":
      return Response.json(renderMessagesModels(listed()))
    case "gemini":
      return Response.json(renderGeminiModels(listed(), url.searchParams))
    case "openai-chat":
      return Response.json(onlyAllowed(models.list(), mayUse))
  }
}

function manifest(request: Request, { url, gateway, mayUse }: Listing): Response {
  const { etag, body } = allowedManifest(
    gateway.models.manifest(url.searchParams.get("client_version") ?? undefined),
    mayUse,
  )
  if (holdsVersion(request.headers.get("if-none-match"), etag))
    return new Response(null, { status: 304, headers: { etag } })
  return new Response(body, { headers: { "content-type": "application/json", etag } })
}

/** What one key is shown is another version than what all are. */
function allowedManifest(manifest: Manifest, mayUse: MayUse | undefined): Manifest {
  const parsed = mayUse === undefined ? undefined : parseJsonObject(manifest.body)
  if (parsed === undefined) return manifest
  const body = JSON.stringify(onlyAllowed(parsed, mayUse))
  return { etag: `"${Bun.hash(body).toString(16)}"`, body }
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
