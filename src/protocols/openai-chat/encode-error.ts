/** Errors of the Chat Completions dialect. */

import type { GatewayError } from "#core/errors.ts"
import type { RequestId } from "#core/ids.ts"
import { openAiErrorReply } from "#protocols/openai-error.ts"
import type { ErrorReply } from "#protocols/protocol.ts"

/** Encodes an error as an HTTP answer. */
export function encodeChatError(error: GatewayError, requestId: RequestId): ErrorReply {
  return openAiErrorReply(error, requestId)
}
