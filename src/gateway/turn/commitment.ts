/** From a good head to the turn the client will get: everything that the rest of the answer needs. */

import type { ProtocolId } from "#core/ids.ts"
import { isJsonObject, stringAt } from "#core/json.ts"
import type { Verdict } from "#core/outcome.ts"
import type { UpstreamFailure, UpstreamReply } from "#core/upstream.ts"
import type { AnswerParts, EncodedRequest } from "#protocols/protocol.ts"
import type { Provider } from "#providers/provider.ts"

import type { CarriedAttempt } from "./carrier.ts"
import type { HeldHead } from "./hold.ts"
import { replyContextOf } from "./reply-context.ts"
import type { TurnParts } from "./turn-parts.ts"
import type { AttemptInput, CommittedTurn, Turn } from "./turn-types.ts"

/** The provider's reading of a failure, for the attempt at hand. */
export type Judge = (failure: UpstreamFailure) => Verdict

/** An attempt whose answer has begun well. */
export type Reached = {
  readonly input: AttemptInput
  readonly encoded: EncodedRequest
  readonly head: HeldHead
  readonly reply: UpstreamReply
  readonly judge: Judge
  readonly provider: Pick<Provider, "readRateLimitEvent">
  readonly startedAtMs: number
  /** When the reply's headers came. */
  readonly repliedAtMs: number
  /** The thread that reads the answer, where that is another one. */
  readonly carried?: CarriedAttempt | undefined
}

/** Puts the committed turn together. */
export function commitmentOf(turn: Turn, reached: Reached, parts: TurnParts): CommittedTurn {
  const { input, head, startedAtMs } = reached
  return {
    lease: input.lease,
    account: input.lease.account,
    reader: head.reader,
    chunks: head.chunks,
    headers: reached.reply.headers,
    context: replyContextOf(turn, parts.clock, startedAtMs, {
      account: input.lease.account,
      toolNames: reached.encoded.toolNames,
    }),
    startedAtMs,
    firstOutputMs: parts.clock() - startedAtMs,
    abort: reason => input.abort.abort(reason),
    answer: answerParts(turn, reached, parts),
    ...(reached.carried !== undefined && { carried: reached.carried }),
  }
}

function answerParts(turn: Turn, reached: Reached, parts: TurnParts): AnswerParts {
  const { encoded, judge, input, startedAtMs } = reached
  return {
    noteAside: event => {
      // Not read before the client takes it, which may be late: what is sure is that it is no older than its reply.
      const quota = reached.provider.readRateLimitEvent(event, reached.repliedAtMs)
      if (quota !== undefined) parts.pool.observeQuota(input.lease.account, quota, startedAtMs)
    },
    declaredTools: toolNames(encoded),
    maxFrameBytes: parts.limits().maxFrameBytes,
    ...(bringsBack(turn) && {
      noteOpaque: text => parts.affinity.blobs.set(text, input.lease.account),
    }),
    ...(turn.call.protocol === "openai-responses" && {
      noteResponse: response => parts.memory.remember(turn.call, response),
    }),
    // A failure inside the stream is the account's as much as one before it.
    readFailure: failure => {
      const { effect, error } = judge(failure)
      const detail = error.upstream?.code ?? error.code ?? error.kind
      const report = { effect, startedAtMs, model: turn.plan.slug, detail, kind: error.kind }
      parts.scheduler.report(input.lease.account, report)
      return error
    },
  }
}

const CLOSED_DIALECTS: ReadonlySet<ProtocolId> = new Set([
  "openai-chat",
  "openai-completions",
  "openai-images",
  "ollama",
])

/** Some dialects have no place for encrypted content: what their clients never see, they never send. */
export function bringsBack({ call }: Turn): boolean {
  return !CLOSED_DIALECTS.has(call.protocol)
}

/** Names of the tools the request offers, as the upstream knows them. */
export function toolNames({ body }: EncodedRequest): ReadonlySet<string> {
  const tools = Array.isArray(body["tools"]) ? body["tools"].filter(isJsonObject) : []
  return new Set(tools.flatMap(tool => stringAt(tool, "name") ?? []))
}
