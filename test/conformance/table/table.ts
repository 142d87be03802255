/** The whole table: every client, every row, and the cells that they make. */

import type { Client, Row } from "./cell.ts"
import { CLAUDE } from "./clients/claude.ts"
import { CODEX } from "./clients/codex.ts"
import { CONTINUE } from "./clients/continue.ts"
import { GEMINI } from "./clients/gemini.ts"
import { LIBRARIES } from "./clients/libraries.ts"
import { OPENCODE } from "./clients/opencode.ts"
import { FAULT_ROWS } from "./fault-rows.ts"
import { SCENARIO_ROWS } from "./rows.ts"

/** Columns, in the order of the page. */
export const CLIENTS: readonly Client[] = [...CODEX, CLAUDE, ...OPENCODE, GEMINI, ...CONTINUE, ...LIBRARIES]

/** Rows, in the order of the page. */
export const ROWS: readonly Row[] = [...SCENARIO_ROWS, ...FAULT_ROWS]

/** One client with one row. */
export type Cell = { readonly client: Client; readonly row: Row }

/** Every cell whose client and row are wanted: by id, or by the first word of a client's id. Nothing named = all. */
export function cellsOf(names: readonly string[]): readonly Cell[] {
  const isClient = (name: string) => CLIENTS.some(client => isNamed(client.id, name))
  const clients = names.filter(isClient)
  const rows = names.filter(name => !isClient(name))
  return CLIENTS.filter(({ id }) => clients.length === 0 || clients.some(name => isNamed(id, name))).flatMap(client =>
    ROWS.filter(({ id, group }) => rows.length === 0 || rows.includes(id) || rows.includes(`${group}s`)).map(row => ({
      client,
      row,
    })),
  )
}

/** Names that fit neither a client nor a row. */
export function unknownNames(names: readonly string[]): readonly string[] {
  const isRow = (name: string) => ROWS.some(({ id, group }) => id === name || `${group}s` === name)
  return names.filter(name => !isRow(name) && !CLIENTS.some(({ id }) => isNamed(id, name)))
}

function isNamed(id: string, name: string): boolean {
  return id === name || id.startsWith(`${name}-`)
}
