/** `sluice accounts list` and `show`: what accounts there are and how they are, without a secret. */

import type { AccountList } from "#cli/admin/admin-client.ts"
import { nearest } from "#config/edit-distance.ts"
import { systemClock } from "#core/clock.ts"
import { ACCOUNT_STATES, type AccountReport } from "#gateway/desk/account-report.ts"

import { accountBlock, accountTable, masked } from "./account-text.ts"
import { flagValue, hasFlag, SHARED_HELP, sayJson, type Verb, type VerbCall, wrongUsage } from "./verb.ts"

const LIST_HELP = `sluice accounts list [--archived] [--state STATE] [--tag TAG] [--search TEXT] [--show-labels] [--json]

Every account with its state, when its access token expires, when it was last refreshed and where it lives: in a file of
\`auth-dir\` or in the database.

  --archived        those in the recycle bin
  --state STATE     ${ACCOUNT_STATES.join(", ")}
  --tag TAG         those with this tag
  --search TEXT     those with this text in id, label, e-mail or note
  --show-labels     labels and e-mails whole instead of masked
${SHARED_HELP}`

const SHOW_HELP = `sluice accounts show ACCOUNT … [--show-labels] [--json]

Everything that is known of an account but its secrets: quota, requests, note and tags, the last trouble.
ACCOUNT is an id, an e-mail, a label or a file name.

  --show-labels     labels and e-mails whole instead of masked
${SHARED_HELP}`

function shown({ line }: VerbCall, accounts: readonly AccountReport[]): readonly AccountReport[] {
  return hasFlag(line, "--show-labels") ? accounts : accounts.map(masked)
}

function queryOf({ line }: VerbCall): URLSearchParams {
  const query = new URLSearchParams()
  for (const name of ["state", "tag", "search"] as const) {
    const value = flagValue(line, `--${name}`)
    if (value !== undefined) query.set(name, value)
  }
  if (hasFlag(line, "--archived")) query.set("archived", "true")
  return query
}

function reportTrouble({ trouble }: AccountList, { io }: VerbCall): void {
  for (const { path, reasons } of trouble.broken) io.stderr(`not readable: ${path}: ${reasons.join("; ")}\n`)
  for (const { account, path, served_from } of trouble.duplicates) {
    io.stderr(`twice: ${account} is in ${path} too; ${served_from} is newer and counts\n`)
  }
}

function nothingText(query: URLSearchParams): string {
  if (query.size > 0) return "no account fits\n"
  return "no accounts yet: `sluice login` signs one in, `sluice accounts import FILE` takes in a list\n"
}

async function list(call: VerbCall): Promise<number> {
  const { line, io } = call
  if (line.positionals.length > 0) return wrongUsage(io, "list takes no account; `show` does")
  const query = queryOf(call)
  const state = query.get("state")
  if (state !== null && !ACCOUNT_STATES.some(known => known === state)) {
    const near = nearest(state, ACCOUNT_STATES)
    const meant = near === undefined ? `known are ${ACCOUNT_STATES.join(", ")}` : `did you mean "${near}"?`
    return wrongUsage(io, `--state: there is no "${state}"; ${meant}`)
  }
  const admin = await call.open()
  const found = await admin.list(query)
  const accounts = shown(call, found.accounts)
  if (hasFlag(line, "--json")) {
    sayJson(io, { where: admin.where, total: accounts.length, accounts, trouble: found.trouble })
    return 0
  }
  io.stdout(accounts.length === 0 ? nothingText(query) : accountTable(accounts, systemClock()))
  reportTrouble(found, call)
  return 0
}

async function show(call: VerbCall): Promise<number> {
  const { line, io } = call
  if (line.positionals.length === 0) return wrongUsage(io, "show needs an account: its id, e-mail, label or file name")
  const admin = await call.open()
  const found: AccountReport[] = []
  for (const name of line.positionals) found.push(await admin.show(name))
  const accounts = shown(call, found)
  if (hasFlag(line, "--json")) sayJson(io, { accounts })
  else io.stdout(accounts.map(account => accountBlock(account, systemClock())).join("\n"))
  return 0
}

/** `list`. */
export const listVerb: Verb = {
  help: LIST_HELP,
  flags: {
    "--archived": "switch",
    "--state": "value",
    "--tag": "value",
    "--search": "value",
    "--show-labels": "switch",
  },
  run: list,
}

/** `show`. */
export const showVerb: Verb = { help: SHOW_HELP, flags: { "--show-labels": "switch" }, run: show }
