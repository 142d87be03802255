/** `sluice accounts import`: files, folders or standard input in any known shape. */

import { isListFormat, listFormats } from "#accounts/formats/format-names.ts"
import { nearest } from "#config/edit-distance.ts"

import { readFiles } from "./read-files.ts"
import { takeIn } from "./take-in.ts"
import { flagValue, SHARED_HELP, type Verb, wrongUsage } from "./verb.ts"

const HELP = `sluice accounts import FILE|DIR|- … [--format FORMAT] [--dry-run] [--label TEXT] [--tag TAG …] [--json]

Takes accounts into the database. One that is there gets the fresher token, in its file where it lives in one; one in the
recycle bin comes back. Of a folder, the files that end in .json, .jsonl, .ndjson and .txt are read; - is standard input.
Exit code 1 = nothing could be taken in.

  --format FORMAT   the shape, instead of finding it out; \`sluice accounts --help\` lists them
  --dry-run         says what would be done and writes nothing
  --label TEXT      name of every account that is added
  --tag TAG         tags of every account that is added; several with commas or several times
${SHARED_HELP}`

/** What a wrong name of a format may have meant; undefined when it is right. */
export function complaintAboutFormat(format: string, known: readonly string[]): string | undefined {
  if (format === "auto" || (isListFormat(format) && known.includes(format))) return undefined
  const near = nearest(format, known)
  return `--format: there is no "${format}"${near === undefined ? "" : `; did you mean "${near}"?`}`
}

/** `import`. */
export const importVerb: Verb = {
  help: HELP,
  flags: { "--format": "value", "--dry-run": "switch", "--label": "value", "--tag": "list" },
  run: async call => {
    const { line, io } = call
    const format = flagValue(line, "--format") ?? "auto"
    const complaint = complaintAboutFormat(format, listFormats())
    if (complaint !== undefined) return wrongUsage(io, complaint)
    if (line.positionals.length === 0) return wrongUsage(io, "import needs a file, a folder, or - for standard input")
    return takeIn(call, await readFiles(line.positionals, io), format)
  },
}
