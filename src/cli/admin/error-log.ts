/** The log of a command: errors alone, as lines on standard error. */

import type { CommandIo } from "#cli/command.ts"
import type { Log } from "#telemetry/log.ts"
import { redactFields, redactText } from "#telemetry/redact.ts"

/** Where the lines go. */
export type ErrorOutput = Pick<CommandIo, "stderr">

/** Makes the log. What an order's own answer says is not said twice. */
export function makeErrorLog({ stderr }: ErrorOutput): Log {
  const quiet = () => {}
  return {
    debug: quiet,
    info: quiet,
    warn: quiet,
    error: (fields, message) => stderr(`error: ${redactText(message)} ${JSON.stringify(redactFields(fields))}\n`),
    level: () => "error",
    setLevel: quiet,
  }
}
