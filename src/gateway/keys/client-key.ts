/** A stored client key, and its way to a row of the store and back. */

import { Value } from "@sinclair/typebox/value"

import { type AddressRange, parseRange } from "#core/address-range.ts"
import { parseJsonObject } from "#core/json.ts"
import type { AccountScope } from "#scheduler/pick/account-scope.ts"
import type { ClientKeyRow } from "#store/client-keys.ts"

import { type KeyPolicy, type NameRule, POLICY, WINDOWS } from "./key-policy.ts"

/** What is known of a key, apart from the key itself, which nobody keeps. */
export type ClientKey = {
  /** `key_` and 16 hex digits. */
  readonly id: string
  readonly hash: string
  /** The key's first characters. */
  readonly prefix: string
  readonly name: string
  readonly owner: string | undefined
  readonly note: string | undefined
  readonly enabled: boolean
  readonly expiresAtMs: number | undefined
  /** Counted from the first use. */
  readonly expiresAfterUseMs: number | undefined
  readonly policy: KeyPolicy
  /** The accounts it may use; undefined = all. */
  readonly scope: AccountScope | undefined
  /** Where its clients may be; undefined = anywhere. */
  readonly ranges: readonly AddressRange[] | undefined
  /** Some limit is on tokens or cost, so a request has to be weighed before it is let in. */
  readonly weighsTokens: boolean
  /** Some limit is on cost, which takes a price for every model. */
  readonly weighsCost: boolean
  readonly createdAtMs: number
  readonly updatedAtMs: number
}

/** What a key is made from; what follows from the policy is worked out once. */
export type ClientKeyFacts = Omit<ClientKey, "scope" | "ranges" | "weighsTokens" | "weighsCost">

/** Makes the key. Ranges that cannot be read are refused before they get here, and stand for nobody. */
export function makeClientKey(facts: ClientKeyFacts): ClientKey {
  const { tags, plans, addresses = [], limits = {} } = facts.policy
  const quantities = new Set(WINDOWS.flatMap(window => Object.keys(limits[window] ?? {})))
  const weighsCost = quantities.has("cost_usd")
  return {
    ...facts,
    scope: scopeOf(tags, plans),
    weighsTokens: weighsCost || limits.tpm !== undefined || [...quantities].some(name => name.endsWith("tokens")),
    weighsCost,
    ranges: addresses.length === 0 ? undefined : addresses.map(parseRange).filter(range => range !== undefined),
  }
}

/** Reads a row; undefined when its policy cannot be read. */
export function readKeyRow(row: ClientKeyRow): ClientKey | undefined {
  const policy = parseJsonObject(row.policyJson)
  if (policy === undefined || !Value.Check(POLICY, policy)) return undefined
  return makeClientKey({
    id: row.keyId,
    hash: row.keyHash,
    prefix: row.prefix,
    name: row.name,
    owner: row.owner ?? undefined,
    note: row.note ?? undefined,
    enabled: row.enabled === 1,
    expiresAtMs: row.expiresAtMs ?? undefined,
    expiresAfterUseMs: row.expiresAfterUseMs ?? undefined,
    policy,
    createdAtMs: row.createdAtMs,
    updatedAtMs: row.updatedAtMs,
  })
}

/** Writes the row of a key. */
export function writeKeyRow(key: ClientKey): ClientKeyRow {
  return {
    keyId: key.id,
    keyHash: key.hash,
    prefix: key.prefix,
    name: key.name,
    owner: key.owner ?? null,
    note: key.note ?? null,
    enabled: key.enabled ? 1 : 0,
    expiresAtMs: key.expiresAtMs ?? null,
    expiresAfterUseMs: key.expiresAfterUseMs ?? null,
    policyJson: JSON.stringify(key.policy),
    createdAtMs: key.createdAtMs,
    updatedAtMs: key.updatedAtMs,
  }
}

/** When the key ends, given when it was used first; undefined = never, or not yet known. */
export function expiryOf(key: ClientKey, firstUsedAtMs: number | undefined): number | undefined {
  const { expiresAtMs, expiresAfterUseMs } = key
  const afterUseMs =
    expiresAfterUseMs === undefined || firstUsedAtMs === undefined ? undefined : firstUsedAtMs + expiresAfterUseMs
  if (expiresAtMs === undefined || afterUseMs === undefined) return expiresAtMs ?? afterUseMs
  return Math.min(expiresAtMs, afterUseMs)
}

function scopeOf(tags: NameRule | undefined, plans: NameRule | undefined): AccountScope | undefined {
  const scope = {
    anyTag: tags?.allow ?? [],
    noTag: tags?.deny ?? [],
    anyPlan: plans?.allow ?? [],
    noPlan: plans?.deny ?? [],
  }
  const isOpen = Object.values(scope).every(names => names.length === 0)
  // The scheduler tells kinds of request apart by this text, so it is put together once.
  return isOpen ? undefined : { ...scope, key: JSON.stringify(scope) }
}
