/** Which models the pool can serve, and through which accounts: one list an account, merged, corrected, kept. */

import type { Clock } from "#core/clock.ts"
import type { AccountId } from "#core/ids.ts"
import type { JsonObject } from "#core/json.ts"
import type { ModelInfo } from "#core/model-info.ts"

import { BUILT_IN_MODELS } from "./built-in-models.ts"
import { type AccountModels, readSnapshot, writeSnapshot } from "./catalogue-snapshot.ts"
import { applyOverride, type ModelOverride, modelOfOverride } from "./model-override.ts"

/** Parts of a catalogue. */
export type CatalogueParts = {
  readonly clock: Clock
  /** Used until any account's list is known. */
  readonly builtIn?: readonly ModelInfo[]
  readonly overrides?: readonly ModelOverride[]
}

/** A list as it was fetched. `fetchedAtMs` defaults to now; a restored one says when it was read. */
export type FetchedModels = {
  readonly models: readonly ModelInfo[]
  readonly etag?: string
  readonly fetchedAtMs?: number
}

/** Owner of the model lists. All functions are synchronous. */
export type Catalogue = {
  /** Replaces an account's list. An empty list tells nothing and keeps the one that is known. */
  readonly setModels: (account: AccountId, fetched: FetchedModels) => void
  /** The upstream answered that the known list still holds. */
  readonly confirmModels: (account: AccountId) => void
  readonly removeAccount: (account: AccountId) => void
  readonly etagOf: (account: AccountId) => string | undefined
  /** Milliseconds since the epoch; undefined = no list yet. */
  readonly fetchedAtMsOf: (account: AccountId) => number | undefined
  /** All models, pickers' order. */
  readonly list: () => readonly ModelInfo[]
  readonly find: (slug: string) => ModelInfo | undefined
  /** The accounts whose own list has the model; empty when none says so. */
  readonly accountsFor: (slug: string) => ReadonlySet<AccountId>
  /** False only when the account's own list lacks a model that some account lists. */
  readonly mayServe: (account: AccountId, slug: string) => boolean
  /** True once any account's list is known; until then the built-in table stands in. */
  readonly isLive: () => boolean
  /** Grows with every change, for whoever keeps something derived. */
  readonly revision: () => number
  readonly snapshot: () => JsonObject
  /** Adds the lists of a snapshot; lists that are known already stay. */
  readonly restore: (json: unknown) => void
}

/** Makes an empty catalogue. */
export function makeCatalogue(parts: CatalogueParts): Catalogue {
  const lists = new Map<AccountId, AccountModels>()
  let revision = 0
  let merged: Merged | undefined
  const change = () => {
    revision += 1
    merged = undefined
  }
  const current = () => {
    merged ??= mergeLists(lists, parts)
    return merged
  }
  return {
    setModels: (account, { models, etag, fetchedAtMs = parts.clock() }) => {
      const known = lists.get(account)
      const kept = models.length === 0 && known !== undefined ? known.models : models
      lists.set(account, { models: kept, fetchedAtMs, ...(etag !== undefined && { etag }) })
      change()
    },
    confirmModels: account => {
      const known = lists.get(account)
      if (known !== undefined) lists.set(account, { ...known, fetchedAtMs: parts.clock() })
    },
    removeAccount: account => {
      if (lists.delete(account)) change()
    },
    etagOf: account => lists.get(account)?.etag,
    fetchedAtMsOf: account => lists.get(account)?.fetchedAtMs,
    list: () => current().sorted,
    find: slug => current().bySlug.get(slug),
    accountsFor: slug => current().accounts.get(slug) ?? NO_ACCOUNTS,
    mayServe: (account, slug) => {
      const listed = current().accounts.get(slug)
      if (listed === undefined || listed.has(account)) return true
      return (lists.get(account)?.models.length ?? 0) === 0
    },
    isLive: () => current().isLive,
    revision: () => revision,
    snapshot: () => writeSnapshot(lists),
    restore: json => {
      for (const [account, list] of readSnapshot(json)) {
        if (!lists.has(account)) lists.set(account, list)
      }
      change()
    },
  }
}

const NO_ACCOUNTS: ReadonlySet<AccountId> = new Set()

type Merged = {
  readonly bySlug: ReadonlyMap<string, ModelInfo>
  readonly sorted: readonly ModelInfo[]
  readonly accounts: ReadonlyMap<string, ReadonlySet<AccountId>>
  readonly isLive: boolean
}

function mergeLists(lists: ReadonlyMap<AccountId, AccountModels>, parts: CatalogueParts): Merged {
  const bySlug = new Map<string, ModelInfo>()
  const accounts = new Map<string, Set<AccountId>>()
  const oldestFirst = [...lists].sort(([, left], [, right]) => left.fetchedAtMs - right.fetchedAtMs)
  for (const [account, { models }] of oldestFirst) {
    for (const info of models) {
      bySlug.set(info.slug, better(bySlug.get(info.slug), info))
      const listed = accounts.get(info.slug) ?? new Set<AccountId>()
      accounts.set(info.slug, listed.add(account))
    }
  }
  const isLive = bySlug.size > 0
  if (!isLive) for (const info of parts.builtIn ?? BUILT_IN_MODELS) bySlug.set(info.slug, info)
  applyOverrides(bySlug, parts.overrides ?? [])
  const sorted = [...bySlug.values()].sort(
    (left, right) => left.priority - right.priority || left.slug.localeCompare(right.slug),
  )
  return { bySlug, sorted, accounts, isLive }
}

/** The later list wins, but a bare id never replaces an entry with details. */
function better(known: ModelInfo | undefined, info: ModelInfo): ModelInfo {
  return known?.raw !== undefined && info.raw === undefined ? known : info
}

function applyOverrides(bySlug: Map<string, ModelInfo>, overrides: readonly ModelOverride[]): void {
  for (const override of overrides) {
    const known = bySlug.get(override.slug)
    if (override.remove) bySlug.delete(override.slug)
    else bySlug.set(override.slug, known === undefined ? modelOfOverride(override) : applyOverride(known, override))
  }
}
