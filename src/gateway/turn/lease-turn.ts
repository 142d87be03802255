/** Finds an account for one try: at once, after a wait in line, or by renewing a token that has run out. */

import { type GatewayError, toGatewayError } from "#core/errors.ts"
import type { AccountId } from "#core/ids.ts"
import type { Acquired, Demand, Lease } from "#scheduler/types.ts"

import { orAborted } from "./abortable.ts"
import { abortReason } from "./body-error.ts"
import type { TurnParts } from "./turn-parts.ts"
import type { Turn } from "./turn-types.ts"

/** What the tries so far say about the next account. */
export type LeaseWish = {
  readonly excluded: ReadonlySet<AccountId>
  readonly prefer: AccountId | undefined
  /** What the last failed attempt came to. */
  readonly lastError: GatewayError | undefined
}

/** Rejects with the `GatewayError` the client gets, or with the signal's reason when it fires first. */
export async function leaseAccount(turn: Turn, wish: LeaseWish, signal: AbortSignal, parts: TurnParts): Promise<Lease> {
  if (signal.aborted) throw abortReason(signal)
  const acquired = acquire(turn, wish, parts)
  if (acquired.type !== "refusal") return leaseOf(acquired, signal)
  if (!(await renewOne(acquired.error, wish, { signal, parts }))) throw refusalAfter(wish, acquired.error)
  if (signal.aborted) throw abortReason(signal)
  const again = acquire(turn, wish, parts)
  if (again.type === "refusal") throw refusalAfter(wish, again.error)
  return leaseOf(again, signal)
}

function acquire(turn: Turn, { excluded, prefer, lastError }: LeaseWish, parts: TurnParts): Acquired {
  return parts.scheduler.acquire({
    model: turn.plan.slug,
    exclude: excluded,
    ...(prefer !== undefined && { prefer }),
    keyId: turn.call.principal.keyId,
    deadlineMs: parts.clock() + parts.limits().queueTimeoutMs,
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

/** "All were tried" says less than what they answered; when the pool opens again says more. */
function refusalAfter({ lastError }: LeaseWish, refusal: GatewayError): GatewayError {
  return refusal.kind === "no-account" ? (lastError ?? refusal) : refusal
}
