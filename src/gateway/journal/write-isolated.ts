/** Writes a batch; entries that cannot be stored are found by halving it, and do not keep the others from the disk. */

import type { LogEntry } from "#store/log/request-rows.ts"

/** How a batch is written, and who is told. */
export type WriteIsolatedParts = {
  /** Writes all or throws. */
  readonly write: (entries: readonly LogEntry[]) => void
  /** True when not the entries are to blame but the disk, a lock or the file. */
  readonly isEnvironment: (error: unknown) => boolean
  /** Told as soon as these are on the way to the disk: what follows may still fail. */
  readonly stored: (entries: readonly LogEntry[]) => void
  readonly refused: (entry: LogEntry, reason: unknown) => void
}

/** Throws the store's error when the environment is to blame; `stored` has been told of what was written before. */
export function writeIsolated(entries: readonly LogEntry[], parts: WriteIsolatedParts): void {
  try {
    parts.write(entries)
  } catch (error) {
    if (parts.isEnvironment(error)) throw error
    const [only] = entries
    if (only === undefined) return
    if (entries.length === 1) parts.refused(only, error)
    else {
      const middle = entries.length >> 1
      writeIsolated(entries.slice(0, middle), parts)
      writeIsolated(entries.slice(middle), parts)
    }
    return
  }
  parts.stored(entries)
}
