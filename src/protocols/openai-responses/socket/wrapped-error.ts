/** Reads a refusal that HTTP would have said with a status: an `error` frame which carries that status and its headers. */

import { isJsonObject, type JsonObject, numberAt, objectAt, stringAt } from "#core/json.ts"

/** What HTTP would have answered. */
export type WrappedRefusal = {
  readonly status: number
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  /** JSON of the form `{"error": {…}}`. */
  readonly body: string
  readonly code: string | undefined
}

const LEAST_STATUS = 400
const MOST_STATUS = 599

/**
 * Returns the refusal, or undefined for an event that has no status: that one belongs to a stream. Lenient as the reports
 * demand: `status` or `status_code`; the error under `error`, under `body.error`, or spread over the frame itself; header
 * values of any scalar type.
 */
export function readWrappedError(event: JsonObject): WrappedRefusal | undefined {
  const status = numberAt(event, "status") ?? numberAt(event, "status_code")
  if (status === undefined || status < LEAST_STATUS || status > MOST_STATUS) return undefined
  const error = objectAt(event, "error") ?? objectAt(objectAt(event, "body") ?? {}, "error") ?? flatError(event)
  return { status, headers: readHeaders(event), body: JSON.stringify({ error }), code: stringAt(error, "code") }
}

/** A frame's `headers` with lower-case names; empty when it has none. */
export function readHeaders(event: JsonObject): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(objectAt(event, "headers") ?? {})) {
    const isScalar = value !== null && !isJsonObject(value) && typeof value !== "object"
    if (isScalar && HEADER_NAME.test(name) && !FORBIDDEN.test(String(value)))
      headers[name.toLowerCase()] = String(value)
  }
  return headers
}

const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/
/** What no header may hold; a value with it would make the platform's `Headers` throw. */
const FORBIDDEN = /[^\t\u0020-\u007e\u0080-\u00ff]/

function flatError({ type: _, status: __, status_code: ___, headers: ____, ...error }: JsonObject): JsonObject {
  return error
}
