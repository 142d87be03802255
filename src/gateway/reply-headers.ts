/** The headers of an answer: what its kind needs, and what Codex clients read of the upstream's. */

import type { Turn } from "./turn-types.ts"

/** Streams must not be buffered, cached or compressed on the way. */
const STREAM_HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache",
  "x-accel-buffering": "no",
} as const

/** What Codex clients act on: sticky routing inside a turn, the model list's version, the model that served. */
const CODEX_HEADERS = ["x-codex-turn-state", "x-models-etag", "x-reasoning-included", "openai-model"] as const

/** Builds the headers; `upstream` is undefined while no attempt is committed to. */
export function replyHeaders(
  turn: Turn,
  upstream: Headers | undefined,
  exposeQuota: boolean,
): Readonly<Record<string, string>> {
  const headers: Record<string, string> = turn.request.stream ? { ...STREAM_HEADERS } : {}
  if (upstream === undefined || !turn.request.reply.codexClient) return headers
  for (const name of CODEX_HEADERS) {
    const value = upstream.get(name)
    if (value !== null) headers[name] = value
  }
  if (exposeQuota) addQuotaHeaders(headers, upstream)
  return headers
}

/** Quota headers describe one account of the pool, which is why they are the operator's choice. */
function addQuotaHeaders(headers: Record<string, string>, upstream: Headers): void {
  upstream.forEach((value, name) => {
    if (name.startsWith("x-codex-") && name !== "x-codex-turn-state") headers[name] = value
  })
}
