/** The log: JSON lines for machines, coloured lines for a terminal, secrets taken out of both. */

import { fstatSync } from "node:fs"

import { pino } from "pino"

import { redactFields, redactText } from "./redact.ts"

/** How serious a line is. */
export type LogLevel = "debug" | "info" | "warn" | "error"

/** `auto` = pretty on a terminal, JSON lines elsewhere. */
export type LogFormat = "auto" | "pretty" | "json"

/** Writes one line: the fields, then the message. */
export type WriteLog = (fields: object, message: string) => void

/** The log. Fields are plain data; ids and counts, never prompt text. */
export type Log = {
  readonly debug: WriteLog
  readonly info: WriteLog
  readonly warn: WriteLog
  readonly error: WriteLog
  readonly level: () => LogLevel
  /** Takes effect with the next line. */
  readonly setLevel: (level: LogLevel) => void
}

/** What a log is made of. */
export type LogParts = {
  readonly level: LogLevel
  readonly format: LogFormat
  /** Where finished lines go; standard error when absent. */
  readonly destination?: { readonly write: (line: string) => void }
  /** Whether the destination is a terminal, for `auto`; standard error is asked when absent. */
  readonly isTerminal?: boolean
}

const STANDARD_ERROR = 2

/** Makes the log. Lines are written synchronously, so that the last ones before a crash are there. */
export async function makeLog(parts: LogParts): Promise<Log> {
  const isTerminal = parts.isTerminal ?? isStandardErrorTerminal()
  const isPretty = parts.format === "pretty" || (parts.format === "auto" && isTerminal)
  const lines = parts.destination ?? pino.destination({ fd: STANDARD_ERROR, sync: true })
  // Pretty-printing runs in this thread: pino's worker transport loads a file by path, which a compiled binary lacks.
  const stream = isPretty ? await makePrettyStream(lines, isTerminal) : lines
  const logger = pino({ level: parts.level, base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters }, stream)
  const writer =
    (level: LogLevel): WriteLog =>
    (fields, message) => {
      // Redaction walks the fields, which a line that is not written should not pay for.
      if (logger.isLevelEnabled(level)) logger[level](redactFields(fields), redactText(message))
    }
  return {
    debug: writer("debug"),
    info: writer("info"),
    warn: writer("warn"),
    error: writer("error"),
    // Only `setLevel` and `makeLog` set it, and both take a LogLevel.
    level: () => logger.level as LogLevel,
    setLevel: level => {
      logger.level = level
    },
  }
}

/** Asks the descriptor first: `process.stderr` takes 7 ms to load, and a service's output is never a device. */
function isStandardErrorTerminal(): boolean {
  try {
    return fstatSync(STANDARD_ERROR).isCharacterDevice() && process.stderr.isTTY === true
  } catch {
    // Closed: nobody is looking.
    return false
  }
}

/** The level as a word: `"level":"info"` instead of pino's numbers. */
const formatters = { level: (label: string) => ({ level: label }) }

/** Loaded only for eyes that read it: a service should not wait for it at start. */
async function makePrettyStream(lines: { readonly write: (line: string) => void }, isTerminal: boolean) {
  const { PinoPretty } = await import("pino-pretty")
  const format = PinoPretty.prettyFactory({
    colorize: isTerminal,
    translateTime: "SYS:HH:MM:ss.l",
    singleLine: true,
  })
  return { write: (line: string) => lines.write(format(line)) }
}
