/** Gets the account a request belongs to: at once, after a wait that is worth it, or not. */

import { GatewayError } from "#core/errors.ts"
import type { AccountId } from "#core/ids.ts"
import type { Hold, Home } from "#gateway/affinity/home.ts"
import type { Standing } from "#gateway/affinity/standing.ts"
import type { Acquired, Lease } from "#scheduler/types.ts"

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
  if (lease === undefined && home.hold === "fixed") {
    throw compactionUnreadable(parts.standingOf(home.account, turn.plan.slug), parts.clock())
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
  if (parts.scheduler.isUsable(account)) {
    const atOnce = acquireOnly(account, parts.clock(), wanting)
    if (atOnce.type === "lease") return atOnce.lease
  }
  const standing = parts.standingOf(account, turn.plan.slug)
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
    exclude: allBut(account),
    only: account,
    keyId: turn.call.principal.keyId,
    deadlineMs,
  })
}

/** No account has this id. The scheduler takes a set without members for one that excludes nobody. */
const NOBODY = "" as AccountId

/** The scheduler only asks whether a set has an account, so one question stands for a set of all the others. */
function allBut(kept: AccountId): ReadonlySet<AccountId> {
  return Object.assign(new Set([NOBODY]), { has: (id: AccountId) => id !== kept })
}
