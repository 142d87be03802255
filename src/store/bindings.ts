/** Which account serves a conversation, issued a turn state or made encrypted content: written behind, read once at start. */

import type { Database } from "bun:sqlite"

import type { AccountId } from "#core/ids.ts"

/** One binding. Keys are hashes; what they were made from is nowhere in the store. */
export type BindingRow = { readonly key: number; readonly accountId: AccountId; readonly usedAtMs: number }

/** Functions over the table `bindings`. Kinds are names the caller chooses. */
export type BindingRows = {
  /** Adds or replaces rows in one transaction. */
  readonly saveBindings: (kind: string, rows: readonly BindingRow[]) => void
  /** The rows used since `sinceMs`, at most `maxRows` and then the ones used last; in ascending order of use. */
  readonly listBindings: (
    kind: string,
    range: { readonly sinceMs: number; readonly maxRows: number },
  ) => readonly BindingRow[]
  /** Deletes up to `maxRows` that were last used before `beforeMs`; returns how many. */
  readonly deleteOldBindings: (kind: string, range: { readonly beforeMs: number; readonly maxRows: number }) => number
}

/** Prepares the statements on an open database. */
export function makeBindingRows(database: Database): BindingRows {
  const write = database.prepare<null, [string, number, string, number]>(
    "insert or replace into bindings (kind, key, account_id, used_at_ms) values (?, ?, ?, ?)",
  )
  const list = database.prepare<BindingRow, [string, number, number]>(
    `select key, account_id as accountId, used_at_ms as usedAtMs from bindings
     where kind = ? and used_at_ms >= ? order by used_at_ms desc limit ?`,
  )
  const deleteOld = database.prepare<null, [string, string, number, number]>(
    `delete from bindings where kind = ? and key in
       (select key from bindings where kind = ? and used_at_ms < ? order by used_at_ms limit ?)`,
  )
  const save = database.transaction((kind: string, rows: readonly BindingRow[]) => {
    for (const { key, accountId, usedAtMs } of rows) write.run(kind, key, accountId, usedAtMs)
  })
  return {
    saveBindings: (kind, rows) => save(kind, rows),
    listBindings: (kind, { sinceMs, maxRows }) => list.all(kind, sinceMs, maxRows).reverse(),
    deleteOldBindings: (kind, { beforeMs, maxRows }) => deleteOld.run(kind, kind, beforeMs, maxRows).changes,
  }
}
