/** Retired models that programs still ask for: their efforts, their successors, and loosely spelled names of them. */

/** What is known of a retired model. */
export type LegacyModel = {
  /** Efforts the name stands for, ascending. */
  readonly efforts: readonly string[]
  /** Sent when the request names no effort. */
  readonly defaultEffort?: string
  /** Current models that take its place, best first. */
  readonly successors: readonly string[]
}

const GENERAL = ["gpt-5.6-terra", "gpt-5.5"] as const
const SMALL = ["gpt-5.6-luna", "gpt-5.6-terra", "gpt-5.5"] as const

const FROM_MINIMAL = { efforts: ["minimal", "low", "medium", "high"], successors: GENERAL } as const
const FROM_LOW = { efforts: ["low", "medium", "high"], defaultEffort: "low", successors: GENERAL } as const
const MINI = { efforts: ["medium", "high"], defaultEffort: "medium", successors: SMALL } as const
const WITH_XHIGH = { efforts: ["low", "medium", "high", "xhigh"], successors: GENERAL } as const

/** Every retired name that is still understood. */
export const LEGACY_MODELS: ReadonlyMap<string, LegacyModel> = new Map<string, LegacyModel>([
  ["gpt-5", FROM_MINIMAL],
  ["gpt-5-codex", FROM_MINIMAL],
  ["gpt-5-codex-mini", MINI],
  ["codex-mini-latest", MINI],
  ["gpt-5.1", FROM_LOW],
  ["gpt-5.1-codex", FROM_LOW],
  ["gpt-5.1-codex-max", { ...WITH_XHIGH, defaultEffort: "low" }],
  ["gpt-5.1-codex-mini", MINI],
  ["gpt-5.2", WITH_XHIGH],
  ["gpt-5.2-codex", WITH_XHIGH],
  ["gpt-5.3-codex", WITH_XHIGH],
  ["gpt-5.4", WITH_XHIGH],
  ["gpt-5.4-mini", { ...WITH_XHIGH, successors: SMALL }],
])

/** In this order: the first that fits. */
const LOOSE_NAMES: readonly (readonly [pattern: RegExp, slug: string])[] = [
  [/^gpt-5\.1(?!\d).*codex-max/, "gpt-5.1-codex-max"],
  [/^gpt-5\.1(?!\d).*codex-mini/, "gpt-5.1-codex-mini"],
  [/^gpt-5\.1(?!\d).*codex/, "gpt-5.1-codex"],
  [/^gpt-5\.1(?!\d)/, "gpt-5.1"],
  [/codex-mini/, "gpt-5-codex-mini"],
  [/codex/, "gpt-5-codex"],
  [/^gpt-5(?!\d)/, "gpt-5"],
]

/** A version other than 5 and 5.1 is meant: guessing an older model would be worse than a clear refusal. */
const OTHER_VERSION = /^gpt-(?!5(?!\.?\d)|5\.1(?!\d))\d/

/**
 * Returns the retired model a loosely spelled name means: `gpt-5-2025-08-07` → `gpt-5`, `my-codex` → `gpt-5-codex`,
 * `gpt-5.1-codex-preview` → `gpt-5.1-codex`. Names of other versions (`gpt-5.7-codex`) mean none.
 */
export function looseLegacySlug(name: string): string | undefined {
  const plain = name.toLowerCase()
  if (plain.includes("/") || OTHER_VERSION.test(plain)) return undefined
  return LOOSE_NAMES.find(([pattern]) => pattern.test(plain))?.[1]
}
