/** Which plans lack which models: learned from refusals, so that not every account of a plan has to be refused by itself. */

import type { AccountId, ProviderId } from "#core/ids.ts"

/** A plan of a provider; accounts of unknown plans teach nothing. */
export type PlanOf = { readonly provider: ProviderId; readonly plan?: string | undefined }

/** A refusal that named the model. */
export type ModelRefusal = {
  readonly model: string
  readonly account: AccountId
  /** Milliseconds since the epoch. */
  readonly startedAtMs: number
  readonly untilMs: number
}

/** What has been learned. */
export type PlanModels = {
  /** Returns true when this was the proof that the plan lacks the model. */
  readonly refused: (plan: PlanOf, refusal: ModelRefusal) => boolean
  /** Takes back all that is thought of the plan. Returns true when it was thought to lack a model. */
  readonly forget: (plan: PlanOf) => boolean
  /** A success proves older refusals wrong. Returns true when the plan was thought to lack the model. */
  readonly served: (plan: PlanOf, model: string, startedAtMs: number) => boolean
  readonly lacks: (plan: PlanOf, model: string) => boolean
  /** Forgets what has run out. */
  readonly runOut: (nowMs: number) => void
  /** When the next conclusion runs out, milliseconds since the epoch; infinite without one. */
  readonly nextEndMs: () => number
}

/** One account may be an odd one; two of a plan are not. */
const PROOFS = 2

type Entry = PlanOf & { readonly accounts: Set<AccountId>; lastAtMs: number; untilMs: number; lacks: boolean }

/** Makes an empty table. */
export function makePlanModels(): PlanModels {
  const entries = new Map<string, Entry>()

  return {
    refused: (of, { model, account, startedAtMs, untilMs }) => {
      if (of.plan === undefined) return false
      const key = keyOf(of, model)
      const known = entries.get(key)
      // A refusal that would have run out by now is no proof beside a new one.
      const stands = known !== undefined && known.untilMs > startedAtMs
      const { provider, plan } = of
      const entry = stands
        ? known
        : { provider, plan, accounts: new Set<AccountId>(), lastAtMs: 0, untilMs: 0, lacks: false }
      entries.set(key, entry)
      entry.accounts.add(account)
      entry.lastAtMs = Math.max(entry.lastAtMs, startedAtMs)
      entry.untilMs = Math.max(entry.untilMs, untilMs)
      if (entry.lacks || entry.accounts.size < PROOFS) return false
      entry.lacks = true
      return true
    },
    forget: ({ provider, plan }) => {
      let isNews = false
      for (const [key, entry] of entries) {
        if (entry.plan !== plan || entry.provider !== provider) continue
        isNews ||= entry.lacks
        entries.delete(key)
      }
      return isNews
    },
    served: (of, model, startedAtMs) => {
      if (entries.size === 0) return false
      const key = keyOf(of, model)
      const entry = entries.get(key)
      if (entry === undefined || startedAtMs <= entry.lastAtMs) return false
      entries.delete(key)
      return entry.lacks
    },
    lacks: (of, model) => entries.size > 0 && entries.get(keyOf(of, model))?.lacks === true,
    runOut: nowMs => {
      for (const [key, { untilMs }] of entries) if (untilMs <= nowMs) entries.delete(key)
    },
    nextEndMs: () => Math.min(Number.POSITIVE_INFINITY, ...[...entries.values()].map(({ untilMs }) => untilMs)),
  }
}

function keyOf({ provider, plan }: PlanOf, model: string): string {
  return JSON.stringify([provider, plan, model])
}
