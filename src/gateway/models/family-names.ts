/** Model families of other vendors, whose names programs have built in, and what serves them here. */

/** One family. Names that `pattern` fits are served by the first candidate there is. */
export type NameFamily = {
  readonly pattern: string
  /** The name that stands for the family in lists; absent = served, but not listed. */
  readonly listed?: { readonly id: string; readonly family: string; readonly displayName: string }
  readonly candidates: readonly string[]
}

const LARGE = ["gpt-6-sol", "gpt-5.6-sol", "gpt-5.5"] as const
const MIDDLE = ["gpt-5.6-terra", "gpt-5.5"] as const
const SMALL = ["gpt-6-luna", "gpt-5.6-luna", "gpt-5.4-mini", "gpt-5.5"] as const

/** In this order; the first one that fits counts. The operator's own aliases come before all of them. */
export const NAME_FAMILIES: readonly NameFamily[] = [
  {
    pattern: "*claude*opus*",
    listed: { id: "claude-opus", family: "opus", displayName: "Opus" },
    candidates: LARGE,
  },
  {
    pattern: "*claude*sonnet*",
    listed: { id: "claude-sonnet", family: "sonnet", displayName: "Sonnet" },
    candidates: MIDDLE,
  },
  {
    pattern: "*claude*haiku*",
    listed: { id: "claude-haiku", family: "haiku", displayName: "Haiku" },
    candidates: SMALL,
  },
  { pattern: "*claude*fable*", candidates: LARGE },
  { pattern: "*claude*", candidates: MIDDLE },
  { pattern: "gemini-*flash-lite*", candidates: SMALL },
  { pattern: "gemini-*-8b*", candidates: SMALL },
  { pattern: "gemini-*nano*", candidates: SMALL },
  { pattern: "gemma-*", candidates: SMALL },
  { pattern: "flash-lite", candidates: SMALL },
  { pattern: "gemini-*flash*", candidates: MIDDLE },
  { pattern: "flash", candidates: MIDDLE },
  { pattern: "gemini-*", candidates: LARGE },
  { pattern: "auto-gemini-*", candidates: LARGE },
  { pattern: "pro", candidates: LARGE },
  { pattern: "auto", candidates: LARGE },
]
