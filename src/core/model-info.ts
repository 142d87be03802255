/** What is known of a model the pool can serve. */

import type { Json } from "./json.ts"

/** One catalogue entry. All but `slug` may be unknown; unknown lists are empty. */
export type ModelInfo = {
  readonly slug: string
  readonly displayName?: string
  readonly description?: string
  /** `list` shows it in pickers, `hide` serves it by name only. */
  readonly visibility: "list" | "hide"
  /** Lower comes first. */
  readonly priority: number
  /** Efforts the model lists, ascending; empty = unknown, nothing is clamped. */
  readonly efforts: readonly string[]
  readonly defaultEffort?: string
  /** Service tiers by wire name, e.g. `priority`. */
  readonly serviceTiers: readonly string[]
  readonly contextTokens?: number
  readonly maxContextTokens?: number
  readonly inputModalities: readonly string[]
  readonly supportsSummary: boolean
  readonly supportsVerbosity: boolean
  /** The hosted image tool is refused by some models. */
  readonly supportsImageTool: boolean
  readonly plans: readonly string[]
  /** The upstream's own object, for the Codex catalogue; undefined for built-in entries. */
  readonly raw?: { readonly [key: string]: Json }
}

/** A name that clients may pick, and the model that serves it. `family` is another vendor's word for its kind. */
export type ListedModel = {
  readonly id: string
  readonly displayName: string
  readonly family?: string
  readonly info: ModelInfo
}

/** All reasoning efforts, ascending. */
export const REASONING_EFFORTS = ["none", "minimal", "low", "medium", "high", "xhigh", "max", "ultra"] as const

/** One of {@link REASONING_EFFORTS}. */
export type ReasoningEffort = (typeof REASONING_EFFORTS)[number]
