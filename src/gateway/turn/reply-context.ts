/** What the encoders of an answer need to know about its request. */

import type { ReplyContext } from "#protocols/protocol.ts"

import type { Turn } from "./turn-types.ts"

/** Builds the context of one answer; `nowMs` is when its attempt began. */
export function replyContextOf(turn: Turn, toolNames: ReadonlyMap<string, string>, nowMs: number): ReplyContext {
  return {
    requestId: turn.call.id,
    model: turn.request.model,
    nowSec: Math.floor(nowMs / 1000),
    toolNames,
    reply: turn.request.reply,
  }
}
