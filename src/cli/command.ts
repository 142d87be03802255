/** The contract of a command line verb. */

import type { CommandInput } from "./standard-input.ts"

/** The world a command may touch, so that tests can stand in for it. */
export type CommandIo = {
  /** Writes text as it is; the command adds its own line ends. */
  readonly stdout: (text: string) => void
  readonly stderr: (text: string) => void
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly stdin: CommandInput
  /** Standard output is a terminal. */
  readonly isTerminal: boolean
  /** Aborts on SIGINT and SIGTERM: finish cleanly and return. */
  readonly signal: AbortSignal
  /** Something about the process itself that a server's operator should know. */
  readonly startWarning?: string
}

/** One verb, in one file named after it. */
export type Command = {
  readonly name: string
  /** One line for the list of commands. */
  readonly summary: string
  /** The whole text of `sluice <name> --help`. */
  readonly help: string
  /** The text of `sluice <name> … --help` for these arguments, where a part of the command has its own. */
  readonly helpFor?: (args: readonly string[]) => string
  /** Returns the exit code: 0 done, 1 failed, 2 wrong usage. A wrong flag names itself and the nearest known one. */
  readonly run: (args: readonly string[], io: CommandIo) => Promise<number>
}
