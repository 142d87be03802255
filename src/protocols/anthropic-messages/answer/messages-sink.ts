/** What the steps of an answer write to: the stream, or the message that is folded from it. */

import type { GatewayError } from "#core/errors.ts"
import type { JsonText } from "#core/json.ts"

import type { MessagesUsage } from "./messages-usage.ts"
import type { OpenBlock } from "./open-block.ts"

/** How a delta extends the open block. */
export type DeltaKind = "text" | "thinking" | "signature" | "input"

/** Why the message ended, in the dialect's words. */
export type StopReason = "end_turn" | "max_tokens" | "tool_use" | "refusal"

/** The end of a good answer. */
export type MessageEnd = MessagesUsage & { readonly stopReason: StopReason }

/** Blocks come one after the other, `index` counts them; a delta belongs to the block that is open. */
export type MessagesSink = {
  /** Once, before anything but `error`. `inputTokens` is an estimate. */
  readonly start: (head: { readonly id: string; readonly inputTokens: number }) => void
  readonly open: (index: number, block: OpenBlock) => void
  readonly delta: (index: number, kind: DeltaKind, literal: JsonText) => void
  /** `citation` is JSON text. */
  readonly cite: (index: number, citation: string) => void
  /** `cut` = a tool call whose arguments are not whole. */
  readonly close: (index: number, cut: boolean) => void
  readonly finish: (end: MessageEnd) => void
  readonly error: (error: GatewayError) => void
}
