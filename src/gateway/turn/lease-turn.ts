/** Finds an account for one try: at once, after a wait in line, or by renewing a token that has run out. */

import { type ErrorKind, type GatewayError, toGatewayError } from "#core/errors.ts"
import type { AccountId } from "#core/ids.ts"
import type { Acquired, Demand, Lease } from "#scheduler/types.ts"

import { breathe, orAborted } from "./abortable.ts"
import { abortReason } from "./body-error.ts"
import type { TurnParts } from "./turn-parts.ts"
import type { Turn } from "./turn-types.ts"

/** What the tries so far say about the next account. */
export type LeaseWish = {
  readonly excluded: ReadonlySet<AccountId>
  readonly prefer: AccountId | undefined
  /** Some of the excluded ones, who may be asked again when nobody else can serve. */
  readonly requeued: ReadonlySet<AccountId>
  /** Plans whose accounts were refused the model: others are asked first. */
  readonly plansWithout: ReadonlySet<string>
  /** What the last failed attempt came to. */
  readonly lastError: GatewayError | undefined
}

/** Rejects with the `GatewayError` the client gets, or with the signal's reason when it fires first. */
export async function leaseAccount(turn: Turn, wish: LeaseWish, signal: AbortSignal, parts: TurnParts): Promise<Lease> {
  if (signal.aborted) throw abortReason(signal)
  if (wish.requeued.size > 0 || wish.plansWithout.size > 0) {
    const elsewhere = await leaseElsewhere(turn, wish, signal, parts)
    if (elsewhere !== undefined) return elsewhere
  }
  const acquired = acquire(turn, lastWish(wish), parts)
  if (acquired.type !== "refusal") return leaseOf(acquired, signal)
  if (!(await renewOne(acquired.error, wish, { signal, parts }))) throw refusalAfter(wish, acquired.error)
  if (signal.aborted) throw abortReason(signal)
  const again = acquire(turn, lastWish(wish), parts)
  if (again.type === "refusal") throw refusalAfter(wish, again.error)
  return leaseOf(again, signal)
}

/** What is tried first after a failure that somebody else may well be spared; undefined when nobody is. */
async function leaseElsewhere(
  turn: Turn,
  wish: LeaseWish,
  signal: AbortSignal,
  parts: TurnParts,
): Promise<Lease | undefined> {
  if (wish.plansWithout.size > 0) {
    const otherPlan = acquire(turn, wish, parts, { notPlans: [...wish.plansWithout] })
    if (otherPlan.type !== "refusal") return leaseOf(otherPlan, signal)
  }
  if (wish.requeued.size === 0) return undefined
  const free = acquire(turn, wish, parts, { deadlineMs: parts.clock() })
  if (free.type === "lease") return free.lease
  await breathe(signal, parts)
  return undefined
}

/** Nobody else was free: those who had too much to do stand in line with the others. */
function lastWish(wish: LeaseWish): LeaseWish {
  if (wish.requeued.size === 0) return wish
  return { ...wish, excluded: new Set([...wish.excluded].filter(account => !wish.requeued.has(account))) }
}

function acquire(
  turn: Turn,
  { excluded, prefer, lastError }: LeaseWish,
  parts: TurnParts,
  special: Pick<Demand, "notPlans"> & { readonly deadlineMs?: number } = {},
): Acquired {
  return parts.scheduler.acquire({
    model: turn.plan.slug,
    exclude: excluded,
    ...(prefer !== undefined && { prefer }),
    keyId: turn.call.principal.keyId,
    scope: turn.scope,
    deadlineMs: parts.clock() + parts.limits().queueTimeoutMs,
    ...special,
    ...explained(turn, lastError !== undefined, parts),
  })
}

/** Has it written down why this account, or nobody, where that is wanted. */
function explained({ settler }: Turn, isRetry: boolean, parts: TurnParts): Pick<Demand, "explain"> {
  const explain = parts.explain?.demanding(isRetry, settler.explained)
  return explain === undefined ? {} : { explain }
}

/** Waits for what was acquired; the signal takes the request out of line. */
export async function leaseOf(acquired: Exclude<Acquired, { type: "refusal" }>, signal: AbortSignal): Promise<Lease> {
  if (acquired.type === "lease") return acquired.lease
  const onAbort = () => acquired.cancel()
  signal.addEventListener("abort", onAbort, { once: true })
  try {
    return await acquired.lease
  } catch (cause) {
    throw signal.aborted ? abortReason(signal) : toGatewayError(cause)
  } finally {
    signal.removeEventListener("abort", onAbort)
  }
}

/**
 * After a night off every token may have run out: the background renews them one by one, and a request does not wait
 * for its turn in that. True when an account was renewed. Joins an exchange that is under way; hammers none that failed.
 */
async function renewOne(
  refusal: GatewayError,
  wish: LeaseWish,
  { signal, parts }: { readonly signal: AbortSignal; readonly parts: TurnParts },
): Promise<boolean> {
  if (refusal.kind !== "no-account" && refusal.kind !== "quota-exhausted") return false
  const account = parts.pool.expiredAccount()
  if (account === undefined || wish.excluded.has(account)) return false
  try {
    await orAborted(parts.pool.refreshNow(account), signal)
    return true
  } catch {
    // The refresher has written down why; for this request the scheduler's refusal stands.
    return false
  }
}

/** Failures that may be over at the next request. */
const PASSING: ReadonlySet<string> = new Set<ErrorKind>([
  "upstream-unavailable",
  "upstream-overloaded",
  "upstream-protocol",
  "timeout",
])

/**
 * "All were tried" says less than what they answered; when the pool opens again says more. But a reset in hours is no advice
 * while the account that was tried has only met trouble that passes.
 */
function refusalAfter({ lastError }: LeaseWish, refusal: GatewayError): GatewayError {
  const isPassing = refusal.kind === "quota-exhausted" && lastError !== undefined && PASSING.has(lastError.kind)
  return refusal.kind === "no-account" || isPassing ? (lastError ?? refusal) : refusal
}
