/** What happens to the other seats when the upstream says that a workspace is closed. */

import { systemClock, systemTimers } from "#core/clock.ts"
import type { Pool } from "#gateway/pool/pool.ts"
import { checkQuota, type QuotaCheckParts } from "#gateway/pool/quota-check.ts"
import { doubtSeats } from "#gateway/pool/seats.ts"
import type { Scheduler, SchedulerParts } from "#scheduler/scheduler.ts"
import { inBackground } from "#telemetry/in-background.ts"

import type { GatewayContext } from "./gateway-context.ts"

/** The pool, once it is there: it is built around the scheduler, which tells of the seat that was closed. */
export type SeatsPool = Pick<QuotaCheckParts, "providers"> & { readonly scheduler: Scheduler; readonly pool: Pool }

/** Returns what the scheduler tells. */
export function buildSeats(
  { config, send, reportFailure }: Pick<GatewayContext, "config" | "send" | "reportFailure">,
  built: () => SeatsPool,
): NonNullable<SchedulerParts["suspended"]> {
  return (id, detail) => {
    const { pool, providers, scheduler } = built()
    const asking = { clock: systemClock, timers: systemTimers, pool, providers, send, usageUrl: config().usageUrl }
    const look = doubtSeats(id, detail, {
      clock: systemClock,
      accounts: pool.accounts,
      scheduler,
      look: account => checkQuota(account, asking),
    })
    inBackground("looking at the seats of a workspace", look, reportFailure)
  }
}
