/** What operators can read of the past: requests, and what they come to. */

import { makeRequestDesk, type RequestDesk, type RequestDeskParts } from "./requests.ts"
import { makeUsageDesk, type UsageReport, type UsageWish } from "./usage.ts"

/** The records. Everything throws `internal` while there is no log. */
export type RecordsDesk = RequestDesk & {
  /** Sums by hour or day. */
  readonly usage: (wish: UsageWish) => UsageReport
  /** Milliseconds since the epoch: what "an hour ago" counts from. */
  readonly now: () => number
}

/** What they are read from. */
export type RecordsDeskParts = RequestDeskParts

/** Makes the records part of the desk. */
export function makeRecordsDesk(parts: RecordsDeskParts): RecordsDesk {
  return { ...makeRequestDesk(parts), usage: makeUsageDesk(parts), now: parts.clock }
}
