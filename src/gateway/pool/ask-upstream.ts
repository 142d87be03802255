/** Small questions to an upstream on behalf of one account, beside its model turns. */

import type { Account } from "#core/account.ts"
import type { Clock, Timers } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"
import type { ProviderId } from "#core/ids.ts"
import type { SendUpstream, UpstreamReply, UpstreamRequest, UpstreamTarget } from "#core/upstream.ts"
import type { Provider } from "#providers/provider.ts"
import { readBody } from "#transport/read-body.ts"

import type { Pool } from "./pool.ts"

/** What asking needs. */
export type AskParts = {
  readonly clock: Clock
  readonly timers: Timers
  readonly pool: Pick<Pool, "target" | "refreshNow">
  readonly providers: Readonly<Record<ProviderId, Provider>>
  readonly send: SendUpstream
}

/** Builds the request; undefined when the provider has no such thing. */
export type Question = (provider: Provider, target: UpstreamTarget) => UpstreamRequest | undefined

/** `askedAtMs`: the answer may have been under way when the account was refused, and proves nothing against that. */
export type SideAnswer = { readonly json: unknown; readonly askedAtMs: number }

const ASK_MS = 10_000

/**
 * Asks, refreshing the credential once when it is refused. Undefined when there is nothing to ask. Rejects with the upstream's
 * refusal, `upstream-protocol`, `timeout` or `upstream-unavailable`.
 */
export async function askUpstream(
  account: Account,
  question: Question,
  parts: AskParts,
): Promise<SideAnswer | undefined> {
  const { credential } = parts.pool.target(account.id)?.account ?? account
  const usedToken = credential.type === "chatgpt" ? credential.accessToken : undefined
  try {
    return await ask(account, question, parts)
  } catch (cause) {
    // A closed workspace or a missing payment is the account's trouble as well, and no new token cures it.
    if (!(cause instanceof GatewayError) || cause.kind !== "credential-rejected" || cause.upstream?.status !== 401) {
      throw cause
    }
    await parts.pool.refreshNow(account.id, usedToken)
    return ask(account, question, parts)
  }
}

async function ask(account: Account, question: Question, parts: AskParts): Promise<SideAnswer | undefined> {
  const askedAtMs = parts.clock()
  const provider = parts.providers[account.provider]
  const target = parts.pool.target(account.id)
  const request = target === undefined ? undefined : question(provider, target)
  if (request === undefined) return undefined
  const { reply, text } = await fetchText({ ...request, account: account.id }, parts)
  if (reply.status === 200) return { json: parseJson(text), askedAtMs }
  const failure = provider.readErrorReply({ status: reply.status, headers: reply.headers, bodyText: text })
  throw provider.readFailure(failure, { nowMs: parts.clock(), model: "" }).error
}

/** Sends a small request and reads its whole body within ten seconds. */
export async function fetchText(
  request: UpstreamRequest,
  parts: { readonly send: SendUpstream; readonly timers: Timers },
): Promise<{ readonly reply: UpstreamReply; readonly text: string }> {
  const late = new AbortController()
  const cancelTimer = parts.timers.after(ASK_MS, () =>
    late.abort(new GatewayError("timeout", "The upstream did not answer in time.")),
  )
  try {
    const reply = await parts.send(request, late.signal)
    const { text } = await readBody(reply.body, { timers: parts.timers, deadlineMs: ASK_MS, signal: late.signal })
    return { reply, text }
  } finally {
    cancelTimer()
  }
}

/** Parses JSON that an upstream sent; unreadable text is a protocol failure, not a bug. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new GatewayError("upstream-protocol", "The upstream answered something that is not JSON.", { cause })
  }
}
