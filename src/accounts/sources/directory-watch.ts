/** Tells when something in a few directories may have changed: the system's notices, gathered, and a regular look. */

import { type FSWatcher, watch } from "node:fs"

import type { CancelTimer, Timers } from "#core/clock.ts"

/** A directory to watch. */
export type WatchedFolder = {
  readonly path: string
  /** Names that count; default all. Other programs write their own files beside the one of interest all the time. */
  readonly only?: ReadonlySet<string>
}

/** The watch. */
export type DirectoryWatch = {
  /** Starts watching what it does not watch yet; call after a look, as a directory may have appeared or been replaced. */
  readonly attach: () => void
  readonly close: () => void
}

/** Parts of the watch. */
export type DirectoryWatchParts = {
  readonly folders: readonly WatchedFolder[]
  readonly timers: Timers
  /** Notices within this time count as one: writers touch a file several times. */
  readonly gatherMs: number
  /** Between two looks without a notice: network file systems and replaced directories give none. */
  readonly rescanMs: number
  readonly look: () => void
}

/** Watches one directory for as long as it is there. */
function watchFolder({ path, only }: WatchedFolder, notice: () => void) {
  let watcher: FSWatcher | undefined
  const detach = (): void => {
    watcher?.close()
    watcher = undefined
  }
  return {
    detach,
    attach: (): void => {
      if (watcher !== undefined) return
      try {
        watcher = watch(path, { persistent: false }, (_, name) => {
          if (only === undefined || name === null || only.has(name)) notice()
        })
        watcher.on("error", detach)
      } catch {
        // Harmless: not there, or out of watches; the regular look finds every change, only later.
        detach()
      }
    },
  }
}

/** Makes the watch; the regular look starts at once. */
export function watchDirectories({ folders, timers, gatherMs, rescanMs, look }: DirectoryWatchParts): DirectoryWatch {
  let cancelGathering: CancelTimer | undefined
  const notice = (): void => {
    cancelGathering ??= timers.after(gatherMs, () => {
      cancelGathering = undefined
      look()
    })
  }
  const watched = folders.map(folder => watchFolder(folder, notice))
  const cancelRescan = timers.every(rescanMs, look)
  return {
    attach: () => {
      for (const folder of watched) folder.attach()
    },
    close: () => {
      for (const folder of watched) folder.detach()
      cancelRescan()
      cancelGathering?.()
    },
  }
}
