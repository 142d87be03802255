/** What the client hears when a request has run out of tries. */

import { GatewayError } from "#core/errors.ts"
import type { AccountId } from "#core/ids.ts"
import type { AccountScope } from "#scheduler/pick/account-scope.ts"
import type { Scheduler } from "#scheduler/scheduler.ts"

/** The request as far as it matters here. */
export type FinalErrorInput = {
  readonly error: GatewayError
  readonly model: string
  readonly keyId: string
  readonly scope?: AccountScope | undefined
  /** Every account the request was tried on. */
  readonly tried: ReadonlySet<AccountId>
  readonly nowMs: number
}

/** Another account is there at once: the pause is only for the client's own good manners. */
const SOON_MS = 1_000

/**
 * Returns the error to show. The limit of the accounts that happened to be tried is not the limit of the pool: while
 * others could serve, the client is told to come back (503), and once none can, when the first one opens again (429).
 */
export function finalError(input: FinalErrorInput, scheduler: Scheduler): GatewayError {
  const { error } = input
  if (error.kind !== "rate-limited" && error.kind !== "quota-exhausted") return error
  const others = scheduler.acquire({
    model: input.model,
    exclude: input.tried,
    keyId: input.keyId,
    scope: input.scope,
    deadlineMs: input.nowMs,
  })
  switch (others.type) {
    case "refusal":
      return speaksForPool(others.error) ? others.error : error
    case "lease":
      others.lease.release()
      return othersCanServe(error)
    case "wait":
      others.cancel()
      return othersCanServe(error)
  }
}

/** Out of quota with the earliest reset, or merely busy: both are about every account. */
function speaksForPool({ kind, code }: GatewayError): boolean {
  return kind === "quota-exhausted" || code === "accounts_busy"
}

function othersCanServe(cause: GatewayError): GatewayError {
  return new GatewayError("no-account", "The accounts that were tried are at their limit; others can serve.", {
    code: "accounts_busy",
    retryAfterMs: SOON_MS,
    hint: "Raise `max-retry` if this happens often.",
    cause,
  })
}
