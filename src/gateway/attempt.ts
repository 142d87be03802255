/** One attempt: encode the request for an account, send it, hold the answer's head, and judge what comes back. */

import { GatewayError } from "#core/errors.ts"
import type { Verdict } from "#core/outcome.ts"
import type { UpstreamFailure, UpstreamReply } from "#core/upstream.ts"
import type { EncodedRequest } from "#protocols/protocol.ts"
import { transportFaultOf } from "#transport/transport-error.ts"

import { readBodyError } from "./body-error.ts"
import { type Destination, encodeTurn, readRefusal, sendTurn } from "./dispatch.ts"
import { type HeldHead, holdHead } from "./hold.ts"
import { replyContextOf } from "./reply-context.ts"
import type { TurnParts } from "./turn-parts.ts"
import type { AttemptInput, AttemptResult, CommittedTurn, Turn } from "./turn-types.ts"

type Judge = (failure: UpstreamFailure) => Verdict

/** Makes one attempt. Never throws for what an upstream or a network does; throws for a request we cannot encode. */
export async function runAttempt(turn: Turn, input: AttemptInput, parts: TurnParts): Promise<AttemptResult> {
  const target = parts.pool.target(input.lease.account)
  if (target === undefined) return { type: "failed", verdict: accountGone() }
  const provider = parts.providers[target.account.provider]
  const encoded = encodeTurn(turn, provider, input.stripEncrypted)
  const to: Destination = { target, provider, signal: input.abort.signal }
  const { attempt, refreshed } = input
  const judge: Judge = failure =>
    provider.readFailure(failure, { nowMs: parts.clock(), model: turn.plan.slug, attempt, refreshed })

  turn.settler.dispatched(input.lease.account)
  const startedAtMs = parts.clock()
  try {
    const reply = await sendTurn(turn, JSON.stringify(encoded.body), to, parts)
    if (reply.status !== 200 || reply.body === undefined) return await refused(turn, reply, to, { judge, parts })
    const head = await headOf(turn, reply.body, parts)
    if (head.result.type === "failure") {
      await head.reader.cancel()
      return { type: "failed", verdict: judge(head.result.failure) }
    }
    const committed = commitmentOf(turn, { input, to, encoded, head, reply, judge, startedAtMs }, parts)
    return { type: "committed", empty: head.result.type === "empty", turn: committed }
  } catch (cause) {
    return { type: "failed", verdict: networkVerdict(cause, input.abort.signal) }
  }
}

async function refused(
  turn: Turn,
  reply: UpstreamReply,
  to: Destination,
  { judge, parts }: { readonly judge: Judge; readonly parts: TurnParts },
): Promise<AttemptResult> {
  const failure = await readRefusal(reply, to, parts)
  // The unary endpoint is being retired: its absence says nothing about the account or the model.
  if (turn.kind.endpoint === "compact" && reply.status === 404) return { type: "failed", verdict: endpointGone() }
  return { type: "failed", verdict: judge(failure) }
}

/** A unary answer has no head to hold: its status has said everything. */
function headOf(turn: Turn, body: ReadableStream<Uint8Array>, parts: TurnParts): Promise<HeldHead> {
  if (turn.kind.endpoint === "turn") return holdHead(body, parts.upstream.makeProbe())
  return Promise.resolve({ reader: body.getReader(), chunks: [], result: { type: "output" } })
}

type Reached = {
  readonly input: AttemptInput
  readonly to: Destination
  readonly encoded: EncodedRequest
  readonly head: HeldHead
  readonly reply: UpstreamReply
  readonly judge: Judge
  readonly startedAtMs: number
}

function commitmentOf(turn: Turn, reached: Reached, parts: TurnParts): CommittedTurn {
  const { input, head, startedAtMs } = reached
  const { account } = input.lease
  return {
    lease: input.lease,
    account,
    reader: head.reader,
    chunks: head.chunks,
    headers: reached.reply.headers,
    context: replyContextOf(turn, reached.encoded.toolNames, startedAtMs),
    startedAtMs,
    abort: reason => input.abort.abort(reason),
    readFailure: failure => {
      const { effect, error } = reached.judge(failure)
      const detail = error.upstream?.code ?? error.code ?? error.kind
      parts.scheduler.report(account, { effect, startedAtMs, model: turn.plan.slug, detail })
      return error
    },
  }
}

/** A way out that is down: other accounts may have another one. */
const EGRESS_REST_MS = 10_000

/** A failure of the way, not of the account: try once more on the same one, then elsewhere. */
function networkVerdict(cause: unknown, signal: AbortSignal): Verdict {
  const error = readBodyError(cause, signal)
  if (error.kind === "cancelled" || error.kind === "timeout" || error.kind === "internal") {
    return { error, effect: { type: "none" }, next: "stop" }
  }
  if (transportFaultOf(error)?.egressAtFault) {
    const effect = { type: "block", scope: { type: "egress" }, cause: "network", forMs: EGRESS_REST_MS } as const
    return { error, effect, next: "other-account" }
  }
  return { error, effect: { type: "none" }, next: "same-account", delayMs: 200 }
}

function accountGone(): Verdict {
  return {
    error: new GatewayError("no-account", "The account was removed while the request waited for it."),
    effect: { type: "none" },
    next: "other-account",
  }
}

/** Code of the failure that tells the caller to compact by an ordinary turn. */
export const COMPACT_ENDPOINT_GONE = "compact_endpoint_gone"

function endpointGone(): Verdict {
  return {
    error: new GatewayError("not-found", "The upstream has no compaction endpoint.", { code: COMPACT_ENDPOINT_GONE }),
    effect: { type: "none" },
    next: "stop",
  }
}
