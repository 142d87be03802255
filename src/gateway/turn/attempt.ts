/** One attempt: encode the request for an account, send it, hold the answer's head, and judge what comes back. */

import { GatewayError } from "#core/errors.ts"
import type { Verdict } from "#core/outcome.ts"
import type { UpstreamReply, UpstreamTarget } from "#core/upstream.ts"

import { beginCarried } from "./carry-turn.ts"
import { commitmentOf, type Judge } from "./commitment.ts"
import { type Destination, encodeTurn, isRefusal, readRefusal, sendTurn } from "./dispatch.ts"
import { type HeldHead, holdHead } from "./hold.ts"
import { afterSilence, networkVerdict } from "./network-verdict.ts"
import type { TurnParts } from "./turn-parts.ts"
import type { AttemptInput, AttemptResult, Turn } from "./turn-types.ts"
import { withWindow } from "./with-window.ts"

/** Makes one attempt. Never throws for what an upstream or a network does; throws for a request we cannot encode. */
export async function runAttempt(turn: Turn, input: AttemptInput, parts: TurnParts): Promise<AttemptResult> {
  const target = parts.pool.target(input.lease.account)
  if (target === undefined) return { type: "failed", verdict: accountGone() }
  const provider = parts.providers[target.account.provider]
  const encoded = encodeTurn(turn, { provider, target }, input)
  const to: Destination = { target, provider, signal: input.abort.signal }
  const { attempt, refreshed } = input
  const usedToken = tokenOf(target)
  const judge: Judge = failure =>
    withWindow(provider.readFailure(failure, { nowMs: parts.clock(), model: turn.plan.slug, attempt, refreshed }), turn)

  turn.settler.dispatched(input.lease.account)
  const startedAtMs = parts.clock()
  const last = { wordAtMs: startedAtMs, replied: false }
  const hear = (atMs = parts.clock()) => {
    last.wordAtMs = atMs
    last.replied = true
  }
  const silence = () => ({ forMs: parts.clock() - last.wordAtMs, replied: last.replied })
  const carried = beginCarried(turn, { input, encoded, provider, account: target.account.id, startedAtMs }, parts)
  try {
    const reply = await sendTurn(turn, encoded.body, { ...to, carry: carried?.carry }, parts)
    const repliedAtMs = parts.clock()
    hear(carried?.heardAtMs())
    if (isRefusal(reply) || reply.body === undefined) {
      return { ...(await refused(turn, reply, to, { judge, parts })), ...usedToken }
    }
    const head = carried?.head(reply.body) ?? (await headOf(turn, reply.body, { parts, hear }))
    if (head.result.type === "failure") {
      const verdict = afterSilence(judge(head.result.failure), silence())
      await giveBack(head.reader)
      return { type: "failed", verdict, ...usedToken }
    }
    const committed = commitmentOf(
      turn,
      { input, encoded, head, reply, judge, provider, startedAtMs, repliedAtMs, carried },
      parts,
    )
    return { type: "committed", empty: head.result.type === "empty", turn: committed }
  } catch (cause) {
    return { type: "failed", verdict: afterSilence(networkVerdict(cause, input.abort.signal), silence()), ...usedToken }
  }
}

/** What a failed answer's connection does when it is closed changes nothing about the verdict. */
async function giveBack(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  try {
    await reader.cancel()
  } catch {
    // Broken already: there is nothing to give back.
  }
}

function tokenOf({ account }: UpstreamTarget): { readonly usedToken?: string } {
  return account.credential.type === "chatgpt" ? { usedToken: account.credential.accessToken } : {}
}

async function refused(
  turn: Turn,
  reply: UpstreamReply,
  to: Destination,
  { judge, parts }: { readonly judge: Judge; readonly parts: TurnParts },
): Promise<{ readonly type: "failed"; readonly verdict: Verdict }> {
  const failure = await readRefusal(reply, to, parts)
  // Not every upstream has the unary endpoints: their absence says nothing about the account or the model.
  if (turn.kind.endpoint !== "turn" && reply.status === 404) {
    return { type: "failed", verdict: endpointGone(turn.kind.endpoint) }
  }
  return { type: "failed", verdict: judge(failure) }
}

/** A unary answer has no head to hold: its status has said everything. */
function headOf(
  turn: Turn,
  body: ReadableStream<Uint8Array>,
  { parts, hear }: { readonly parts: TurnParts; readonly hear: () => void },
): Promise<HeldHead> {
  if (turn.kind.endpoint === "turn") {
    return holdHead(body, parts.upstream.makeProbe({ maxFrameBytes: parts.limits().maxFrameBytes }), hear)
  }
  return Promise.resolve({ reader: body.getReader(), chunks: [], result: { type: "output" } })
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

function endpointGone(endpoint: "compact" | "search"): Verdict {
  const error =
    endpoint === "compact"
      ? new GatewayError("not-found", "The upstream has no compaction endpoint.", { code: COMPACT_ENDPOINT_GONE })
      : new GatewayError("not-found", "The upstream has no search endpoint.", { code: "unsupported_endpoint" })
  // Another account may be of another kind of upstream; compaction has another way instead.
  return { error, effect: { type: "none" }, next: endpoint === "compact" ? "stop" : "other-account" }
}
