/** Rows of client keys: what they are, when they were used, what they have used. The keys themselves are nowhere in the store. */

import type { Database } from "bun:sqlite"

import { inDurableTransaction } from "./core-database.ts"

/** One key. The hash is of the key and a secret that is sealed elsewhere; the policy is JSON. Milliseconds. */
export type ClientKeyRow = {
  readonly keyId: string
  readonly keyHash: string
  /** The key's first characters, for people to tell keys apart. */
  readonly prefix: string
  readonly name: string
  readonly owner: string | null
  readonly note: string | null
  readonly enabled: 0 | 1
  readonly expiresAtMs: number | null
  readonly expiresAfterUseMs: number | null
  readonly policyJson: string
  readonly createdAtMs: number
  readonly updatedAtMs: number
}

/** When a key was used. Milliseconds since the epoch. */
export type KeyUseRow = { readonly keyId: string; readonly firstUsedAtMs: number; readonly lastUsedAtMs: number }

/** What a key has used in one span of time. Grains and the numbers of buckets are the caller's. */
export type KeyCounterRow = {
  readonly keyId: string
  readonly grain: string
  readonly bucket: number
  readonly requests: number
  readonly inputTokens: number
  readonly outputTokens: number
  readonly costMicroUsd: number
  /** Requests of them whose tokens are an estimate. */
  readonly estimatedRequests: number
}

/** Functions over the tables `client_keys`, `key_uses` and `key_counters`. All throw what SQLite throws. */
export type ClientKeyRows = {
  readonly listClientKeys: () => readonly ClientKeyRow[]
  /** Adds or replaces a key; on the disk when this returns. */
  readonly writeClientKey: (row: ClientKeyRow) => void
  /** Deletes a key with its uses and counters; on the disk when this returns. */
  readonly deleteClientKey: (keyId: string) => void
  readonly listKeyUses: () => readonly KeyUseRow[]
  readonly listKeyCounters: () => readonly KeyCounterRow[]
  /** Adds or replaces rows of keys that exist, in one transaction. */
  readonly saveKeyUsage: (uses: readonly KeyUseRow[], counters: readonly KeyCounterRow[]) => void
  /** Deletes all counters of a key; on the disk when this returns. */
  readonly deleteKeyCounters: (keyId: string) => void
  /** Deletes the counters of a grain from before a bucket. */
  readonly deleteOldKeyCounters: (grain: string, beforeBucket: number) => void
}

const LIST_KEYS = `select key_id as keyId, key_hash as keyHash, prefix, name, owner, note, enabled,
    expires_at_ms as expiresAtMs, expires_after_use_ms as expiresAfterUseMs, policy_json as policyJson,
    created_at_ms as createdAtMs, updated_at_ms as updatedAtMs from client_keys order by created_at_ms, key_id`

const WRITE_KEY = `insert or replace into client_keys values ($keyId, $keyHash, $prefix, $name, $owner, $note, $enabled,
    $expiresAtMs, $expiresAfterUseMs, $policyJson, $createdAtMs, $updatedAtMs)`

const LIST_COUNTERS = `select key_id as keyId, grain, bucket, requests, input_tokens as inputTokens,
    output_tokens as outputTokens, cost_micro_usd as costMicroUsd, estimated_requests as estimatedRequests
  from key_counters`

// A key that was deleted while its rows were on their way must not leave any behind.
const WRITE_COUNTER = `insert or replace into key_counters
  select $keyId, $grain, $bucket, $requests, $inputTokens, $outputTokens, $costMicroUsd, $estimatedRequests
  where exists (select 1 from client_keys where key_id = $keyId)`

const WRITE_USE = `insert or replace into key_uses select $keyId, $firstUsedAtMs, $lastUsedAtMs
  where exists (select 1 from client_keys where key_id = $keyId)`

/** Statements are prepared where they are used first: a damaged table of keys must not keep the gateway from starting. */
export function makeClientKeyRows(database: Database): ClientKeyRows {
  const save = database.transaction((uses: readonly KeyUseRow[], counters: readonly KeyCounterRow[]) => {
    const writeUse = database.query<null, KeyUseRow>(WRITE_USE)
    const writeCounter = database.query<null, KeyCounterRow>(WRITE_COUNTER)
    for (const row of uses) writeUse.run(row)
    for (const row of counters) writeCounter.run(row)
  })
  const run = (sql: string, ...values: readonly string[]) => database.query<null, string[]>(sql).run(...values)
  return {
    listClientKeys: () => database.query<ClientKeyRow, []>(LIST_KEYS).all(),
    writeClientKey: row =>
      inDurableTransaction(database, () => {
        database.query<null, ClientKeyRow>(WRITE_KEY).run(row)
      }),
    deleteClientKey: keyId =>
      inDurableTransaction(database, () => {
        run("delete from client_keys where key_id = ?", keyId)
        run("delete from key_uses where key_id = ?", keyId)
        run("delete from key_counters where key_id = ?", keyId)
      }),
    listKeyUses: () =>
      database
        .query<KeyUseRow, []>(
          "select key_id as keyId, first_used_at_ms as firstUsedAtMs, last_used_at_ms as lastUsedAtMs from key_uses",
        )
        .all(),
    listKeyCounters: () => database.query<KeyCounterRow, []>(LIST_COUNTERS).all(),
    saveKeyUsage: (uses, counters) => save(uses, counters),
    deleteKeyCounters: keyId =>
      inDurableTransaction(database, () => {
        run("delete from key_counters where key_id = ?", keyId)
      }),
    deleteOldKeyCounters: (grain, beforeBucket) => {
      database
        .query<null, [string, number]>("delete from key_counters where grain = ? and bucket < ?")
        .run(grain, beforeBucket)
    },
  }
}
