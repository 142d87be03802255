/** All that operators keep besides accounts: client keys and proxies. */

import type { Database } from "bun:sqlite"

import { type ClientKeyRows, makeClientKeyRows } from "./client-keys.ts"
import { makeProxyRows, type ProxyRows } from "./proxies.ts"

/** Functions over these tables. */
export type OperatorTables = ClientKeyRows & ProxyRows

/** Prepares the statements on an open database. */
export function makeOperatorTables(database: Database): OperatorTables {
  return { ...makeClientKeyRows(database), ...makeProxyRows(database) }
}
