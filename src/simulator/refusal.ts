/** An answer that is not a stream: the body shapes the backend refuses with. */

import { toGatewayError } from "#core/errors.ts"
import type { Json } from "#core/json.ts"

/** A whole HTTP answer; `reset` breaks the connection off instead. */
export type Refusal = {
  readonly status: number
  readonly contentType: string
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
}

/** What a check of the model layer found. */
export type Complaint = {
  readonly message: string
  readonly code?: string | null
  readonly param?: string | null
  readonly status?: number
}

/** Any JSON body. */
export function jsonRefusal(status: number, body: Json): Refusal {
  return { status, contentType: "application/json", body: JSON.stringify(body) }
}

/** The backend layer's shape: `{"detail": …}`. */
export function detailRefusal(detail: Json, status = 400): Refusal {
  return jsonRefusal(status, { detail })
}

/** The model layer's shape: `{"error":{message,type,param,code}}`. */
export function errorRefusal(complaint: Complaint): Refusal {
  return jsonRefusal(complaint.status ?? 400, {
    error: {
      message: complaint.message,
      type: "invalid_request_error",
      param: complaint.param ?? null,
      code: complaint.code ?? null,
    },
  })
}

/** The sign-in layer's shape: the model layer's with the status repeated beside it. */
export function accessRefusal(code: string, message: string, status = 401): Refusal {
  const refusal = jsonRefusal(status, { error: { message, type: "invalid_request_error", code, param: null }, status })
  return { ...refusal, headers: { "x-openai-authorization-error": code } }
}

/** What an edge in front of the backend answers. */
export function htmlRefusal(status: number, html: string, headers: Readonly<Record<string, string>> = {}): Refusal {
  return { status, contentType: "text/html; charset=UTF-8", body: html, headers }
}

/** A mistake in a script or a control call is told in words; it must not look like the backend's own refusal. */
export function misuseRefusal(cause: unknown): Refusal {
  const { status, message } = toGatewayError(cause)
  return jsonRefusal(status, { error: { message, type: "simulator_error", param: null, code: "simulator_misuse" } })
}

/** Turns a refusal into a response. `extra` headers come first; the refusal's own win. */
export function refusalResponse(refusal: Refusal, extra: Readonly<Record<string, string>> = {}): Response {
  return new Response(refusal.body, {
    status: refusal.status,
    headers: { ...extra, "content-type": refusal.contentType, ...refusal.headers, server: "sluice-simulator" },
  })
}
