/** How much of the day is run. */

import type { DayPlan } from "./run-day.ts"

type Size = Pick<DayPlan, "accounts" | "requestsPerHour" | "fromHour" | "toHour">

/** From midnight to midnight. */
export const FULL_DAY: Size = { accounts: 1_000, requestsPerHour: 1_500, fromHour: 0, toHour: 24 }

/** A morning with an outage, two bursts and the first dead proxy. */
export const SHORT_DAY: Size = { accounts: 80, requestsPerHour: 700, fromHour: 9, toHour: 11.5 }
