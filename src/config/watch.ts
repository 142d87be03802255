/** Tells when one of a few files changes, whatever way an editor writes it. */

import { type FSWatcher, statSync, watch } from "node:fs"
import { dirname } from "node:path"

import type { CancelTimer, Timers } from "#core/clock.ts"

/** What a watcher is made of. */
export type WatchParts = {
  /** Absolute paths; a file may be absent and appear later. */
  readonly paths: readonly string[]
  readonly timers: Timers
  /** Pace of the look at the files themselves, for file systems that send no events (some container mounts). */
  readonly pollMs?: number
}

const DEFAULT_POLL_MS = 5000

/**
 * Starts watching and returns how to stop. The folders are watched, not the files, because editors that write a new
 * file and rename it over the old one leave a watch on the old one behind. `onChange` is called when a file's
 * inode, size or time differs from the last look; several calls for one edit are possible.
 */
export function watchFiles(parts: WatchParts, onChange: () => void): () => void {
  let seen = signatureOf(parts.paths)
  const look = () => {
    const now = signatureOf(parts.paths)
    if (now === seen) return
    seen = now
    onChange()
  }
  const watchers = [...new Set(parts.paths.map(path => dirname(path)))].flatMap(folder => watchFolder(folder, look))
  const stopPolling: CancelTimer = parts.timers.every(parts.pollMs ?? DEFAULT_POLL_MS, look)
  return () => {
    stopPolling()
    for (const watcher of watchers) watcher.close()
  }
}

function watchFolder(folder: string, look: () => void): readonly FSWatcher[] {
  try {
    const watcher = watch(folder, { persistent: false }, look)
    // A folder that goes away ends its events; the poll still sees what happens.
    watcher.on("error", () => watcher.close())
    return [watcher]
  } catch {
    // No such folder, or no watch left for this user: the poll alone does the work, only slower.
    return []
  }
}

function signatureOf(paths: readonly string[]): string {
  return paths
    .map(path => {
      const facts = statSync(path, { throwIfNoEntry: false, bigint: true })
      return facts === undefined ? "-" : `${facts.ino}:${facts.size}:${facts.mtimeNs}`
    })
    .join(" ")
}
