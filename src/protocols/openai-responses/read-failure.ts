/** Reads a failure that arrives with status 200: an `error` or `response.failed` event, a JSON body, an HTML page. */

import { readErrorFacts } from "#core/error-facts.ts"
import { type JsonObject, numberAt, objectAt, parseJsonObject, stringAt } from "#core/json.ts"
import type { UpstreamFailure } from "#core/upstream.ts"
import { BREAK } from "#protocols/stream-break.ts"

/** The upstream closed without a terminal event. */
export const STREAM_BREAK: UpstreamFailure = { status: 200, ...BREAK }

/** An edge in front of the upstream answered with a page. */
export const HTML_BODY: UpstreamFailure = {
  status: 200,
  message: "The upstream answered with an HTML page instead of events.",
  html: true,
}

/**
 * Reads `error` (flat, nested, or wrapped with `status`), `response.failed` and `response.cancelled`.
 * `status` is the event's own when it carries one, otherwise 200.
 */
export function readFailureEvent(event: JsonObject): UpstreamFailure {
  const response = objectAt(event, "response")
  const nested = objectAt(event, "error") ?? (response === undefined ? undefined : objectAt(response, "error"))
  const status = numberAt(event, "status") ?? numberAt(event, "status_code") ?? 200
  const type = stringAt(event, "type")
  const fallback = type === "response.cancelled" ? "The upstream cancelled the answer." : "The upstream failed."
  return readErrorObject(nested ?? event, { status, fallback })
}

/** Reads a whole body that is not an event stream. Bodies that are no JSON object give a general message. */
export function readFailureBody(body: string): UpstreamFailure {
  const json = parseJsonObject(body.trim())
  const fallback = "The upstream answered with a JSON body instead of events."
  if (json === undefined) return { status: 200, message: fallback }
  const status = numberAt(json, "status") ?? 200
  const detail = json["detail"]
  if (typeof detail === "string") return { status, message: detail }
  const nested = objectAt(json, "error") ?? objectAt(json, "detail")
  return readErrorObject(nested ?? json, { status, fallback: stringAt(json, "error") ?? fallback })
}

type Surroundings = { readonly status: number; readonly fallback: string }

function readErrorObject(error: JsonObject, { status, fallback }: Surroundings): UpstreamFailure {
  return { status, message: stringAt(error, "message") ?? fallback, ...readErrorFacts(error) }
}
