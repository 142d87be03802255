/** Looks at a database without opening it for writing: not a byte of it changes. */

import { constants, Database } from "bun:sqlite"
import { existsSync } from "node:fs"
import { pathToFileURL } from "node:url"

import { GatewayError } from "#core/errors.ts"

import { refuseLostFile, sizeBytes, unusable } from "./core-database.ts"
import { CORE_MIGRATIONS, readVersion, refuseNewerVersion } from "./migrations.ts"

/** Opens a database for reading. */
function openForReading(path: string): Database {
  // Committed rows in the log have to be seen. An ordinary reader leaves -wal and -shm behind where there were none,
  // hence `immutable` for a database that was closed in order. https://sqlite.org/uri.html#uriimmutable
  if ((sizeBytes(`${path}-wal`) ?? 0) > 0) return new Database(path, { readonly: true })
  const address = `${pathToFileURL(path).href}?immutable=1`
  return new Database(address, constants.SQLITE_OPEN_READONLY | constants.SQLITE_OPEN_URI)
}

function readValues(database: Database, keys: readonly string[]): ReadonlyMap<string, string> {
  const table = database.query("select 1 from sqlite_schema where name = 'meta'").get()
  if (table === null) return new Map()
  const read = database.query<{ value: string }, [string]>("select value from meta where key = ?")
  return new Map(
    keys.flatMap(key => {
      const row = read.get(key)
      return row === null ? [] : [[key, row.value] as const]
    }),
  )
}

/** Looks with `read`; undefined when there is no database yet. Throws `internal` for a damaged one. */
export function peek<Found>(path: string, read: (database: Database) => Found): Found | undefined {
  refuseLostFile(path)
  if (!existsSync(path)) return undefined
  try {
    using database = openForReading(path)
    return read(database)
  } catch (error) {
    if (error instanceof GatewayError) throw error
    throw unusable(path, error instanceof Error ? error.message : "it cannot be read", error)
  }
}

/** Returns the named values that are there; none when there is no database yet. Throws `internal` for a damaged one. */
export function peekMeta(path: string, keys: readonly string[]): ReadonlyMap<string, string> {
  return peek(path, database => readValues(database, keys)) ?? new Map()
}

/**
 * Throws `internal` when the database was written by a newer version. Called before it is opened for writing: that alone
 * would move the log of a killed process into it.
 */
export function refuseNewerDatabase(path: string): void {
  peek(path, database => refuseNewerVersion(path, readVersion(database), CORE_MIGRATIONS))
}
