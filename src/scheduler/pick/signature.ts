/** What makes accounts alike for every request, and what a request asks of them. */

import type { ProviderId } from "#core/ids.ts"

import { type AccountScope, isInScope } from "./account-scope.ts"

/** Accounts with equal signatures share a class. */
export type ClassSignature = {
  readonly provider: ProviderId
  readonly egress: string
  /** Undefined = unknown, about which nothing is learned. */
  readonly plan: string | undefined
  /** Sorted. */
  readonly tags: readonly string[]
  /** Undefined = unknown, which counts as "may serve anything". */
  readonly models: ReadonlySet<string> | undefined
  /** Models that are blocked, sorted. */
  readonly stopped: readonly string[]
  /** Models whose only allowed probe is under way, sorted: they may be waited for. */
  readonly held: readonly string[]
  /** From `rankOf`; the smaller one goes first. */
  readonly rank: number
}

/** What a request asks of a class. */
export type Wanted = {
  readonly model: string
  /** Undefined = any. */
  readonly providers?: readonly ProviderId[] | undefined
  /** Tags an account must carry, all of them; undefined = none. */
  readonly tags?: readonly string[] | undefined
  /** Plans that will not do; undefined = none. */
  readonly notPlans?: readonly string[] | undefined
  /** Undefined = all accounts. */
  readonly scope?: AccountScope | undefined
}

/** Stands in no name of a plan or of a way out. */
const SEPARATOR = "\u0001"

/** Equal for equal signatures; `models` is the number of the model set. */
export function signatureKey(signature: ClassSignature, models: number): string {
  const { provider, egress, plan, tags, stopped, held, rank } = signature
  const base = [rank, models, provider, plan, egress].join(SEPARATOR)
  // Most accounts have neither tags nor blocked models, and a hundred thousand of them join at start.
  return tags.length + stopped.length + held.length === 0 ? base : JSON.stringify([base, tags, stopped, held])
}

/** Names a kind of request; equal for requests that the same accounts may serve. */
export function wantedKey({ providers, tags, notPlans, scope, model }: Wanted): string {
  const lists = [providers?.join(",") ?? "*", tags?.join(",") ?? "", notPlans?.join(",") ?? "", scope?.key ?? ""]
  return `${lists.join("|")}|${model}`
}

/** True when accounts with the signature may serve the request, apart from what is blocked elsewhere. */
export function mayServe(signature: ClassSignature, { model, providers, tags, notPlans, scope }: Wanted): boolean {
  if (providers?.includes(signature.provider) === false) return false
  if (signature.models?.has(model) === false) return false
  if (signature.plan !== undefined && notPlans?.includes(signature.plan) === true) return false
  if (tags !== undefined && !tags.every(tag => signature.tags.includes(tag))) return false
  return isInScope(signature, scope) && !signature.stopped.includes(model)
}
