/** Settings of the section `images`: how pictures are drawn. */

import { text } from "./leaf.ts"

/** The section's settings. */
export const IMAGE_SETTINGS = {
  "host-model": text({
    default: "",
    expected: "a model name",
    description:
      "Text model that hands the prompts of `/v1/images/…` to the tool that draws. Empty = the first listed model of the small lines (`mini`, `luna`), or else the first one, that can use the tool.",
    live: true,
  }),
}
