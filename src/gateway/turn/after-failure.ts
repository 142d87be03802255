/** What follows a failed try: the account is charged, and the next try prepared or the request given up. */

import type { GatewayError } from "#core/errors.ts"
import type { AccountId } from "#core/ids.ts"
import type { AccountEffect, Verdict } from "#core/outcome.ts"

import { breathe, orAborted, pause } from "./abortable.ts"
import { abortReason } from "./body-error.ts"
import { compactionRefused } from "./compaction-error.ts"
import { finalError } from "./final-error.ts"
import { nextStep, type RetryStep } from "./retry.ts"
import { exclude, MAX_DISPATCHES, type Tries } from "./tries.ts"
import type { TurnParts } from "./turn-parts.ts"
import type { Turn } from "./turn-types.ts"

/** A try that failed. */
export type Failure = {
  readonly verdict: Verdict
  readonly account: AccountId
  /** Upstream slug. */
  readonly model: string
  readonly startedAtMs: number
  readonly tries: Tries
  /** The access token it was made with. */
  readonly usedToken: string | undefined
  readonly signal: AbortSignal
}

/** Charges the failure to the account. */
export function charge(turn: Turn, failure: Failure, parts: TurnParts): void {
  const { verdict, account, model, startedAtMs, tries } = failure
  const { error, effect, next } = verdict
  tries.lastError = error
  const totalMs = parts.clock() - startedAtMs
  turn.settler.failed({ account, startedAtMs, totalMs, error, effect: effect.type, next })
  const detail = error.upstream?.code ?? error.code ?? error.kind
  if (isLost(effect)) tries.lost.add(account)
  if (effect.type === "block" && effect.cause === "model-unsupported") {
    const plan = parts.pool.target(account)?.account.plan
    if (plan !== undefined) tries.plansWithout.add(plan)
  }
  const { kind } = error
  parts.scheduler.report(account, {
    effect,
    startedAtMs,
    model,
    detail,
    kind,
    ...(refusesOwnSeal(verdict, account, tries) && { refusedOwnSeal: true }),
  })
}

/** Texts of other accounts prove nothing: whoever brings them along gets the same answer every day. */
function refusesOwnSeal({ error, next }: Verdict, account: AccountId, { stripped, trace }: Tries): boolean {
  if (next !== "strip-then-same" || error.code === "previous_response_not_found") return false
  if (trace.compactedBy === account) return true
  return !stripped && [...trace.reasoning.values()].includes(account)
}

/** A shorter rest is no reason for a conversation to move. */
const LONG_REST_MS = 15_000

function isLost(effect: AccountEffect): boolean {
  if (effect.type === "block") return effect.forMs > LONG_REST_MS
  return effect.type === "needs-login" || effect.type === "suspend"
}

/** Prepares the next round, or throws what the client gets. */
export async function afterFailure(turn: Turn, failure: Failure, parts: TurnParts): Promise<void> {
  const { verdict, account, tries } = failure
  refuseUnreadable(failure)
  const step = nextStep(verdict, account, tries, {
    maxAccounts: parts.limits().maxAccounts,
    maxDispatches: MAX_DISPATCHES,
  })
  if (step.type === "stop" || !isWithinBudget(step, parts)) throw giveUpError(turn, failure, parts)
  await prepare(step, failure, parts)
  const isOut = tries.excluded.has(account)
  if (isOut && tries.accounts.length >= parts.limits().maxAccounts) throw giveUpError(turn, failure, parts)
}

/** What is left to strip is tried once; a compaction that is refused cannot be left out without losing what it stands for. */
function refuseUnreadable({ verdict, tries }: Failure): void {
  const { hasCompaction, hasReasoning } = tries.trace
  if (verdict.next !== "strip-then-same" || !hasCompaction) return
  if (tries.stripped || !hasReasoning) throw compactionRefused(verdict.error)
}

/**
 * Repairs of the request itself are free: each happens once for a request and an account, and a hundred requests that
 * meet one expired token are no storm. Whoever only tries again pays.
 */
function isWithinBudget(step: Extract<RetryStep, { type: "again" }>, parts: TurnParts): boolean {
  return step.refresh || step.strip || parts.budget.tryRetry()
}

function giveUpError(turn: Turn, { verdict, tries }: Failure, parts: TurnParts): GatewayError {
  return finalError(
    {
      error: verdict.error,
      model: turn.plan.slug,
      keyId: turn.call.principal.keyId,
      scope: turn.scope,
      tried: new Set(tries.accounts),
      nowMs: parts.clock(),
    },
    parts.scheduler,
  )
}

async function prepare(step: Extract<RetryStep, { type: "again" }>, failure: Failure, parts: TurnParts): Promise<void> {
  const { account, tries } = failure
  if (step.on === "other") {
    exclude(tries, account)
    return
  }
  if (step.on === "line") {
    await backInLine(failure, parts)
    return
  }
  tries.prefer = account
  tries.sameAccountRetries += 1
  if (step.strip) tries.stripped = true
  if (step.refresh) await refreshFor(failure, parts)
  if (step.delayMs > 0) {
    await orAborted(pause(step.delayMs * (0.75 + parts.random() / 2), parts.timers), failure.signal)
  }
}

/**
 * An account that had too much to do has not failed. A conversation of its own waits for it, once; others are served by
 * whoever is free, and come back to it only when nobody else is there.
 */
async function backInLine({ account, tries, signal }: Failure, parts: TurnParts): Promise<void> {
  const { home, requeued } = tries
  const isHome = home?.account === account && home.hold !== "hint"
  const waitsForHome = isHome && (home.hold === "fixed" || !requeued.has(account))
  requeued.add(account)
  if (waitsForHome) await breathe(signal, parts)
  else exclude(tries, account)
}

/** Planned retries come sooner than that, and end the rest when they work. */
const UNRENEWED_REST_MS = 60_000

/** When the refresh itself fails, the account is out for this request, and rests: each further one would be refused as well. */
async function refreshFor(failure: Failure, parts: TurnParts): Promise<void> {
  const { account, tries, signal } = failure
  tries.refreshed.add(account)
  try {
    await orAborted(parts.pool.refreshNow(account, failure.usedToken), signal)
  } catch {
    if (signal.aborted) throw abortReason(signal)
    // The refresher has already told why.
    const effect = { type: "block", scope: { type: "account" }, cause: "credential", forMs: UNRENEWED_REST_MS } as const
    const { startedAtMs, model } = failure
    parts.scheduler.report(account, { effect, startedAtMs, model, detail: "refused, and not renewed" })
    exclude(tries, account)
  }
}
