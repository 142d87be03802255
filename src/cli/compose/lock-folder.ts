/** Takes a data folder for this process. */

import { systemClock } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"
import { makeDataDirectory } from "#store/core-database.ts"
import { type OwnerLock, takeOwnerLock } from "#store/owner-lock.ts"
import { finishRestore } from "#store/restore-files.ts"

/** Takes the lock, and finishes a restore that was interrupted. Throws `internal` with what to do. */
export function lockFolder(dataDir: string): OwnerLock {
  try {
    makeDataDirectory(dataDir)
    const lock = takeOwnerLock(dataDir, process.pid)
    try {
      finishRestore(dataDir, systemClock())
      return lock
    } catch (cause) {
      lock.release()
      throw cause
    }
  } catch (cause) {
    throw explainFolder(dataDir, cause)
  }
}

/** Says what to do about a folder that cannot be used. */
export function explainFolder(dataDir: string, cause: unknown): GatewayError {
  if (cause instanceof GatewayError) return cause
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new GatewayError("internal", `The data directory ${dataDir} cannot be used: ${reason}`, {
    hint: isFull(cause)
      ? "Make room on its disk, and start again. Nothing in it was lost."
      : "Let this user write to it, or name another one with --data-dir.",
    cause,
  })
}

function isFull(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && (cause.code === "ENOSPC" || cause.code === "SQLITE_FULL")
}
