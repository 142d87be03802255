/** The tries of one request: lease an account, attempt, judge, go on elsewhere or give up. Nothing has been sent to the client yet. */

import { GatewayError } from "#core/errors.ts"
import type { AccountId } from "#core/ids.ts"
import type { Verdict } from "#core/outcome.ts"
import type { Lease } from "#scheduler/types.ts"

import { runAttempt } from "./attempt.ts"
import { abortReason } from "./body-error.ts"
import { finalError } from "./final-error.ts"
import { nextStep, type RetryStep } from "./retry.ts"
import type { TurnParts } from "./turn-parts.ts"
import type { AttemptInput, AttemptResult, CommittedTurn, Turn } from "./turn-types.ts"

/** Requests one client request may cause upstream. */
const MAX_DISPATCHES = 4

type Tries = {
  dispatches: number
  readonly accounts: AccountId[]
  readonly excluded: Set<AccountId>
  readonly refreshed: Set<AccountId>
  sameAccountRetries: number
  stripped: boolean
  retriedEmpty: boolean
  prefer: AccountId | undefined
  /** What the last failed attempt came to. */
  lastError: GatewayError | undefined
}

/**
 * Runs the tries until one is committed to. Rejects with the `GatewayError` the client gets. `abort` ends the
 * upstream request whenever it fires, also after the commitment.
 */
export async function runTurn(turn: Turn, abort: AbortController, parts: TurnParts): Promise<CommittedTurn> {
  const limits = parts.limits()
  const cancelDeadline = parts.timers.after(limits.firstByteTimeoutMs, () =>
    abort.abort(new GatewayError("timeout", "No account answered in time.", { code: "upstream_timeout" })),
  )
  const tries: Tries = {
    dispatches: 0,
    accounts: [],
    excluded: new Set(),
    refreshed: new Set(),
    sameAccountRetries: 0,
    stripped: false,
    retriedEmpty: false,
    prefer: parts.conversations.get(turn.conversation),
    lastError: undefined,
  }
  try {
    for (;;) {
      const committed = await tryOnce(turn, tries, abort, parts)
      if (committed !== undefined) return committed
    }
  } finally {
    cancelDeadline()
  }
}

/** One round: undefined means that another round should follow. */
async function tryOnce(
  turn: Turn,
  tries: Tries,
  abort: AbortController,
  parts: TurnParts,
): Promise<CommittedTurn | undefined> {
  const lease = await leaseFor(turn, tries, abort.signal, parts)
  refuseOneTooMany(tries, lease, parts)
  noteLease(tries, lease.account)
  const startedAtMs = parts.clock()
  let result: AttemptResult
  try {
    result = await runAttempt(turn, attemptInput(lease, tries, abort), parts)
  } catch (error) {
    lease.release()
    throw error
  }
  if (result.type === "committed") {
    if (!result.empty || tries.retriedEmpty || !mayRetryElsewhere(tries, parts)) return commit(turn, result.turn, parts)
    tries.retriedEmpty = true
    await giveUp(result.turn)
    exclude(tries, lease.account)
    return undefined
  }
  const failure = { verdict: result.verdict, account: lease.account, startedAtMs, tries }
  // Charged before the slot is free: whoever waits for it must not get an account that was just found out.
  charge(turn, failure, parts)
  lease.release()
  await afterFailure(turn, failure, parts)
  return undefined
}

function commit(turn: Turn, committed: CommittedTurn, parts: TurnParts): CommittedTurn {
  parts.conversations.set(turn.conversation, committed.account)
  return committed
}

async function leaseFor(turn: Turn, tries: Tries, signal: AbortSignal, parts: TurnParts): Promise<Lease> {
  if (signal.aborted) throw abortReason(signal)
  const acquired = parts.scheduler.acquire({
    model: turn.plan.slug,
    exclude: tries.excluded,
    ...(tries.prefer !== undefined && { prefer: tries.prefer }),
    keyId: turn.call.principal.keyId,
    deadlineMs: parts.clock() + parts.limits().queueTimeoutMs,
  })
  if (acquired.type === "lease") return acquired.lease
  if (acquired.type === "refusal") throw refusalAfter(tries, acquired.error)
  const onAbort = () => acquired.cancel()
  signal.addEventListener("abort", onAbort, { once: true })
  try {
    return await acquired.lease
  } catch (error) {
    throw signal.aborted ? abortReason(signal) : error
  } finally {
    signal.removeEventListener("abort", onAbort)
  }
}

