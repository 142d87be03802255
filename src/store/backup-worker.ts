/** The thread that copies the database: a large one takes a second, which no stream should have to wait for. */

import { Database } from "bun:sqlite"

/** What the thread is asked: copy the database at `from` into `into`, which is empty. */
export type BackupOrder = { readonly from: string; readonly into: string }

/** What it answers once: why it failed; undefined = the copy is whole. */
export type BackupReply = { readonly failure: string | undefined }

const BUSY_TIMEOUT_MS = 5_000

function copy({ from, into }: BackupOrder): string | undefined {
  try {
    // A reader of its own sees what is committed and keeps no writer from going on.
    using database = new Database(from, { readonly: true })
    database.run(`pragma busy_timeout = ${BUSY_TIMEOUT_MS}`)
    // https://sqlite.org/lang_vacuum.html#vacuuminto
    database.run("vacuum into ?", [into])
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

// Imported on the main thread this does nothing.
if (!Bun.isMainThread) {
  self.addEventListener("message", (event: MessageEvent<BackupOrder>) => {
    self.postMessage({ failure: copy(event.data) } satisfies BackupReply)
  })
}
