/** The tries of one request: lease an account, attempt, judge, go on elsewhere or give up. Nothing has been sent to the client yet. */

import { GatewayError } from "#core/errors.ts"
import type { AccountId } from "#core/ids.ts"
import { homeOf } from "#gateway/affinity/home.ts"
import { foreignTexts, traceOf } from "#gateway/affinity/trace.ts"
import type { Lease } from "#scheduler/types.ts"

import { afterFailure, charge, type Failure } from "./after-failure.ts"
import { runAttempt } from "./attempt.ts"
import { leaseHome } from "./lease-home.ts"
import { leaseAccount } from "./lease-turn.ts"
import { exclude, MAX_DISPATCHES, startTries, type Tries } from "./tries.ts"
import type { TurnParts } from "./turn-parts.ts"
import type { AttemptInput, AttemptResult, CommittedTurn, Turn } from "./turn-types.ts"

/**
 * Runs the tries until one is committed to. Rejects with the `GatewayError` the client gets. `abort` ends the
 * upstream request whenever it fires, also after the commitment.
 */
export async function runTurn(turn: Turn, abort: AbortController, parts: TurnParts): Promise<CommittedTurn> {
  const limits = parts.limits()
  const cancelDeadline = parts.timers.after(limits.firstByteTimeoutMs, () =>
    abort.abort(new GatewayError("timeout", "No account answered in time.", { code: "upstream_timeout" })),
  )
  const tries = startBook(turn, parts)
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
  const lease =
    (await leaseHome(turn, tries, abort.signal, parts)) ?? (await leaseAccount(turn, tries, abort.signal, parts))
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
    if (!result.empty || tries.retriedEmpty || !mayRetryElsewhere(tries, parts)) {
      commit(turn, tries, result.turn, parts)
      if (!result.empty) parts.scheduler.answered(startedAtMs)
      return result.turn
    }
    tries.retriedEmpty = true
    await giveUp(result.turn)
    exclude(tries, lease.account)
    return undefined
  }
  const { verdict, usedToken } = result
  const { account } = lease
  const { slug: model } = turn.plan
  const failure: Failure = { verdict, account, model, startedAtMs, tries, usedToken, signal: abort.signal }
  // Charged before the slot is free: whoever waits for it must not get an account that was just found out.
  charge(turn, failure, parts)
  lease.release()
  await afterFailure(turn, failure, parts)
  return undefined
}

/** What the request carries, and where it belongs by that. */
function startBook({ request, conversation, group, call, kind }: Turn, { affinity }: TurnParts): Tries {
  const trace = traceOf(request, affinity.blobs)
  const turnState = call.headers.get("x-codex-turn-state")
  const tries = startTries(homeOf({ conversation, group, turnState, trace }, affinity), trace)
  for (const account of kind.barred?.() ?? []) tries.excluded.add(account)
  return tries
}

/** A conversation stays with its account when another one merely helped out; its session follows the last move. */
function commit(turn: Turn, tries: Tries, { account }: CommittedTurn, { affinity }: TurnParts): void {
  const { conversations } = affinity
  const bound = conversations.get(turn.conversation)
  const isOwner = tries.home?.owns === true && tries.home.account === account
  const isMoving = bound === undefined || isOwner || tries.lost.has(bound)
  if (!isMoving || bound === account) return
  conversations.set(turn.conversation, account)
  if (turn.group !== undefined) conversations.set(turn.group, account)
}

function attemptInput(lease: Lease, tries: Tries, abort: AbortController): AttemptInput {
  return {
    lease,
    stripEncrypted: tries.stripped,
    foreignTexts: foreignTexts(tries.trace, lease.account),
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
  // One wait is enough. Only what no other account can serve goes on looking for its own.
  if (account !== tries.home?.account && tries.home?.hold !== "fixed") tries.home = undefined
  if (tries.accounts.includes(account)) return
  tries.accounts.push(account)
  tries.sameAccountRetries = 0
}

function mayRetryElsewhere(tries: Tries, parts: TurnParts): boolean {
  if (tries.dispatches >= MAX_DISPATCHES || tries.accounts.length >= parts.limits().maxAccounts) return false
  return parts.scheduler.counts().available > tries.excluded.size + 1 && parts.budget.tryRetry()
}

async function giveUp(committed: CommittedTurn): Promise<void> {
  committed.lease.release()
  await committed.reader.cancel()
}
