/** `sluice accounts add`: tokens one a line, from a file, a pipe or the keyboard. */

import { GatewayError } from "#core/errors.ts"

import { askTokens } from "./ask-tokens.ts"
import { complaintAboutFormat } from "./import-command.ts"
import { readFiles } from "./read-files.ts"
import { takeIn } from "./take-in.ts"
import { flagValue, SHARED_HELP, type Verb, type VerbCall, wrongUsage } from "./verb.ts"

const LINE_FORMATS = ["tokens", "refresh-tokens", "access-tokens"] as const

const HELP = `sluice accounts add [FILE] [--format FORMAT] [--label TEXT] [--tag TAG …] [--json]

Adds accounts by their refresh or access tokens, one a line, from FILE, from a pipe, or asked for on a terminal, where what
is typed is not shown.

  --format FORMAT   tokens (each told by its shape), refresh-tokens or access-tokens (of any shape)
  --label TEXT      name of every account that is added
  --tag TAG         its tags; several with commas or several times
${SHARED_HELP}`

async function formOf({ line, io }: VerbCall): Promise<FormData> {
  const [file = "-"] = line.positionals
  if (file !== "-" || !io.stdin.isTerminal) return readFiles([file], io)
  const tokens = await askTokens(io)
  if (tokens.length === 0) throw new GatewayError("invalid-request", "No token was entered.")
  const form = new FormData()
  form.append("file", new File([tokens.join("\n")], "keyboard"))
  return form
}

/** `add`. */
export const addVerb: Verb = {
  help: HELP,
  flags: { "--format": "value", "--label": "value", "--tag": "list" },
  run: async call => {
    const { line, io } = call
    const format = flagValue(line, "--format") ?? "tokens"
    const complaint = complaintAboutFormat(format, LINE_FORMATS)
    if (complaint !== undefined) return wrongUsage(io, complaint)
    if (line.positionals.length > 1)
      return wrongUsage(io, "add takes one file; tokens are never arguments, others could see them")
    return takeIn(call, await formOf(call), format)
  },
}
