/** What has changed of who serves what, for the process that has taken over. */

import type { Affinity } from "#gateway/affinity/affinity.ts"

import type { Note } from "./notes.ts"

const ROWS_A_NOTE = 1_000

/** Takes it out of the memories. */
export function* bindingNotes(affinity: Affinity): Iterable<Note> {
  for (const [kind, memory] of Object.entries(affinity)) {
    for (let rows = memory.takeChanged(ROWS_A_NOTE); rows.length > 0; rows = memory.takeChanged(ROWS_A_NOTE)) {
      yield { type: "bindings", kind, rows }
    }
  }
}
