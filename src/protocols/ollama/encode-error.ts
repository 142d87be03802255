/** Errors of the Ollama dialect: one text, in a body or as the last line of a stream. */

import type { GatewayError } from "#core/errors.ts"
import type { RequestId } from "#core/ids.ts"
import type { ErrorReply } from "#protocols/protocol.ts"
import { UNIMPLEMENTED_CODE } from "#protocols/unimplemented.ts"
import { scrubText } from "#wire/scrub-text.ts"

/** The object as JSON text. Clients show what stands under `error` as it is: anything but a text would be unreadable. */
export function ollamaErrorText(error: GatewayError): string {
  return JSON.stringify({ error: messageOf(error) })
}

/** Encodes an error as an HTTP answer. */
export function encodeOllamaError(error: GatewayError, requestId: RequestId): ErrorReply {
  const { retryAfterMs } = error
  return {
    status: statusOf(error),
    headers: {
      "content-type": "application/json; charset=utf-8",
      "x-request-id": requestId,
      ...(retryAfterMs !== undefined && { "retry-after": String(Math.max(1, Math.ceil(retryAfterMs / 1000))) }),
    },
    body: ollamaErrorText(error),
  }
}

/** Clients of this dialect send no key, so that 401 can only be about the gateway's own login. */
function statusOf({ kind, code, status }: GatewayError): number {
  if (code === UNIMPLEMENTED_CODE) return 501
  return kind === "credential-rejected" ? 401 : status
}

function messageOf({ kind, message, window }: GatewayError): string {
  const text = scrubText(message).replace(/\s+/g, " ")
  if (kind === "credential-rejected") return `The gateway's own login is missing or has expired: ${text}`
  if (kind !== "context-too-long" || window === undefined) return text
  return `The input is too long: ${window.inputTokens} tokens, and the model's context holds ${window.limitTokens}.`
}
