/** The catalogue as one JSON value, for a start without network. */

import type { AccountId } from "#core/ids.ts"
import { isJsonObject, type Json, type JsonObject, numberAt, objectAt, stringAt } from "#core/json.ts"
import type { ModelInfo } from "#core/model-info.ts"

/** One account's list and when it was read. */
export type AccountModels = {
  readonly models: readonly ModelInfo[]
  /** The upstream's tag of this list. */
  readonly etag?: string
  readonly fetchedAtMs: number
}

const SNAPSHOT_VERSION = 1

/** Returns the lists as plain JSON. */
export function writeSnapshot(lists: ReadonlyMap<AccountId, AccountModels>): JsonObject {
  const accounts: Record<string, Json> = {}
  // ModelInfo holds nothing but JSON values; only its `readonly` types are not spelled as such.
  for (const [account, list] of lists) accounts[account] = { ...list } as unknown as Json
  return { version: SNAPSHOT_VERSION, accounts }
}

/** Reads what {@link writeSnapshot} wrote. Another version or damaged entries give fewer lists, never an error. */
export function readSnapshot(json: unknown): ReadonlyMap<AccountId, AccountModels> {
  const lists = new Map<AccountId, AccountModels>()
  if (!isJsonObject(json) || json["version"] !== SNAPSHOT_VERSION) return lists
  for (const [account, list] of Object.entries(objectAt(json, "accounts") ?? {})) {
    const models = isJsonObject(list) ? list["models"] : undefined
    if (!isJsonObject(list) || !Array.isArray(models)) continue
    const etag = stringAt(list, "etag")
    // The keys were account ids when the snapshot was written.
    lists.set(account as AccountId, {
      models: models.filter(isModelInfo),
      fetchedAtMs: numberAt(list, "fetchedAtMs") ?? 0,
      ...(etag !== undefined && { etag }),
    })
  }
  return lists
}

function isModelInfo(value: unknown): value is ModelInfo {
  if (!isJsonObject(value)) return false
  const lists = ["efforts", "serviceTiers", "inputModalities", "plans"]
  return (
    typeof value["slug"] === "string" &&
    typeof value["priority"] === "number" &&
    (value["visibility"] === "list" || value["visibility"] === "hide") &&
    lists.every(key => Array.isArray(value[key]))
  )
}
