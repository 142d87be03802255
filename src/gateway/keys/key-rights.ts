/** What a key may do at all, apart from how much. */

import { fitsPattern } from "#gateway/models/name-pattern.ts"
import type { ModelPlan } from "#gateway/models/plan-model.ts"

import { type ClientKey, expiryOf } from "./client-key.ts"
import { keyEnded, modelRefused } from "./key-errors.ts"
import type { KeyEntry } from "./key-ring.ts"

/** Whether a key works now. */
export type KeyState = "active" | "disabled" | "expired"

/** Returns the key's state at a moment. */
export function stateOf({ key, meter }: KeyEntry, nowMs: number): KeyState {
  if (!key.enabled) return "disabled"
  const endsAtMs = expiryOf(key, meter.firstUsedAtMs())
  return endsAtMs !== undefined && endsAtMs <= nowMs ? "expired" : "active"
}

/** Throws `forbidden` for a key that is switched off or over. */
export function refuseEnded(entry: KeyEntry, nowMs: number): void {
  const state = stateOf(entry, nowMs)
  if (state !== "active") throw keyEnded(state)
}

/** True when the key may use a model, by any of its names. Deny counts over allow. */
export function mayUseModel({ policy }: Pick<ClientKey, "policy">, names: readonly string[]): boolean {
  const { allow = [], deny = [] } = policy.models ?? {}
  const fits = (patterns: readonly string[]) => patterns.some(pattern => names.some(name => fitsPattern(pattern, name)))
  return !fits(deny) && (allow.length === 0 || fits(allow))
}

/** Throws `forbidden` for a model the key may not use. */
export function refuseModel(key: ClientKey, model: string, plan: Pick<ModelPlan, "slug">): void {
  // Most keys may use every model.
  if (key.policy.models === undefined) return
  if (!mayUseModel(key, [model, plan.slug])) throw modelRefused(model)
}
