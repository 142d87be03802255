/** What the routes of replaced systems have in common: our admission and orders, failures in their own shape. */

import { type GatewayError, toGatewayError } from "#core/errors.ts"
import type { ImportReport } from "#gateway/desk/intake.ts"
import { type AdminParts, admitted } from "#http/admin/admin-route.ts"

/** How a system says that something failed. */
export type FailureShape = (error: GatewayError) => Response

/** `{"error": "text"}`, as icebear0828/codex-proxy answers; code and hint stand beside it. */
export const FLAT_FAILURE: FailureShape = error => {
  const { message, code = null, hint = null } = error
  return Response.json({ error: message, code, hint }, { status: statusOf(error) })
}

/** `{"error": {"message", "type"}}`, as XxxXTeam/codex-proxy answers. */
export const NESTED_FAILURE: FailureShape = error => {
  const { message, code = null, hint = null } = error
  return Response.json({ error: { message, type: "invalid_request_error", code, hint } }, { status: statusOf(error) })
}

/** A line of text, as dvcrn/codex-proxy answers. */
export const TEXT_FAILURE: FailureShape = error => {
  const { message, hint } = error
  return new Response(`${hint === undefined ? message : `${message} ${hint}`}\n`, {
    status: statusOf(error),
    headers: { "content-type": "text/plain; charset=utf-8" },
  })
}

/** Admits the request and runs `handle`; what it returns is sent as JSON unless it is a response already. */
export async function adapterRoute(
  { request, shape }: { readonly request: Request; readonly shape: FailureShape },
  parts: AdminParts,
  handle: (url: URL) => unknown,
): Promise<Response> {
  try {
    return await admitted(request, parts, handle)
  } catch (cause) {
    return shape(toGatewayError(cause))
  }
}

/** Added, updated (an account that was there counts as that with these systems) and failed, with the reasons. */
export function ingestCounts({ counts, results }: ImportReport) {
  const errors = results.flatMap(({ outcome, where, reason = "refused" }) =>
    outcome === "refused" ? [where === "" ? reason : `${where}: ${reason}`] : [],
  )
  return { added: counts.added, updated: counts.updated + counts.unchanged, failed: counts.refused, errors }
}

function statusOf(error: GatewayError): number {
  return error.kind === "cancelled" ? 503 : error.status
}
