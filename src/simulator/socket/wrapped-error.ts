/** Refusals as they travel on a WebSocket: one `error` frame with the status and the headers inside. */

import { type JsonObject, objectAt, parseJsonObject, stringAt } from "#core/json.ts"
import type { Refusal } from "#simulator/refusal.ts"

/** Wraps what HTTP would have answered. Bodies of the `{"detail": …}` shape become the error's message. */
export function wrappedError(refusal: Refusal, headers: Readonly<Record<string, string>>): JsonObject {
  const all = { ...headers, ...refusal.headers }
  return {
    type: "error",
    status: refusal.status,
    error: errorOf(refusal),
    ...(Object.keys(all).length > 0 && { headers: titleCased(all) }),
  }
}

function errorOf({ body, status }: Refusal): JsonObject {
  const json = parseJsonObject(body) ?? {}
  const error = objectAt(json, "error")
  if (error !== undefined) return error
  const detail = objectAt(json, "detail")
  const message = stringAt(json, "detail") ?? (detail && stringAt(detail, "code")) ?? `HTTP ${status}`
  return { type: "invalid_request_error", code: (detail && stringAt(detail, "code")) ?? null, message, param: null }
}

/** The names arrive as `X-Codex-Primary-Used-Percent`. */
function titleCased(headers: Readonly<Record<string, string>>): JsonObject {
  const entries = Object.entries(headers).map(([name, value]): [string, string] => {
    return [name.replace(/(^|-)([a-z])/g, (_, dash: string, letter: string) => dash + letter.toUpperCase()), value]
  })
  return Object.fromEntries(entries)
}
