/** The tables of what the gateway remembers of requests: bindings of conversations, and stop signs on accounts. */

import type { Database } from "bun:sqlite"

import { type BindingRows, makeBindingRows } from "./bindings.ts"
import { makeSchedulerBlockRows, type SchedulerBlockRows } from "./scheduler-blocks.ts"

/** Their functions. */
export type MemoryTables = BindingRows & SchedulerBlockRows

/** Makes them over an open database. */
export function makeMemoryTables(database: Database): MemoryTables {
  return { ...makeBindingRows(database), ...makeSchedulerBlockRows(database) }
}
