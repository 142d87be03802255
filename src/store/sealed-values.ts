/** Rows of secrets that are no credentials: cookies of an account, passwords of proxies. */

import type { Database, Statement } from "bun:sqlite"

import { inDurableTransaction } from "./core-database.ts"

/** A secret under its name; opaque text here. Milliseconds. */
export type SealedValueRow = {
  readonly name: string
  readonly secretJson: string
  readonly updatedAtMs: number
}

/** Functions over the table `sealed_values`. */
export type SealedValueRows = {
  /** Values whose names begin with `prefix`. */
  readonly listSealedValues: (prefix: string) => readonly SealedValueRow[]
  /** On the disk when this returns, all or none. */
  readonly writeSealedValues: (rows: readonly SealedValueRow[]) => void
  readonly deleteSealedValue: (name: string) => void
}

/** Prepares the statement that writes one value. */
export function prepareSealedWrite(database: Database): Statement<null, [SealedValueRow]> {
  return database.prepare<null, SealedValueRow>(
    "insert or replace into sealed_values values ($name, $secretJson, $updatedAtMs)",
  )
}

/** Prepares the statements on an open database. */
export function makeSealedValueRows(database: Database): SealedValueRows {
  const list = database.prepare<SealedValueRow, [string, string]>(
    `select name, secret_json as secretJson, updated_at_ms as updatedAtMs from sealed_values
     where substr(name, 1, length(?)) = ?`,
  )
  const write = prepareSealedWrite(database)
  const remove = database.prepare<null, [string]>("delete from sealed_values where name = ?")
  return {
    listSealedValues: prefix => list.all(prefix, prefix),
    writeSealedValues: rows =>
      inDurableTransaction(database, () => {
        for (const row of rows) write.run(row)
      }),
    deleteSealedValue: name =>
      inDurableTransaction(database, () => {
        remove.run(name)
      }),
  }
}
