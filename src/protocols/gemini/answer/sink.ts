/** What the steps of an answer are written to. */

import type { GatewayError } from "#core/errors.ts"
import type { Usage } from "#core/events.ts"
import type { JsonText } from "#core/json.ts"

/** Why a candidate ended, in the dialect's words. */
export type GeminiFinishReason = "STOP" | "MAX_TOKENS" | "SAFETY" | "OTHER" | "MALFORMED_FUNCTION_CALL"

/** The end of an answer. */
export type GeminiEnd = {
  readonly reason: GeminiFinishReason
  readonly message: string | undefined
  readonly usage: Usage | undefined
  /** Nothing came at all, because the prompt was not let through. */
  readonly isBlocked: boolean
  /** `groundingMetadata` as JSON text. */
  readonly grounding: string | undefined
  /** Of reasoning that no part has carried. */
  readonly signature: string | undefined
}

/** Takes the parts of one answer in order; literals are spliced. */
export type GeminiSink = {
  readonly start: (responseId: string) => void
  readonly text: (literal: JsonText, signature?: string) => void
  readonly thought: (literal: JsonText) => void
  /** A part that is complete: its one member as JSON text without the braces. */
  readonly whole: (body: string, signature?: string) => void
  readonly finish: (end: GeminiEnd) => void
  readonly error: (error: GatewayError) => void
}

/** The member a part carries its signature in, with the comma before it; "" for none. */
export function signatureMember(signature: string | undefined): string {
  return signature === undefined ? "" : `,"thoughtSignature":"${signature}"`
}
