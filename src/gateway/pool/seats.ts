/** The other seats of a workspace that is said to be closed: each is looked at before it is believed of them. */

import type { Account } from "#core/account.ts"
import type { Clock } from "#core/clock.ts"
import type { AccountId } from "#core/ids.ts"
import type { Scheduler } from "#scheduler/scheduler.ts"

import { mapLimited } from "./map-limited.ts"
import type { QuotaReport } from "./quota-check.ts"

/** What looking needs. */
export type SeatsParts = {
  readonly clock: Clock
  readonly accounts: () => readonly Account[]
  readonly scheduler: Pick<Scheduler, "report" | "clearBlocks">
  /** A look that costs nothing; never rejects. */
  readonly look: (account: Account) => Promise<QuotaReport>
}

/** The codes by which an upstream closes a workspace, and not an account alone. */
const WORKSPACE_CODES: ReadonlySet<string> = new Set(["deactivated_workspace"])
/** Said of one seat, it is often said of all, and now and then taken back. */
const REST_MS = 10 * 60_000
/** A workspace of hundreds is no reason to ask hundreds of times at once. */
const LOOKS_AT_A_TIME = 2

/**
 * The account was closed with the code `detail`. When that speaks of its workspace, the other seats rest until a look at their usage
 * brings an answer; a look that is refused decides nothing, and after the rest one request at a time finds out. Resolves after the looks.
 */
export async function doubtSeats(closed: AccountId, detail: string, parts: SeatsParts): Promise<void> {
  if (!WORKSPACE_CODES.has(detail)) return
  const seats = seatsBeside(closed, parts.accounts())
  const startedAtMs = parts.clock()
  for (const { id } of seats) {
    parts.scheduler.report(id, {
      effect: { type: "block", scope: { type: "account" }, cause: "workspace", forMs: REST_MS },
      startedAtMs,
      model: "",
      detail,
    })
  }
  await mapLimited(seats, LOOKS_AT_A_TIME, async seat => {
    const { status } = await parts.look(seat)
    if (status === "ok") parts.scheduler.clearBlocks(seat.id, { cause: "workspace" })
  })
}

function seatsBeside(closed: AccountId, accounts: readonly Account[]): readonly Account[] {
  const one = accounts.find(({ id }) => id === closed)
  if (one?.workspaceId === undefined) return []
  return accounts.filter(
    ({ id, provider, workspaceId, disabled }) =>
      id !== closed && provider === one.provider && workspaceId === one.workspaceId && !disabled,
  )
}
