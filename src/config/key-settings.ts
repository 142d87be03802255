/** Settings about client keys that are stored: the section `client-keys`, and `prices`. */

import { flag, textList, textMap } from "./leaf.ts"
import { ADDRESS_RANGE_PATTERN } from "./patterns.ts"

const PRICE = "[0-9]{1,6}(\\.[0-9]{1,6})?"

/** The section's settings. */
export const CLIENT_KEY_SETTINGS = {
  required: flag({
    default: false,
    description:
      "A key is asked for even while there is none. Needed to listen on an address other machines can reach with an empty `api-keys`: keys are then made with `sluice keys create`.",
    live: true,
  }),
  "trusted-proxies": textList({
    default: [],
    pattern: ADDRESS_RANGE_PATTERN,
    expected: "a list of addresses or ranges such as 127.0.0.1 or 10.0.0.0/8",
    description:
      "Reverse proxies in front of Sluice. From these, and from nobody else, `X-Forwarded-For` is believed when a key may only be used from certain addresses.",
    live: true,
  }),
}

/** What models cost. */
export const PRICES = textMap({
  default: {},
  // Without one of its own a name would have to look like a price, and one that does not would go unchecked.
  namePattern: "^[!-~]+$",
  valuePattern: `^${PRICE}/${PRICE}/${PRICE}$`,
  expected: "a mapping of model names to three prices, such as `gpt-5.5: 1.25/0.125/10`",
  description:
    "Dollars a million tokens of input, cached input and output, by upstream model, with `*` for any text; names come before patterns. Limits on cost and costs in reports need them: without a price none is made up.",
  live: true,
})
