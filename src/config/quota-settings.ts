/** Settings of the section `quota`: what follows from how much of their windows accounts have used. */

import { flag, textMap, wholeNumber } from "./leaf.ts"

/** The section's settings. */
export const QUOTA_SETTINGS = {
  "skip-exhausted": flag({
    default: true,
    description:
      "Accounts whose quota reads as spent rest until it resets. Off = they are asked all the same, and rest once they have refused.",
    live: true,
  }),
  "warning-thresholds": textMap({
    default: { primary: "80+90", secondary: "80+90" },
    namePattern: "^(primary|secondary)$",
    valuePattern: "^(100|[1-9]?[0-9])(\\+(100|[1-9]?[0-9]))*$",
    expected: "a mapping of `primary` and `secondary` to percentages joined by `+`, such as `primary: 80+90`",
    description:
      "Percentages of a window at which a warning is logged, joined by `+`: `primary` for windows up to a day, `secondary` for longer ones. 0 = none.",
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
