/** Settings of the section `quota`: what follows from how much of their windows accounts have used. */

import { flag, wholeNumber } from "./leaf.ts"

/** The section's settings. */
export const QUOTA_SETTINGS = {
  "skip-exhausted": flag({
    default: true,
    description:
      "Accounts whose quota reads as spent rest until it resets. Off = they are asked all the same, and rest once they have refused.",
    live: true,
  }),
  "soft-ceiling": wholeNumber({
    default: 0,
    minimum: 0,
    maximum: 100,
    description:
      "Percent of its tightest window from which an account gets new conversations only when no other is free. Those it has stay with it. 0 = no ceiling.",
    live: true,
  }),
}
