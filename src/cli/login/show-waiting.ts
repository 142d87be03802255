/** One line that shows for how long the command has been waiting. */

import type { Clock } from "#core/clock.ts"

/** Where the line goes. */
export type WaitingParts = {
  readonly write: (text: string) => void
  readonly clock: Clock
  /** The line can be written over. */
  readonly isTerminal: boolean
}

/** A terminal sees the seconds pass; a log gets a line now and then. */
const TERMINAL_PACE_MS = 1_000
const LOG_PACE_MS = 30_000

/** Starts the line; the returned function ends it. Meanwhile the process stays alive. */
export function showWaiting(what: string, parts: WaitingParts): () => void {
  const { write, clock, isTerminal } = parts
  const startedAtMs = clock()
  const show = () => {
    const seconds = Math.round((clock() - startedAtMs) / 1000)
    write(isTerminal ? `\r${what} … ${seconds} s (Ctrl-C cancels)` : `${what} … ${seconds} s\n`)
  }
  show()
  // Not one of the unreferenced timers: between two questions nothing else may hold the process.
  const timer = setInterval(show, isTerminal ? TERMINAL_PACE_MS : LOG_PACE_MS)
  return () => {
    clearInterval(timer)
    if (isTerminal) write("\n")
  }
}
