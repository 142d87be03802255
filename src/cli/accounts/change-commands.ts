/** `sluice accounts set`, `pause`, `enable`, `archive`, `restore` and `reset`: what is done at once. */

import type { AccountChange, Names, QuickAction } from "#cli/admin/admin-client.ts"
import type { CommandLine } from "#config/flag-layer.ts"
import type { AccountReport } from "#gateway/desk/account-report.ts"

import { masked } from "./account-text.ts"
import { flagValue, hasFlag, SHARED_HELP, sayJson, type Verb, type VerbCall, wrongUsage } from "./verb.ts"

const SET_HELP = `sluice accounts set ACCOUNT … [--label TEXT] [--note TEXT] [--tag TAG …] [--json]

Names an account, notes something about it, tags it. What is not named stays.

  --label TEXT      the name in lists; "" goes back to the account's own
  --note TEXT       for yourself; "" takes it back
  --tag TAG         instead of the tags it has; several with commas or several times; "" takes all away
${SHARED_HELP}`

/** What one quick verb does and is called. */
type QuickFacts = {
  readonly action: QuickAction
  readonly what: string
  readonly past: string
  readonly takesAll: boolean
}

function quickHelp({ action, what, takesAll }: QuickFacts): string {
  return `sluice accounts ${action} ACCOUNT …${takesAll ? " | --all" : ""} [--json]

${what}

${takesAll ? "  --all             every account outside the recycle bin\n" : ""}${SHARED_HELP}`
}

/**
 * The accounts that are meant, by name or all. Returns what is wrong when none are named, or both.
 */
export function namesOf(verb: string, { positionals, own }: CommandLine): Names | { readonly complaint: string } {
  const isAll = own.has("--all")
  if (isAll && positionals.length > 0) return { complaint: `${verb} takes names or --all, not both` }
  if (isAll) return "all"
  if (positionals.length > 0) return positionals
  return { complaint: `${verb} needs an account: its id, e-mail, label or file name` }
}

function sayAccounts({ line, io }: VerbCall, past: string, accounts: readonly AccountReport[]): number {
  const shown = accounts.map(masked)
  if (hasFlag(line, "--json")) sayJson(io, { accounts: shown })
  else if (shown.length === 0) io.stdout("there are no accounts\n")
  else for (const { id, label, state } of shown) io.stdout(`${id} ${label}: ${past}; ${state} now\n`)
  return 0
}

function quickVerb(facts: QuickFacts): Verb {
  return {
    help: quickHelp(facts),
    flags: facts.takesAll ? { "--all": "switch" } : {},
    run: async call => {
      const names = namesOf(facts.action, call.line)
      if (typeof names === "object" && "complaint" in names) return wrongUsage(call.io, names.complaint)
      const admin = await call.open()
      return sayAccounts(call, facts.past, await admin.order(facts.action, names))
    },
  }
}

function changeOf(line: CommandLine): AccountChange {
  const label = flagValue(line, "--label")
  const note = flagValue(line, "--note")
  const tags = flagValue(line, "--tag")
  return {
    ...(label !== undefined && { label: label === "" ? null : label }),
    ...(note !== undefined && { note: note === "" ? null : note }),
    ...(tags !== undefined && { tags: tags.split(",").filter(tag => tag.trim() !== "") }),
  }
}

async function set(call: VerbCall): Promise<number> {
  const { line, io } = call
  const change = changeOf(line)
  if (line.positionals.length === 0) return wrongUsage(io, "set needs an account: its id, e-mail, label or file name")
  if (Object.keys(change).length === 0) return wrongUsage(io, "set needs --label, --note or --tag")
  const admin = await call.open()
  return sayAccounts(call, "changed", await admin.change(line.positionals, change))
}

/** `set`. */
export const setVerb: Verb = {
  help: SET_HELP,
  flags: { "--label": "value", "--note": "value", "--tag": "list" },
  run: set,
}

/** `pause`. */
export const pauseVerb = quickVerb({
  action: "pause",
  what: "Takes accounts out of use. They stay signed in and are kept fresh.",
  past: "paused",
  takesAll: true,
})

/** `enable`. */
export const enableVerb = quickVerb({
  action: "enable",
  what: "Lets paused accounts serve again, and tries those again that were refused.",
  past: "enabled",
  takesAll: true,
})

/** `archive`. */
export const archiveVerb = quickVerb({
  action: "archive",
  what: "Moves accounts into the recycle bin: nothing is deleted, nothing is served. `sluice accounts restore` is the way back.",
  past: "archived",
  takesAll: false,
})

/** `restore`. */
export const restoreVerb = quickVerb({
  action: "restore",
  what: "Takes accounts out of the recycle bin. `sluice accounts list --archived` shows what is in it.",
  past: "restored",
  takesAll: false,
})

/** `reset`. */
export const resetVerb = quickVerb({
  action: "reset",
  what: "Forgets the rests that refusals have put on accounts, so that they are tried again at once.",
  past: "reset",
  takesAll: true,
})
