/** `sluice accounts`: lists, imports, exports and removes the accounts in `auth-dir`. */

import { FORMATS, listFormats } from "#accounts/formats/format-names.ts"
import { nearest } from "#config/edit-distance.ts"

import { runExport } from "./accounts/export-command.ts"
import { runImport } from "./accounts/import-command.ts"
import { wrongUsage } from "./accounts/open-accounts.ts"
import { runRemove } from "./accounts/remove-command.ts"
import { runList, runShow } from "./accounts/show-accounts.ts"
import type { Command, CommandIo } from "./command.ts"

const HELP = `sluice accounts list [--json]
sluice accounts show ACCOUNT … [--json]
sluice accounts import FILE|DIR|- … [--format FORMAT] [--dry-run] [--json]
sluice accounts export [ACCOUNT …] [--format FORMAT] [--out FILE] [--show-secrets] [--json]
sluice accounts remove ACCOUNT … [--yes] [--dry-run] [--json]

  list      every account in \`auth-dir\` and in the files other settings name, without its secrets
  show      one account; ACCOUNT is an id, an e-mail or a file name
  import    writes one file per account; an account that is there gets the fresher token. A gateway that runs
            takes the files up by itself. Exit code 1 = nothing could be taken in
  export    writes accounts with their secrets to FILE (mode 0600) or into a pipe; to a terminal only with --show-secrets
  remove    deletes the account's file in \`auth-dir\`, or its entry where a file holds several; nothing without --yes

  --format FORMAT   the shape to read (default auto: found out) or to write (default flat)
  --dry-run         says what would be done and writes nothing
  --out FILE        a new file for the export
  --show-secrets    lets the export print tokens on a terminal
  --yes             really removes
  --files-only      leaves out what a gateway refreshed and keeps in its data directory
  --json            machine-readable output, without secrets
  --auth-dir DIR    the folder (default: as \`serve\` is configured); \`--config\` and other settings count too

Formats:
${listFormats()
  .map(name => `  ${name.padEnd(15)} ${FORMATS[name].title}${FORMATS[name].canExport ? "" : " (import only)"}`)
  .join("\n")}

A refresh token works once: sign-ins that were imported or exported must not stay in use in two programs.
`

const VERBS: Readonly<Record<string, (args: readonly string[], io: CommandIo) => Promise<number>>> = {
  list: runList,
  show: runShow,
  import: runImport,
  export: runExport,
  remove: runRemove,
}

/** The `accounts` verb. */
export const accountsCommand: Command = {
  name: "accounts",
  summary: "list, import, export and remove accounts",
  help: HELP,
  run: async (args, io) => {
    const [name = "", ...rest] = args
    const verb = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined
    if (verb !== undefined) return verb(rest, io)
    if (name === "") return wrongUsage(io, `expected ${Object.keys(VERBS).join(", ")}`)
    const near = nearest(name, Object.keys(VERBS))
    return wrongUsage(io, `there is no "${name}"${near === undefined ? "" : `; did you mean "${near}"?`}`)
  },
}
