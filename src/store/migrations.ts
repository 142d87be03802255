/** Brings a database to this version's tables, one numbered step at a time. */

import type { Database } from "bun:sqlite"

import { GatewayError } from "#core/errors.ts"

import start from "./migrations/0001-start.sql" with { type: "text" }
import accounts from "./migrations/0002-accounts.sql" with { type: "text" }
import bindings from "./migrations/0003-bindings.sql" with { type: "text" }
import clientKeys from "./migrations/0004-client-keys.sql" with { type: "text" }
import proxies from "./migrations/0005-proxies.sql" with { type: "text" }
import learned from "./migrations/0006-learned.sql" with { type: "text" }

/** One step: SQL that runs whole or not at all. Never edited after a release. */
export type Migration = { readonly version: number; readonly sql: string }

/** All steps of `core.db`, ascending and without gaps. */
export const CORE_MIGRATIONS: readonly Migration[] = [
  { version: 1, sql: start },
  { version: 2, sql: accounts },
  { version: 3, sql: bindings },
  { version: 4, sql: clientKeys },
  { version: 5, sql: proxies },
  { version: 6, sql: learned },
]

/** Reads which step a database has come to; 0 = none. */
export function readVersion(database: Database): number {
  const row = database.query<{ user_version: number }, []>("pragma user_version").get()
  return row?.user_version ?? 0
}

/** Throws `internal` when a database at step `present` was written by a newer version. */
export function refuseNewerVersion(path: string, present: number, migrations: readonly Migration[]): void {
  const newest = migrations.at(-1)?.version ?? 0
  if (present <= newest) return
  throw new GatewayError("internal", `${path} was written by a newer version (${present} > ${newest}).`, {
    hint: "Start the newer version again, or restore the data directory from before the upgrade.",
  })
}

/**
 * Runs the steps that are missing, each in its own transaction together with its version number, so that an
 * interruption leaves the old tables or the new ones.
 * Throws `internal` when the database was written by a newer version.
 */
export function migrate(database: Database, migrations: readonly Migration[]): void {
  const present = readVersion(database)
  refuseNewerVersion(database.filename, present, migrations)
  for (const migration of migrations) {
    if (migration.version <= present) continue
    database.transaction(() => {
      database.run(migration.sql)
      // A pragma takes no bound parameter; the value is a number from the table above.
      database.run(`pragma user_version = ${migration.version}`)
    })()
  }
}
