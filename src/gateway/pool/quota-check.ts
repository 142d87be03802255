/** Asks accounts for their quota: a small GET that costs none of it. */

import { type Account, maskLabel } from "#core/account.ts"
import type { Clock, Timers } from "#core/clock.ts"
import { GatewayError, toGatewayError } from "#core/errors.ts"
import type { AccountId, ProviderId } from "#core/ids.ts"
import type { QuotaSnapshot, SendUpstream, UpstreamReply, UpstreamRequest } from "#core/upstream.ts"
import type { Provider } from "#providers/provider.ts"
import { readBody } from "#transport/read-body.ts"
import { transportFaultOf } from "#transport/transport-error.ts"

import type { Pool } from "./pool.ts"

/** What asking needs. */
export type QuotaCheckParts = {
  readonly clock: Clock
  readonly timers: Timers
  readonly pool: Pool
  readonly providers: Readonly<Record<ProviderId, Provider>>
  readonly send: SendUpstream
  readonly usageUrl: string
}

/** What one account answered. Windows are told apart by their length in seconds. */
export type QuotaReport = {
  readonly account: AccountId
  /** Masked. */
  readonly label: string
  readonly status: "ok" | "failed" | "not-available"
  readonly quota?: QuotaSnapshot
  readonly error?: string
  /** It was the account's proxy that failed, or is not there: that says nothing about the account. */
  readonly proxy_failed?: true
}

const ASK_MS = 10_000

/** Asks one account, refreshing its credential once when it is refused. Never rejects: the report says what failed. */
export async function checkQuota(account: Account, parts: QuotaCheckParts): Promise<QuotaReport> {
  const report = { account: account.id, label: maskLabel(account.label) }
  try {
    const quota = await askTwice(account, parts)
    if (quota === undefined) return { ...report, status: "not-available" }
    parts.pool.observeQuota(account.id, quota)
    const { isWhole: _, ...shown } = quota
    return { ...report, status: "ok", quota: shown }
  } catch (cause) {
    const error = toGatewayError(cause)
    const isProxy = transportFaultOf(error)?.egressAtFault === true
    return { ...report, status: "failed", error: error.message, ...(isProxy && { proxy_failed: true }) }
  }
}

async function askTwice(account: Account, parts: QuotaCheckParts): Promise<QuotaSnapshot | undefined> {
  const { credential } = parts.pool.target(account.id)?.account ?? account
  const usedToken = credential.type === "chatgpt" ? credential.accessToken : undefined
  try {
    return await ask(account, parts)
  } catch (cause) {
    if (!(cause instanceof GatewayError) || cause.kind !== "credential-rejected") throw cause
    await parts.pool.refreshNow(account.id, usedToken)
    return ask(account, parts)
  }
}

async function ask(account: Account, parts: QuotaCheckParts): Promise<QuotaSnapshot | undefined> {
  const provider = parts.providers[account.provider]
  const target = parts.pool.target(account.id)
  const request = target === undefined ? undefined : provider.usageRequest(target, parts.usageUrl)
  if (request === undefined) return undefined
  const { reply, text } = await fetchText({ ...request, account: account.id }, parts)
  if (reply.status === 200) return provider.readUsageBody(parseJson(text), parts.clock())
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
