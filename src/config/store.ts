/** Holds the configuration in force and takes over what an edit changes while running. */

import { isDeepStrictEqual } from "node:util"

import type { CancelTimer, Timers } from "#core/clock.ts"

import type { Config } from "./config.ts"
import { CONFIG_KEYS } from "./keys.ts"
import type { ConfigLoader, LoadedConfig, LoadResult } from "./load.ts"
import type { ConfigProblem, Setting } from "./problem.ts"

/** What a look at the changed files came to. */
export type ReloadReport =
  | { readonly type: "unchanged" }
  | {
      readonly type: "reloaded"
      readonly config: Config
      readonly previous: Config
      /** Keys that took effect. */
      readonly changed: readonly string[]
      /** Keys that were edited and still have their old value, until a restart. */
      readonly needsRestart: readonly string[]
      readonly warnings: readonly string[]
    }
  /** The edit is broken; the configuration in force stays. */
  | { readonly type: "refused"; readonly problems: readonly ConfigProblem[] }

/** What a store is made of. */
export type ConfigStoreParts = {
  readonly initial: LoadedConfig
  readonly loader: Pick<ConfigLoader, "load" | "build">
  /** Starts watching, returns how to stop; see `watchFiles`. */
  readonly watch: (onChange: () => void) => () => void
  readonly timers: Pick<Timers, "after">
  /** Told when reading again throws or a subscriber does. */
  readonly reportFailure: (error: unknown) => void
  /** Quiet time after the last sign of an edit before it is read: editors write in several steps. */
  readonly debounceMs?: number
}

/** The configuration while the program runs. */
export type ConfigStore = {
  readonly current: () => Config
  /** The configuration in force with the origin of each value. */
  readonly details: () => LoadedConfig
  /** Calls back after every look that was not `unchanged`; returns how to stop. */
  readonly subscribe: (listener: (report: ReloadReport) => void) => () => void
  /** Reads again now; also for SIGHUP. */
  readonly reload: () => Promise<ReloadReport>
  readonly close: () => void
}

const DEFAULT_DEBOUNCE_MS = 100

/** Makes the store and starts watching. */
export function makeConfigStore(parts: ConfigStoreParts): ConfigStore {
  let inForce = parts.initial
  let waiting: CancelTimer | undefined
  let lastReload: Promise<unknown> = Promise.resolve()
  let lastNotice = ""
  const listeners = new Set<(report: ReloadReport) => void>()

  const tell = (report: ReloadReport): void => {
    const notice = noticeOf(report)
    // Saving the same broken file again is no news, and neither is a restart that was already asked for.
    const isNews = notice !== lastNotice || (report.type === "reloaded" && report.changed.length > 0)
    lastNotice = notice
    if (isNews && report.type !== "unchanged") for (const listener of listeners) listener(report)
  }

  const readAgain = async (): Promise<ReloadReport> => {
    const { report, next } = takeOver(inForce, await parts.loader.load(), parts.loader)
    inForce = next
    tell(report)
    return report
  }

  const reload = (): Promise<ReloadReport> => {
    // One after the other, so that an older reading never replaces a newer one.
    const next = lastReload.then(readAgain)
    // The caller gets the failure through `next`; here it must only not stop the reading after it.
    lastReload = next.catch(() => undefined)
    return next
  }

  const stopWatching = parts.watch(() => {
    waiting?.()
    waiting = parts.timers.after(parts.debounceMs ?? DEFAULT_DEBOUNCE_MS, () => {
      reload().catch(parts.reportFailure)
    })
  })

  return {
    current: () => inForce.config,
    details: () => inForce,
    subscribe: listener => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    reload,
    close: () => {
      waiting?.()
      stopWatching()
      listeners.clear()
    },
  }
}

type Takeover = { readonly report: ReloadReport; readonly next: LoadedConfig }

/** Decides what of a fresh reading takes effect: live keys do, the others keep the value in force. */
function takeOver(inForce: LoadedConfig, result: LoadResult, loader: Pick<ConfigLoader, "build">): Takeover {
  if (result.type === "refused") return { report: result, next: inForce }
  const vanished = checkVanished(inForce, result.loaded)
  if (vanished !== undefined) return { report: { type: "refused", problems: [vanished] }, next: inForce }
  const edited = CONFIG_KEYS.filter(key => !sameValue(inForce, result.loaded, key.path))
  const needsRestart = edited.filter(key => !key.note.live).map(key => key.path)
  const settings = new Map<string, Setting>(result.loaded.settings)
  for (const path of needsRestart) {
    const kept = inForce.settings.get(path)
    if (kept !== undefined) settings.set(path, kept)
  }
  const built = loader.build({ ...result.loaded, settings })
  // A new live value may not go with an old one that waits for a restart (no keys on an open address).
  if (built.type === "refused") return { report: built, next: inForce }
  // The same values may stand on other lines now, so the details are replaced and the configuration object is not.
  if (edited.length === 0) {
    return { report: { type: "unchanged" }, next: { ...built.loaded, config: inForce.config } }
  }
  const changed = edited.filter(key => key.note.live).map(key => key.path)
  const { config, warnings } = built.loaded
  const report = { type: "reloaded", config, previous: inForce.config, changed, needsRestart, warnings } as const
  return { report, next: built.loaded }
}

/**
 * A file that is suddenly gone or empty is more likely caught between two steps of an editor than meant:
 * taking it at its word would drop every client key. A restart without it is the way to mean it.
 */
function checkVanished(inForce: LoadedConfig, fresh: LoadedConfig): ConfigProblem | undefined {
  if (inForce.file === undefined || !hasFileSettings(inForce) || hasFileSettings(fresh)) return undefined
  const source = { type: "file", file: inForce.file, line: 0 } as const
  return { source, message: "the file is gone or empty; its settings stay in force until a restart" }
}

function hasFileSettings(loaded: LoadedConfig): boolean {
  return [...loaded.settings.values()].some(setting => setting.source.type === "file")
}

function sameValue(before: LoadedConfig, after: LoadedConfig, path: string): boolean {
  return isDeepStrictEqual(before.settings.get(path)?.value, after.settings.get(path)?.value)
}

/** Equal for two reports that would tell an operator the same. */
function noticeOf(report: ReloadReport): string {
  switch (report.type) {
    case "unchanged":
      return ""
    case "refused":
      return JSON.stringify(report.problems)
    case "reloaded":
      return JSON.stringify(report.needsRestart)
  }
}
