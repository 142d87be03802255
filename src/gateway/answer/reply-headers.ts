/** The headers of an answer: what its kind needs, and what Codex clients read of the upstream's. */

import type { ModelRequest } from "#core/request.ts"
import { type HeaderAllowList, pickHeaders } from "#wire/header-filter.ts"

/** Streams must not be buffered, cached or compressed on the way. */
const STREAM_HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache",
  "x-accel-buffering": "no",
} as const

/** What Codex clients act on: sticky routing inside a turn, the model list's version, the model that served. */
const CODEX_HEADERS: HeaderAllowList = {
  names: new Set(["x-codex-turn-state", "x-models-etag", "x-reasoning-included", "openai-model"]),
}

/** Quota headers describe one account of the pool, which is why they are the operator's choice. */
const WITH_QUOTA: HeaderAllowList = { ...CODEX_HEADERS, prefixes: ["x-codex-"] }

/** Builds the headers; `upstream` is undefined while no attempt is committed to. */
export function replyHeaders(
  { request }: { readonly request: Pick<ModelRequest, "stream" | "reply"> },
  upstream: Headers | undefined,
  exposeQuota: boolean,
): Readonly<Record<string, string>> {
  const own = request.stream ? streamHeaders(request.reply) : {}
  if (upstream === undefined || !request.reply.codexClient) return own
  return { ...pickHeaders(upstream, exposeQuota ? WITH_QUOTA : CODEX_HEADERS), ...own }
}

/** An array that grows is no stream of events. */
function streamHeaders({ asArray }: ModelRequest["reply"]): Readonly<Record<string, string>> {
  return asArray === true ? { ...STREAM_HEADERS, "content-type": "application/json" } : STREAM_HEADERS
}
