/** `sluice accounts`: lists, adds, changes, checks and removes accounts, of the gateway that runs or in its folder. */

import { FORMATS, listFormats } from "#accounts/formats/format-names.ts"
import { nearest } from "#config/edit-distance.ts"

import { addVerb } from "./accounts/add-command.ts"
import * as changes from "./accounts/change-commands.ts"
import { exportVerb } from "./accounts/export-command.ts"
import { importVerb } from "./accounts/import-command.ts"
import { listVerb, showVerb } from "./accounts/list-command.ts"
import { redeemVerb } from "./accounts/redeem-command.ts"
import { removeVerb } from "./accounts/remove-command.ts"
import { runVerb, SHARED_HELP, type Verb, wrongUsage } from "./accounts/verb.ts"
import { refreshVerb, testVerb } from "./accounts/work-commands.ts"
import type { Command } from "./command.ts"

const HELP = `sluice accounts list [--archived] [--state STATE] [--tag TAG] [--search TEXT]
sluice accounts show ACCOUNT …
sluice accounts add [FILE]
sluice accounts import FILE|DIR|- … [--format FORMAT] [--dry-run]
sluice accounts export [ACCOUNT …] [--format FORMAT] [--out FILE] [--show-secrets]
sluice accounts set ACCOUNT … [--label TEXT] [--note TEXT] [--tag TAG …]
sluice accounts pause|enable|reset|refresh|test ACCOUNT … | --all
sluice accounts archive|restore ACCOUNT …
sluice accounts redeem ACCOUNT [--yes] [--credit ID] [--even-if-open]
sluice accounts remove ACCOUNT … --yes [--dry-run]

  list      every account with its state, without its secrets
  show      everything that is known of one account; ACCOUNT is an id, an e-mail, a label or a file name
  add       accounts by their tokens, one a line, from FILE, a pipe or the keyboard
  import    account lists in any known shape; an account that is there gets the fresher token
  export    accounts with their secrets, into FILE or a pipe
  set       label, note and tags
  pause     takes accounts out of use; enable lets them serve again
  reset     forgets the rests that refusals have put on accounts
  archive   moves accounts into the recycle bin; restore takes them out
  refresh   exchanges the refresh token for a new access token now
  test      asks the upstream for the account's quota, which costs none of it
  redeem    lists an account's reset credits, and spends one
  remove    deletes accounts for good

  \`sluice accounts VERB --help\` says more, --show-labels among it. For every verb:

${SHARED_HELP}
Formats:
${listFormats()
  .map(name => `  ${name.padEnd(15)} ${FORMATS[name].title}${FORMATS[name].canExport ? "" : " (import only)"}`)
  .join("\n")}

A refresh token works once: sign-ins that were imported or exported must not stay in use in two programs.
Exit code 0 = done, 1 = failed, 2 = wrong usage.
`

const VERBS: Readonly<Record<string, Verb>> = {
  list: listVerb,
  show: showVerb,
  add: addVerb,
  import: importVerb,
  export: exportVerb,
  set: changes.setVerb,
  pause: changes.pauseVerb,
  enable: changes.enableVerb,
  archive: changes.archiveVerb,
  restore: changes.restoreVerb,
  reset: changes.resetVerb,
  refresh: refreshVerb,
  test: testVerb,
  redeem: redeemVerb,
  remove: removeVerb,
}

function verbOf(name: string): Verb | undefined {
  return Object.hasOwn(VERBS, name) ? VERBS[name] : undefined
}

/** The `accounts` verb. */
export const accountsCommand: Command = {
  name: "accounts",
  summary: "list, add, import, export, change, check and remove accounts",
  help: HELP,
  helpFor: ([name = ""]) => verbOf(name)?.help ?? HELP,
  run: async (args, io) => {
    const [name = "", ...rest] = args
    const verb = verbOf(name)
    if (verb !== undefined) return runVerb(verb, rest, io)
    if (name === "") return wrongUsage(io, `expected ${Object.keys(VERBS).join(", ")}`)
    const near = nearest(name, Object.keys(VERBS))
    return wrongUsage(io, `there is no "${name}"${near === undefined ? "" : `; did you mean "${near}"?`}`)
  },
}
