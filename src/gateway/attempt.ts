/** One attempt: encode the request for an account, send it, hold the answer's head, and judge what comes back. */

import { GatewayError } from "#core/errors.ts"
import type { AccountId } from "#core/ids.ts"
import type { Verdict } from "#core/outcome.ts"
import type { UpstreamFailure, UpstreamReply, UpstreamTarget } from "#core/upstream.ts"
import type { EncodedRequest } from "#protocols/protocol.ts"
import type { Provider } from "#providers/provider.ts"
import { readBody } from "#transport/read-body.ts"

import { readBodyError } from "./body-error.ts"
import { holdHead } from "./hold.ts"
import { replyContextOf } from "./reply-context.ts"
import type { AttemptInput, AttemptResult, Turn, TurnParts } from "./turn-parts.ts"

/** How long an error body may take. */
const ERROR_BODY_MS = 10_000

/** Makes one attempt. Never throws for what an upstream or a network does; throws for a request we cannot encode. */
export async function runAttempt(turn: Turn, input: AttemptInput, parts: TurnParts): Promise<AttemptResult> {
  const target = parts.pool.target(input.lease.account)
  if (target === undefined) return { type: "failed", verdict: accountGone() }
  const provider = parts.providers[target.account.provider]
  const encoded = encodeFor(turn, provider, input, parts)
  const startedAtMs = parts.clock()
  const judge = (failure: UpstreamFailure) =>
    provider.readFailure(failure, { nowMs: parts.clock(), model: turn.plan.slug })

  turn.settler.dispatched(input.lease.account)
  try {
    const reply = await sendTurn(turn, target, { provider, encoded, signal: input.abort.signal, parts })
    noteHeaders(reply, input.lease.account, provider, parts)
    if (reply.status !== 200 || reply.body === undefined) {
      return {
        type: "failed",
        verdict: judge(await readRefusal(reply, { provider, signal: input.abort.signal, parts })),
      }
    }
    const head = await holdHead(reply.body, parts.upstreams["openai-responses"].makeProbe())
    if (head.result.type === "failure") {
      await head.reader.cancel()
      return { type: "failed", verdict: judge(head.result.failure) }
    }
    return {
      type: "committed",
      empty: head.result.type === "empty",
      turn: {
        lease: input.lease,
        account: input.lease.account,
        dialect: provider.dialect,
        reader: head.reader,
        chunks: head.chunks,
        headers: reply.headers,
        context: replyContextOf(turn, encoded.toolNames, startedAtMs),
        startedAtMs,
        abort: reason => input.abort.abort(reason),
        readFailure: failure => {
          const verdict = judge(failure)
          parts.scheduler.report(input.lease.account, {
            effect: verdict.effect,
            startedAtMs,
            model: turn.plan.slug,
            detail: verdict.error.code ?? verdict.error.kind,
          })
          return verdict.error
        },
      },
    }
  } catch (error) {
    return { type: "failed", verdict: networkVerdict(error, input.abort.signal) }
  }
}

function encodeFor(turn: Turn, provider: Provider, input: AttemptInput, parts: TurnParts): EncodedRequest {
  const { plan } = turn
  return parts.upstreams["openai-responses"].encodeRequest(turn.request, {
    model: plan.slug,
    ...(plan.info !== undefined && { modelInfo: plan.info }),
    ...(plan.effort !== undefined && { effort: plan.effort }),
    ...(plan.serviceTier !== undefined && { serviceTier: plan.serviceTier }),
    promptCacheKey: turn.conversation,
    rules: provider.rules,
    stripEncrypted: input.stripEncrypted,
  })
}

type Dispatch = {
  readonly provider: Provider
  readonly encoded: EncodedRequest
  readonly signal: AbortSignal
  readonly parts: TurnParts
}

function sendTurn(turn: Turn, target: UpstreamTarget, dispatch: Dispatch): Promise<UpstreamReply> {
  const turnState = turn.call.headers.get("x-codex-turn-state")
  const issuer = turnState === null ? undefined : dispatch.parts.turnStates.get(turnState)
  const request = dispatch.provider.turnRequest(target, JSON.stringify(dispatch.encoded.body), {
    sessionId: turn.conversation,
    clientHeaders: turn.call.headers,
    codexClient: turn.request.reply.codexClient,
    turnStateIsOurs: issuer === target.account.id,
  })
  return dispatch.parts.send(request, dispatch.signal)
}

function noteHeaders(reply: UpstreamReply, account: AccountId, provider: Provider, parts: TurnParts): void {
  const quota = provider.readQuotaHeaders(reply.headers, parts.clock())
  if (quota !== undefined) parts.pool.observeQuota(account, quota)
  const etag = reply.headers.get("x-models-etag")
  if (etag !== null) parts.pool.observeModelsEtag(account, etag)
  const turnState = reply.headers.get("x-codex-turn-state")
  if (turnState !== null) parts.turnStates.set(turnState, account)
}

async function readRefusal(reply: UpstreamReply, context: Omit<Dispatch, "encoded">): Promise<UpstreamFailure> {
  const { text } = await readBody(reply.body, {
    timers: context.parts.timers,
    deadlineMs: ERROR_BODY_MS,
    signal: context.signal,
  })
  return context.provider.readErrorReply({ status: reply.status, headers: reply.headers, bodyText: text })
}

/** A failure of the way, not of the account: try once more on the same one, then elsewhere. */
function networkVerdict(cause: unknown, signal: AbortSignal): Verdict {
  const error = readBodyError(cause, signal)
  const final = error.kind === "cancelled" || error.kind === "timeout" || error.kind === "internal"
  return { error, effect: { type: "none" }, next: final ? "stop" : "same-account", delayMs: 200 }
}

function accountGone(): Verdict {
  return {
    error: new GatewayError("no-account", "The account was removed while the request waited for it."),
    effect: { type: "none" },
    next: "other-account",
  }
}
