/** Turns the effort a client asked for into one the model accepts. */

import { REASONING_EFFORTS } from "#core/model-info.ts"

import type { LegacyModel } from "./legacy-models.ts"

/** What a model accepts; an empty list = unknown, nothing is clamped. */
export type EffortLimits = { readonly efforts: readonly string[]; readonly defaultEffort?: string }

/** `effort` undefined = send none, the model's default applies. `isKnown` is false for a word we do not know. */
export type ClampedEffort = { readonly effort?: string; readonly isKnown: boolean }

/**
 * Returns the requested effort when the model lists it, else the nearest lower one, else the lowest. `auto` asks for
 * none; an unknown word gives the model's default.
 */
export function clampEffort(requested: string, limits: EffortLimits): ClampedEffort {
  const word = requested.trim().toLowerCase()
  if (word === "auto" || word === "") return { isKnown: true }
  if (limits.efforts.includes(word)) return { effort: word, isKnown: true }
  const rank = rankOf(word)
  if (rank < 0) {
    return { isKnown: false, ...(limits.defaultEffort !== undefined && { effort: limits.defaultEffort }) }
  }
  const legal = limits.efforts.filter(effort => rankOf(effort) >= 0).sort((left, right) => rankOf(left) - rankOf(right))
  const effort = legal.findLast(candidate => rankOf(candidate) < rank) ?? legal[0] ?? word
  return { effort, isKnown: true }
}

/** The rule of retired names: `none` means the lowest thinking they have, and no effort means their default. */
export function clampLegacyEffort(requested: string | undefined, model: LegacyModel): ClampedEffort {
  if (requested === undefined) {
    return { isKnown: true, ...(model.defaultEffort !== undefined && { effort: model.defaultEffort }) }
  }
  const isNone = requested.trim().toLowerCase() === "none"
  return clampEffort(isNone ? "low" : requested, model)
}

/** The wire knows no `ultra`: it is `max` with a client that delegates. */
export function wireEffort(effort: string): string {
  return effort === "ultra" ? "max" : effort
}

function rankOf(effort: string): number {
  // indexOf on the tuple would only take its own members.
  return (REASONING_EFFORTS as readonly string[]).indexOf(effort)
}
