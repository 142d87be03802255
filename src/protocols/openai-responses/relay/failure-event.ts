/** A failure after the first byte, in the words a Responses client understands. */

import type { GatewayError } from "#core/errors.ts"
import type { RequestId } from "#core/ids.ts"
import { openAiErrorOf } from "#protocols/openai-error.ts"

import type { ResponseIdentity } from "./terminal-response.ts"

/** `failed` is `response.failed`, `error` the flat `error` event. */
export type FailureShape = "failed" | "error"

/** What the event is made of. */
export type FailureParts = {
  readonly error: GatewayError
  readonly requestId: RequestId
  readonly identity: ResponseIdentity
  readonly codexClient: boolean
}

/**
 * Codes on which Codex gives up at once although a retry would help (codex-rs `codex-api/src/sse/responses.rs`); under
 * `server_error` it tries again.
 */
const RETRIED_BY_CODEX_AS_SERVER_ERROR: ReadonlySet<string> = new Set(["server_is_overloaded", "slow_down"])

/** The event type of a shape. */
export function failureEventType(shape: FailureShape): string {
  return shape === "failed" ? "response.failed" : "error"
}

/** Returns the event's JSON text. */
export function failureEventText(shape: FailureShape, sequence: number, parts: FailureParts): string {
  const { message, param, code } = openAiErrorOf(parts.error, parts.requestId)
  if (shape === "error") return JSON.stringify({ type: "error", sequence_number: sequence, code, message, param })
  const isMisread = parts.codexClient && RETRIED_BY_CODEX_AS_SERVER_ERROR.has(code)
  const error = { code: isMisread ? "server_error" : code, message }
  return JSON.stringify({
    type: "response.failed",
    sequence_number: sequence,
    response: failedResponse(parts.identity, error),
  })
}

function failedResponse({ id, model, createdAtSec }: ResponseIdentity, error: { code: string; message: string }) {
  return {
    id,
    object: "response",
    created_at: createdAtSec,
    status: "failed",
    error,
    incomplete_details: null,
    instructions: null,
    metadata: {},
    model,
    output: [],
    parallel_tool_calls: true,
    temperature: null,
    tool_choice: "auto",
    tools: [],
    top_p: null,
    usage: null,
  }
}
