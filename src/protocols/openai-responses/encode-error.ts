/** Errors of the Responses dialect. */

import type { GatewayError } from "#core/errors.ts"
import type { RequestId } from "#core/ids.ts"
import { openAiErrorReply } from "#protocols/openai-error.ts"
import type { ErrorReply } from "#protocols/protocol.ts"

/**
 * Encodes an error as an HTTP answer. A spent usage window keeps the backend's own `type`: Codex reads plan and reset
 * time only under that word, and the SDKs go by the status.
 */
export function encodeResponsesError(error: GatewayError, requestId: RequestId): ErrorReply {
  return openAiErrorReply(error, requestId, error.kind === "quota-exhausted" ? "usage_limit_reached" : undefined)
}
