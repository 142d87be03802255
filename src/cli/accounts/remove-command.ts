/** `sluice accounts remove`: deletes accounts for good. */

import type { AdminClient } from "#cli/admin/admin-client.ts"
import { maskLabel } from "#core/account.ts"
import type { AccountReport } from "#gateway/desk/account-report.ts"
import type { RemovedAccount } from "#http/admin/accounts.ts"

import { hasFlag, SHARED_HELP, sayJson, type Verb, type VerbCall, wrongUsage } from "./verb.ts"

const HELP = `sluice accounts remove ACCOUNT … --yes [--dry-run] [--json]

Deletes accounts for good: their rows in the database, their files, or their entries where a file holds others too. Nothing
without --yes. \`sluice accounts archive\` takes an account out of use and has a way back.

  --yes             really deletes
  --dry-run         only says what would be deleted
${SHARED_HELP}`

const WAY_BACK = "`sluice accounts archive` takes it out of use and can be taken back"

function linesOf({ id, files, was_stored }: RemovedAccount, label: string): readonly string[] {
  const places = [
    ...files.map(({ path, what }) => `${what}: ${path}`),
    ...(was_stored ? ["deleted from the database"] : []),
  ]
  return (places.length === 0 ? ["was gone already"] : places).map(place => `${id} ${label}: ${place}\n`)
}

function plannedLine({ id, label, source }: AccountReport): string {
  const place = source.type === "file" ? (source.file ?? "its file") : "the database"
  return `${id} ${maskLabel(label)}: would be deleted from ${place}\n`
}

/** Rejects for a name that fits none, before anything is deleted. */
async function lookUp(admin: AdminClient, names: readonly string[]): Promise<ReadonlyMap<string, AccountReport>> {
  const found = new Map<string, AccountReport>()
  for (const name of names) {
    const account = await admin.show(name)
    found.set(account.id, account)
  }
  return found
}

function sayPlan(accounts: ReadonlyMap<string, AccountReport>, { line, io }: VerbCall): void {
  const planned = [...accounts.values()]
  if (!hasFlag(line, "--json")) {
    for (const one of planned) io.stdout(plannedLine(one))
    return
  }
  const shown = planned.map(({ id, label, source }) => ({ id, label: maskLabel(label), source }))
  sayJson(io, { removed: false, accounts: shown })
}

function sayRemoved(
  removed: readonly RemovedAccount[],
  accounts: ReadonlyMap<string, AccountReport>,
  { line, io }: VerbCall,
): void {
  const shown = removed.map(one => ({ ...one, label: maskLabel(accounts.get(one.id)?.label ?? "") }))
  if (hasFlag(line, "--json")) sayJson(io, { removed: true, accounts: shown })
  else for (const one of shown) for (const text of linesOf(one, one.label)) io.stdout(text)
}

async function remove(call: VerbCall): Promise<number> {
  const { line, io } = call
  if (line.positionals.length === 0)
    return wrongUsage(io, "remove needs an account: its id, e-mail, label or file name")
  const admin = await call.open()
  const accounts = await lookUp(admin, line.positionals)
  if (hasFlag(line, "--yes") && !hasFlag(line, "--dry-run")) {
    // By id: a name may fit another account by now.
    sayRemoved(await admin.remove([...accounts.keys()]), accounts, call)
    return 0
  }
  sayPlan(accounts, call)
  if (hasFlag(line, "--dry-run")) return 0
  return wrongUsage(io, `nothing was deleted: add --yes to delete for good; ${WAY_BACK}`)
}

/** `remove`. */
export const removeVerb: Verb = { help: HELP, flags: { "--yes": "switch", "--dry-run": "switch" }, run: remove }
