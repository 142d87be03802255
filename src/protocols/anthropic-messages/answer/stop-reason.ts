/** Why a message ended, in the dialect's words. */

import { assertNever } from "#core/assert-never.ts"
import type { FinishReason } from "#core/events.ts"

import type { StopReason } from "./messages-sink.ts"

/** What the message came to. */
export type Ending = {
  /** Whole calls: a client goes on as soon as there is one, whatever text follows it. */
  readonly calls: number
  readonly cutCalls: number
  /** Nothing but a refusal was said. */
  readonly refused: boolean
}

/** Returns the reason. A call that was cut is never presented as one to run. */
export function stopReasonOf(reason: FinishReason, { calls, cutCalls, refused }: Ending): StopReason {
  switch (reason) {
    case "length":
      return "max_tokens"
    case "content-filter":
      return "refusal"
    case "unstated":
      if (cutCalls > 0) return "max_tokens"
      return calls > 0 ? "tool_use" : "end_turn"
    case "stop":
    case "tool-calls":
      if (calls > 0) return "tool_use"
      return refused ? "refusal" : "end_turn"
    default:
      return assertNever(reason)
  }
}

/** Returns the `stop_details` member as JSON text: only a refusal has one, and the upstream gives no category. */
export function stopDetailsText(reason: StopReason): string {
  return reason === "refusal" ? '{"type":"refusal","category":null,"explanation":null}' : "null"
}
