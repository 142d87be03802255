/** Settings of the section `log`: what is kept of finished requests in `log.db`. */

import { choice, flag, wholeNumber } from "./leaf.ts"

const DAYS = { minimum: 1, maximum: 3650, live: true } as const

/** The section's settings. */
export const LOG_SETTINGS = {
  requests: flag({
    default: true,
    description:
      "Keeps a row for every finished request (key, account, model, status, times, token counts; neither prompt nor answer) and the sums that usage is read from.",
    live: true,
  }),
  explain: choice(["trouble", "always", "never"], {
    default: "trouble",
    description:
      "For which requests it is kept why they got their account: those that were refused or tried again (`trouble`, as long as that takes little of the processor), all (`always`: a walk over the pool a request, for small pools and for a while), or none.",
    live: true,
  }),
  "request-days": wholeNumber({ ...DAYS, default: 30, description: "Days for which the rows are kept." }),
  "detail-days": wholeNumber({
    ...DAYS,
    default: 7,
    description: "Days for which errors, failed attempts and explanations are kept beside their rows.",
  }),
  "event-days": wholeNumber({
    ...DAYS,
    default: 90,
    description: "Days for which accounts' changes of state and readings of their quota are kept.",
  }),
}
