/** What the encoders of an answer need to know about its request. */

import type { Clock } from "#core/clock.ts"
import type { AccountId } from "#core/ids.ts"
import { estimateInputTokens } from "#protocols/estimate-tokens.ts"
import type { ReplyContext } from "#protocols/protocol.ts"

import { originOf } from "./origin.ts"
import type { Turn } from "./turn-types.ts"

/** What is known of an attempt once it answers. */
export type Answering = { readonly account: AccountId; readonly toolNames: ReadonlyMap<string, string> }

const NO_NAMES: ReadonlyMap<string, string> = new Map()

/** Builds the context of one answer; `nowMs` is when its attempt began, `by` absent when there was none. */
export function replyContextOf(turn: Turn, clock: Clock, nowMs: number, by?: Answering): ReplyContext {
  const { call, request, plan } = turn
  return {
    requestId: call.id,
    model: request.model,
    nowSec: Math.floor(nowMs / 1000),
    clock,
    startedAtMs: call.startedAtMs,
    toolNames: by?.toolNames ?? NO_NAMES,
    reply: request.reply,
    estimateInputTokens: () => estimateInputTokens(request),
    ...(by !== undefined && { origin: originOf(call.principal.keyId, by.account, plan.slug) }),
  }
}
