/** The configuration of a running server: read again when its files change, and every change told in the log. */

import type { ConfigLoader, LoadedConfig } from "#config/load.ts"
import { formatProblem } from "#config/problem.ts"
import { type ConfigStore, makeConfigStore, type ReloadReport } from "#config/store.ts"
import { watchFiles } from "#config/watch.ts"
import { systemTimers } from "#core/clock.ts"
import type { Log } from "#telemetry/log.ts"

/** Follows it from what was loaded at the start. */
export function followConfig(initial: LoadedConfig, loader: ConfigLoader, log: Log): ConfigStore {
  const store = makeConfigStore({
    initial,
    loader,
    timers: systemTimers,
    reportFailure: cause => noteFailure(cause, log),
    watch: onChange => watchFiles({ paths: loader.paths, timers: systemTimers }, onChange),
  })
  store.subscribe(report => noteReload(report, log))
  return store
}

/** Reads it again now. Never rejects: what is wrong stands in the log. */
export function reload(store: ConfigStore, log: Log): void {
  store.reload().catch(cause => noteFailure(cause, log))
}

function noteFailure(cause: unknown, log: Log): void {
  log.error({ reason: String(cause) }, "reading the configuration again failed")
}

function noteReload(report: ReloadReport, log: Log): void {
  if (report.type === "refused") {
    const problems = report.problems.map(formatProblem)
    log.error({ problems }, "the edited configuration is not valid; the one in force stays")
  } else if (report.type === "reloaded") {
    log.setLevel(report.config.logLevel)
    log.info({ changed: report.changed, needsRestart: report.needsRestart }, "configuration read again")
    for (const warning of report.warnings) log.warn({}, warning)
  }
}
