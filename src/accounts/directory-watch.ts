/** Tells when something in a directory may have changed: the system's notices, gathered, and a regular look. */

import { type FSWatcher, watch } from "node:fs"

import type { CancelTimer, Timers } from "#core/clock.ts"

/** The watch. */
export type DirectoryWatch = {
  /** Starts watching if it does not yet; call after the directory was seen, as it may have been replaced. */
  readonly attach: () => void
  readonly close: () => void
}

/** Parts of the watch. */
export type DirectoryWatchParts = {
  readonly path: string
  readonly timers: Timers
  /** Notices within this time count as one: writers touch a file several times. */
  readonly gatherMs: number
  /** Between two looks without a notice: network file systems and replaced directories give none. */
  readonly rescanMs: number
  readonly look: () => void
}

/** Makes the watch; the regular look starts at once. */
export function watchDirectory({ path, timers, gatherMs, rescanMs, look }: DirectoryWatchParts): DirectoryWatch {
  let watcher: FSWatcher | undefined
  let cancelGathering: CancelTimer | undefined
  const detach = (): void => {
    watcher?.close()
    watcher = undefined
  }
  const notice = (): void => {
    cancelGathering ??= timers.after(gatherMs, () => {
      cancelGathering = undefined
      look()
    })
  }
  const cancelRescan = timers.every(rescanMs, look)
  return {
    attach: () => {
      if (watcher !== undefined) return
      try {
        watcher = watch(path, { persistent: false }, notice)
        watcher.on("error", detach)
      } catch {
        // Harmless: out of watches or just removed; the regular look finds every change, only later.
        detach()
      }
    },
    close: () => {
      detach()
      cancelRescan()
      cancelGathering?.()
    },
  }
}