/** "All were tried" says less than what they answered; when the pool opens again says more. */
function refusalAfter(tries: Tries, refusal: GatewayError): GatewayError {
  return refusal.kind === "no-account" ? (tries.lastError ?? refusal) : refusal
}

function attemptInput(lease: Lease, tries: Tries, abort: AbortController): AttemptInput {
  return {
    lease,
    stripEncrypted: tries.stripped,
    attempt: tries.sameAccountRetries + 1,
    refreshed: tries.refreshed.has(lease.account),
    abort,
  }
}

/** A try that was meant for the same account may be given another one, which then has to fit the limit. */
function refuseOneTooMany(tries: Tries, lease: Lease, parts: TurnParts): void {
  const { accounts, lastError } = tries
  const isNew = !accounts.includes(lease.account)
  if (lastError === undefined || !isNew || accounts.length < parts.limits().maxAccounts) return
  lease.release()
  throw lastError
}

function noteLease(tries: Tries, account: AccountId): void {
  tries.dispatches += 1
  if (tries.accounts.includes(account)) return
  tries.accounts.push(account)
  tries.sameAccountRetries = 0
}

type Failure = {
  readonly verdict: Verdict
  readonly account: AccountId
  readonly startedAtMs: number
  readonly tries: Tries
}

/** Charges the failure to the account. */
function charge(turn: Turn, { verdict, account, startedAtMs, tries }: Failure, parts: TurnParts): void {
  tries.lastError = verdict.error
  const detail = verdict.error.upstream?.code ?? verdict.error.code ?? verdict.error.kind
  parts.scheduler.report(account, { effect: verdict.effect, startedAtMs, model: turn.plan.slug, detail })
}

/** Prepares the next round, or throws what the client gets. */
async function afterFailure(turn: Turn, failure: Failure, parts: TurnParts): Promise<void> {
  const { verdict, account, tries } = failure
  const step = nextStep(verdict, account, tries, {
    maxAccounts: parts.limits().maxAccounts,
    maxDispatches: MAX_DISPATCHES,
  })
  if (step.type === "stop" || !parts.budget.tryRetry()) throw giveUpError(turn, failure, parts)
  await prepare(step, failure, parts)
  const isOut = tries.excluded.has(account)
  if (isOut && tries.accounts.length >= parts.limits().maxAccounts) throw giveUpError(turn, failure, parts)
}

function giveUpError(turn: Turn, { verdict, tries }: Failure, parts: TurnParts): GatewayError {
  return finalError(
    {
      error: verdict.error,
      model: turn.plan.slug,
      keyId: turn.call.principal.keyId,
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
  tries.prefer = account
  tries.sameAccountRetries += 1
  if (step.strip) tries.stripped = true
  if (step.refresh) await refreshFor(failure, parts)
  if (step.delayMs > 0) await pause(step.delayMs * (0.75 + parts.random() / 2), parts)
}

/** When the refresh itself fails, the account is out for this request and its own state says why. */
async function refreshFor(failure: Failure, parts: TurnParts): Promise<void> {
  const { account, tries } = failure
  tries.refreshed.add(account)
  try {
    await parts.pool.refreshNow(account)
  } catch {
    // The refresher has already written the account's new state and its reason; here only the choice of account changes.
    exclude(tries, account)
  }
}

function exclude(tries: Tries, account: AccountId): void {
  tries.excluded.add(account)
  tries.prefer = undefined
}

function mayRetryElsewhere(tries: Tries, parts: TurnParts): boolean {
  if (tries.dispatches >= MAX_DISPATCHES || tries.accounts.length >= parts.limits().maxAccounts) return false
  return parts.scheduler.counts().available > tries.excluded.size + 1 && parts.budget.tryRetry()
}

async function giveUp(committed: CommittedTurn): Promise<void> {
  committed.lease.release()
  await committed.reader.cancel()
}

function pause(delayMs: number, parts: TurnParts): Promise<void> {
  return new Promise(resolve => {
    parts.timers.after(delayMs, resolve)
  })
}
