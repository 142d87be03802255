/** What every route of the operators' surface has in common: admission, checked bodies, failures as JSON. */

import type { Static, TSchema } from "@sinclair/typebox"
import { Value, type ValueError } from "@sinclair/typebox/value"

import type { Timers } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"
import type { JsonObject } from "#core/json.ts"
import type { Desk } from "#gateway/desk/desk.ts"
import type { AdminAdmission } from "#http/admin-admission.ts"
import { adminErrorResponse } from "#http/admin-error.ts"
import type { OllamaStatus } from "#http/ollama/status.ts"
import { readJsonBody } from "#http/read-body.ts"

/** What the routes need. */
export type AdminParts = {
  readonly desk: Desk
  readonly admission: () => AdminAdmission
  /** True for a request with one of the configured client keys, which open nothing here. */
  readonly hasClientKey: (request: Request, url: URL) => boolean
  /** Address the request's connection comes from. */
  readonly peerOf: (request: Request) => string | undefined
  readonly timers: Timers
  readonly version: string
  readonly ollamaStatus: () => OllamaStatus
  /** Longest silence while a body arrives; 0 = no limit. */
  readonly bodyTimeoutMs: () => number
}

/** Orders are small; only imports are not. */
const MAX_ORDER_BYTES = 4 * 1024 * 1024

/**
 * Admits the request and runs `handle`; what it returns is sent as JSON unless it is a response already. Rejects with
 * `unauthorized` or `forbidden`, and with whatever `handle` throws.
 */
export async function admitted(request: Request, parts: AdminParts, handle: (url: URL) => unknown): Promise<Response> {
  const url = new URL(request.url)
  admit(request, url, parts)
  const result = await handle(url)
  return result instanceof Response ? result : Response.json(result)
}

/** Like {@link admitted}, with failures as JSON. */
export async function adminRoute(
  request: Request,
  parts: AdminParts,
  handle: (url: URL) => unknown,
): Promise<Response> {
  try {
    return await admitted(request, parts, handle)
  } catch (cause) {
    return adminErrorResponse(cause)
  }
}

function admit(request: Request, url: URL, parts: AdminParts): void {
  try {
    parts.admission().admit(request, url, parts.peerOf(request))
  } catch (cause) {
    if (!parts.hasClientKey(request, url)) throw cause
    // With some of the replaced systems it would have done; the general refusal would send people looking for typing errors.
    throw new GatewayError("forbidden", "A client key does not open the operators' surface.", {
      code: "client_key_is_no_admin_key",
      hint: "Send `admin-key` (ADMIN_SECRET in the environment) in `X-Admin-Key`, or as a Bearer token.",
      cause,
    })
  }
}

/** Reads a JSON body of the given shape; a missing body counts as `{}`. Throws `invalid-request` naming the first fault. `reshape` translates it first. */
export async function readOrder<Schema extends TSchema>(
  request: Request,
  schema: Schema,
  parts: Pick<AdminParts, "timers" | "bodyTimeoutMs">,
  reshape: (body: JsonObject) => JsonObject = body => body,
): Promise<Static<Schema>> {
  const isEmpty = request.body === null || request.headers.get("content-length") === "0"
  const limits = { maxBytes: MAX_ORDER_BYTES, timeoutMs: parts.bodyTimeoutMs(), timers: parts.timers }
  const body: unknown = reshape(isEmpty ? {} : await readJsonBody(request, limits))
  if (Value.Check(schema, body)) return body
  const first = Value.Errors(schema, body).First()
  const fault = first === undefined ? undefined : innermost(first)
  const place =
    fault === undefined || fault.path === "" ? "The body" : `\`${fault.path.slice(1).replaceAll("/", ".")}\``
  throw new GatewayError("invalid-request", `${place}: ${fault?.message ?? "is not as expected"}.`, {
    code: "invalid_order",
    hint: fault === undefined ? SEE_PAGE : (allowedBy(fault.schema) ?? SEE_PAGE),
  })
}

/** "Null or an object of this shape" fails as a whole; what is wrong inside the object says more. */
function innermost(fault: ValueError): ValueError {
  const inner = fault.errors.map(errors => errors.First()).find(one => one !== undefined && one.path !== fault.path)
  return inner === undefined ? fault : innermost(inner)
}

const SEE_PAGE = "docs/admin-api.md lists what each route takes."

/** Names the values of a closed list; undefined for any other schema. */
function allowedBy(schema: TSchema): string | undefined {
  const members: readonly TSchema[] = Array.isArray(schema["anyOf"]) ? schema["anyOf"] : []
  const values = members.map(member => member["const"]).filter(value => value !== undefined)
  return values.length === 0 ? undefined : `Allowed are ${values.map(value => JSON.stringify(value)).join(", ")}.`
}
