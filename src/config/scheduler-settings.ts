/** Settings of the section `scheduler`: who serves the next request. */

import { choice, flag, numberMap, textMap } from "./leaf.ts"

/** By what accounts are named in rules; the first that has one counts. */
const SELECTORS =
  "by account id, `tag/<tag>`, `plan/<plan>` or `provider/<provider>`; the first of these that is named counts"

/** A name that is none of these would never fit any account, and nobody would notice. */
const SELECTOR_PATTERN = "^(acc_[0-9a-f]+|(tag|plan|provider)/[!-.0-~]+)$"
const TAGGED_PATTERN = "^(acc_[0-9a-f]+|(plan|provider)/[!-.0-~]+)$"

/** The section's settings. */
export const SCHEDULER_SETTINGS = {
  strategy: choice(
    ["least-loaded", "round-robin", "least-used", "fill-first", "quota-balanced", "soonest-reset", "weighted"],
    {
      default: "least-loaded",
      description:
        "Who is picked among accounts of equal priority and health: the least utilised; each in turn; the one with the fewest requests so far; the first in the order of loading until it is full; the one with most left in its tightest quota window; the one whose tightest window resets soonest; or in proportion to `scheduler.weights` and what is left.",
      live: true,
    },
  ),
  "health-tiers": flag({
    default: true,
    description:
      "Accounts that have been failing come after the others and get half their concurrency, or one request at a time. Off = the score is shown and nothing follows from it.",
    live: true,
  }),
  "learn-concurrency": flag({
    default: true,
    description:
      "Cuts an account's concurrency when the upstream complains about it, and raises it again slowly, up to `account-concurrency`.",
    live: true,
  }),
  priorities: numberMap({
    default: {},
    minimum: -100,
    maximum: 100,
    pattern: "^-?(100|[1-9]?[0-9])$",
    namePattern: SELECTOR_PATTERN,
    expected:
      "a mapping of account ids, `tag/…`, `plan/…` or `provider/…` to whole numbers from -100 to 100, such as `plan/pro: 10`",
    description: `Priorities ${SELECTORS}, 0 otherwise. A lower one serves only while no higher one has a free slot.`,
    live: true,
  }),
  weights: numberMap({
    default: {},
    minimum: 1,
    maximum: 1000,
    pattern: "^(1000|[1-9][0-9]{0,2})$",
    namePattern: SELECTOR_PATTERN,
    expected:
      "a mapping of account ids, `tag/…`, `plan/…` or `provider/…` to whole numbers from 1 to 1000, such as `plan/pro: 6`",
    description: `Weights for the policy \`weighted\`, ${SELECTORS}, 1 otherwise.`,
    live: true,
  }),
  tags: textMap({
    default: {},
    namePattern: TAGGED_PATTERN,
    expected: "a mapping of account ids, `plan/…` or `provider/…` to tags, such as `plan/pro: night+batch`",
    description:
      "Tags, several joined by `+`, by account id, `plan/<plan>` or `provider/<provider>`; those of all that fit add up. Rules can go by them.",
    live: true,
  }),
}
