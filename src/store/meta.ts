/** Small named values of the database itself. */

import type { Database } from "bun:sqlite"

/** Functions over the table `meta`. */
export type MetaRows = {
  readonly readMeta: (key: string) => string | undefined
  readonly writeMeta: (key: string, value: string) => void
}

/** Prepares the statements on an open database. */
export function makeMetaRows(database: Database): MetaRows {
  const read = database.prepare<{ value: string }, [string]>("select value from meta where key = ?")
  const write = database.prepare<null, [string, string]>("insert or replace into meta values (?, ?)")
  return {
    readMeta: key => read.get(key)?.value,
    writeMeta: (key, value) => {
      write.run(key, value)
    },
  }
}
