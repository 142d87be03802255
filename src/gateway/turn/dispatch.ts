/** Sends one attempt upstream: encodes the body for the account's provider and places what the headers carry. */

import type { AccountId } from "#core/ids.ts"
import type { JsonObject } from "#core/json.ts"
import type { CarryUpstream, UpstreamFailure, UpstreamReply, UpstreamTarget } from "#core/upstream.ts"
import { isResponsesLite } from "#protocols/client-hints.ts"
import type { EncodedRequest, EncodePlan } from "#protocols/protocol.ts"
import type { Provider, TurnContext } from "#providers/provider.ts"
import { readBody } from "#transport/read-body.ts"

import { originOf } from "./origin.ts"
import { socketTurnOf } from "./socket-turn.ts"
import type { TurnParts } from "./turn-parts.ts"
import type { AttemptInput, Turn } from "./turn-types.ts"

/** How long an error body may take. */
export const ERROR_BODY_MS = 10_000

/** Which of the provider's requests an endpoint is asked with. */
const REQUESTS = { turn: "turnRequest", compact: "compactRequest", search: "searchRequest" } as const

/** What of the request's encrypted content must not be sent. */
type Strip = Pick<AttemptInput, "stripEncrypted" | "foreignTexts">

/** Builds the upstream body. Throws `invalid-request` for what cannot be said upstream. */
export function encodeTurn(
  turn: Turn,
  { provider, target }: Pick<Destination, "provider" | "target">,
  strip: Strip,
): EncodedRequest {
  const { plan } = turn
  const encodePlan: EncodePlan = {
    model: plan.slug,
    ...(plan.info !== undefined && { modelInfo: plan.info }),
    ...(plan.effort !== undefined && { effort: plan.effort }),
    ...(plan.serviceTier !== undefined && { serviceTier: plan.serviceTier }),
    promptCacheKey: turn.conversation,
    origin: originOf(turn.call.principal.keyId, target.account.id, plan.slug),
    rules: provider.rules,
    stripEncrypted: strip.stripEncrypted,
    foreignTexts: strip.foreignTexts,
  }
  return turn.kind.encode(turn.request, encodePlan)
}

/** Where one attempt goes. */
export type Destination = {
  readonly target: UpstreamTarget
  readonly provider: Provider
  readonly signal: AbortSignal
  /** Who makes the request, where that is another thread. */
  readonly carry?: CarryUpstream | undefined
}

/** Sends the body and takes note of what the reply's headers say about quota, models and turn state. */
export async function sendTurn(
  turn: Turn,
  encoded: JsonObject,
  to: Destination,
  parts: TurnParts,
): Promise<UpstreamReply> {
  const body = JSON.stringify(encoded)
  const context = contextOf(turn, to.target.account.id, parts)
  const request = to.provider[REQUESTS[turn.kind.endpoint]](to.target, body, context)
  const { carry } = to
  // A carrier speaks HTTP only; where sockets are wanted, turns are not carried.
  const socket =
    carry === undefined ? socketTurnOf(turn, to, { body: encoded, context }, parts.upstreamTransport()) : undefined
  const account = to.target.account.id
  const askedAtMs = parts.clock()
  const reply = await parts.send(
    { ...request, account, ...(socket !== undefined && { socket }), ...(carry !== undefined && { carry }) },
    to.signal,
  )
  noteHeaders(reply, { ...to, askedAtMs }, parts)
  return reply
}

/** True for a reply that is no answer. A web page never is one: what it says tells whether the edge in front of the upstream stopped us. */
export function isRefusal({ status, headers, body }: UpstreamReply): boolean {
  return status !== 200 || body === undefined || headers.get("content-type")?.startsWith("text/html") === true
}

/** Reads the body of a refusal. */
export async function readRefusal(reply: UpstreamReply, to: Destination, parts: TurnParts): Promise<UpstreamFailure> {
  const { text } = await readBody(reply.body, {
    timers: parts.timers,
    deadlineMs: ERROR_BODY_MS,
    signal: to.signal,
  })
  return to.provider.readErrorReply({ status: reply.status, headers: reply.headers, bodyText: text })
}

function contextOf(turn: Turn, account: AccountId, parts: TurnParts): TurnContext {
  const turnState = turn.call.headers.get("x-codex-turn-state")
  const issuer = turnState === null ? undefined : parts.affinity.turnStates.get(turnState)
  return {
    sessionId: turn.conversation,
    clientHeaders: turn.call.headers,
    codexClient: turn.request.reply.codexClient,
    turnStateIsOurs: issuer === account,
    lite: isResponsesLite(turn.call.headers, turn.call.json),
  }
}

function noteHeaders(reply: UpstreamReply, to: Destination & { readonly askedAtMs: number }, parts: TurnParts): void {
  const account = to.target.account.id
  const quota = to.provider.readQuotaHeaders(reply.headers, parts.clock())
  if (quota !== undefined) parts.pool.observeQuota(account, quota, to.askedAtMs)
  const etag = reply.headers.get("x-models-etag")
  if (etag !== null) parts.pool.observeModelsEtag(account, etag)
  const turnState = reply.headers.get("x-codex-turn-state")
  if (turnState !== null) parts.affinity.turnStates.set(turnState, account)
}
