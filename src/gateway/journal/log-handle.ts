/** The log in use: opened when it is needed, begun anew when it is damaged or gone, done without while that fails. */

import type { Clock } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"
import { isDamage } from "#store/log/log-database.ts"
import type { LogStore } from "#store/log/log-store.ts"

/** What the handle needs. */
export type LogHandleParts = {
  readonly clock: Clock
  readonly open: (nowMs: number) => LogStore
  /** Runs once for every log that is opened, before anybody else has it. */
  readonly opened: (log: LogStore) => void
  /** One line for the operator. */
  readonly warn: (fields: object, message: string) => void
}

/** The handle. */
export type LogHandle = {
  /** Undefined while it cannot be opened; then it is tried again after some seconds. */
  readonly current: () => LogStore | undefined
  /** Says that it has failed. Damage ends it: the file is put aside, and the next call of `current` begins a new one. */
  readonly failed: (error: unknown) => void
  /** Begins a new file when somebody has deleted this one. */
  readonly check: () => void
  readonly close: () => void
}

const RETRY_MS = 5_000

/** SQLite's complaints about a row; all others are about the file, the disk or a lock. */
const ROW_CODES = ["SQLITE_CONSTRAINT", "SQLITE_MISMATCH", "SQLITE_TOOBIG", "SQLITE_RANGE", "SQLITE_ERROR"]

/** True when not a row is to blame. A value that cannot be bound at all throws something without a code. */
export function isEnvironment(error: unknown): boolean {
  if (!(error instanceof Error) || !("code" in error)) return false
  const code = String(error.code)
  return code.startsWith("SQLITE_") && !ROW_CODES.some(known => code.startsWith(known))
}

/** The refusal of whoever wants to read while there is no log. */
export function noLog(cause?: unknown): GatewayError {
  return new GatewayError("internal", "The request log cannot be read now.", {
    code: "log_unavailable",
    hint: "The gateway's log says why log.db could not be opened: mostly a full disk or a folder without permission.",
    cause,
  })
}

/** Makes a handle that has nothing open. */
export function makeLogHandle({ clock, open, opened, warn }: LogHandleParts): LogHandle {
  let log: LogStore | undefined
  let retryAtMs = 0
  let complained = false

  function tryOpen(): void {
    const nowMs = clock()
    if (nowMs < retryAtMs) return
    retryAtMs = nowMs + RETRY_MS
    try {
      const found = open(nowMs)
      if (found.setAside !== undefined) warn({ ...found.setAside }, "log.db could not be used; a new one was begun")
      opened(found)
      log = found
      complained = false
    } catch (error) {
      if (!complained) warn({ reason: reasonOf(error) }, "log.db cannot be opened; requests are served without it")
      complained = true
    }
  }

  return {
    current: () => {
      if (log === undefined) tryOpen()
      return log
    },
    failed: error => {
      if (!complained) warn({ reason: reasonOf(error) }, "writing to log.db failed; it is tried again")
      complained = true
      if (log === undefined || !isDamage(error)) return
      const path = log.abandon(clock())
      log = undefined
      retryAtMs = 0
      complained = false
      warn({ path }, "log.db is damaged; it was put aside and a new one begins")
    },
    check: () => {
      complained = false
      if (log === undefined || log.isThere()) return
      log.close()
      log = undefined
      retryAtMs = 0
      warn({}, "log.db was deleted; a new one begins")
    },
    close: () => log?.close(),
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
