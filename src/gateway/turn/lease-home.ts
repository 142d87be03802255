/** Gets the account a request belongs to: at once, after a wait that is worth it, or not. */

import { GatewayError } from "#core/errors.ts"
import type { AccountId } from "#core/ids.ts"
import type { Hold, Home } from "#gateway/affinity/home.ts"
import type { Acquired, Lease, Standing } from "#scheduler/types.ts"

import { abortReason } from "./body-error.ts"
import { compactionUnreadable } from "./compaction-error.ts"
import { leaseOf } from "./lease-turn.ts"
import type { Tries } from "./tries.ts"
import type { TurnParts } from "./turn-parts.ts"
import type { Turn } from "./turn-types.ts"

/** A busy account is worth so much to a warm cache; what only it can read is worth the whole time in line. */
const SOFT_WAIT_MS = 2_000
/** A block this short is waited for: beginning elsewhere costs about as much as it takes. */
const SOFT_REST_MS = 10_000
const HARD_REST_MS = 15_000
/** Once a block has ended, one request at a time finds out whether its cause is gone. */
const PROBE_MS = 1_000

/**
 * Returns a lease of the request's home, or undefined when any other account will do now. Notes in `tries` when the home
 * will be out for long. Rejects with the signal's reason, or when no other account will do.
 */
export async function leaseHome(
  turn: Turn,
  tries: Tries,
  signal: AbortSignal,
  parts: TurnParts,
): Promise<Lease | undefined> {
  const { home } = tries
  if (signal.aborted) throw abortReason(signal)
  if (home === undefined || home.hold === "hint") return undefined
  const lease = tries.excluded.has(home.account) ? undefined : await obtain(home, { turn, tries, signal, parts })
  if (lease !== undefined) parts.explain?.atHome(home, turn.settler.explained)
  if (lease === undefined && home.hold === "fixed") {
    throw compactionUnreadable(parts.scheduler.standingOf(home.account, turn.plan.slug), parts.clock())
  }
  return lease
}

type Wanting = {
  readonly turn: Turn
  readonly tries: Tries
  readonly signal: AbortSignal
  readonly parts: TurnParts
}

async function obtain({ account, hold }: Home, wanting: Wanting): Promise<Lease | undefined> {
  const { turn, tries, parts, signal } = wanting
  if (turn.scope !== undefined && !parts.scheduler.isInScope(account, turn.scope)) {
    // The key's rights have changed since: the conversation moves for good.
    tries.lost.add(account)
    return undefined
  }
  const faster = hold === "soft" ? leaseFaster(account, wanting) : undefined
  if (faster !== undefined) return faster
  const atOnce = acquireOnly(account, parts.clock(), wanting)
  if (atOnce.type === "lease") return atOnce.lease
  const standing = parts.scheduler.standingOf(account, turn.plan.slug)
  const waitMs = worthWaitingMs(hold, standing, parts)
  if (waitMs === 0) {
    if (standing.type !== "unready") tries.lost.add(account)
    return undefined
  }
  const acquired = acquireOnly(account, parts.clock() + waitMs, wanting)
  if (acquired.type === "refusal") return undefined
  try {
    return await leaseOf(acquired, signal)
  } catch (cause) {
    // The wait is over and nobody's fault; the request goes on without its home.
    if (!signal.aborted && cause instanceof GatewayError && cause.kind === "no-account") return undefined
    throw cause
  }
}

/** A warm cache is not worth an account that lags behind the rest. Not twice in an hour: see `Affinity.escapes`. */
function leaseFaster(slow: AccountId, { turn, tries, parts }: Wanting): Lease | undefined {
  const { scheduler, affinity } = parts
  if (!scheduler.isSlow(slow) || affinity.escapes.get(turn.conversation) !== undefined) return undefined
  const acquired = scheduler.acquire({
    model: turn.plan.slug,
    exclude: new Set([...tries.excluded, slow]),
    keyId: turn.call.principal.keyId,
    deadlineMs: parts.clock(),
  })
  if (acquired.type !== "lease") return undefined
  if (scheduler.isSlow(acquired.lease.account)) {
    acquired.lease.release()
    return undefined
  }
  // Whoever serves instead keeps the conversation.
  tries.lost.add(slow)
  affinity.escapes.set(turn.conversation, slow)
  return acquired.lease
}

function worthWaitingMs(hold: Hold, standing: Standing, parts: TurnParts): number {
  const { queueTimeoutMs } = parts.limits()
  switch (standing.type) {
    case "ready":
      return hold === "soft" ? Math.min(SOFT_WAIT_MS, queueTimeoutMs) : queueTimeoutMs
    case "resting": {
      const restMs = Math.max(0, standing.untilMs - parts.clock())
      return restMs > (hold === "soft" ? SOFT_REST_MS : HARD_REST_MS) ? 0 : Math.min(restMs + PROBE_MS, queueTimeoutMs)
    }
    case "unready":
    case "away":
      return 0
  }
}

function acquireOnly(account: AccountId, deadlineMs: number, { turn, parts }: Wanting): Acquired {
  return parts.scheduler.acquire({
    model: turn.plan.slug,
    exclude: NOBODY,
    only: account,
    keyId: turn.call.principal.keyId,
    scope: turn.scope,
    deadlineMs,
  })
}

const NOBODY: ReadonlySet<AccountId> = new Set()
