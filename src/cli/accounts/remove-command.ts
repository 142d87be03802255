/** `sluice accounts remove`: takes accounts out of `auth-dir`. */

import { type RemovedFrom, removeAccount } from "#accounts/remove-account.ts"
import type { CommandIo } from "#cli/command.ts"
import { type Account, maskLabel } from "#core/account.ts"

import { hasFlag, type OpenedAccounts, pickAccounts, withAccounts, wrongUsage } from "./open-accounts.ts"

/** Every file that holds the account: after removing one, the other would serve. */
function pathsOf({ duplicates }: OpenedAccounts, account: Account): readonly string[] {
  const others = duplicates.filter(one => one.accountId === account.id).flatMap(one => [one.path, one.servedFrom])
  return [...new Set([account.source.path, ...others])]
}

type Removal = { readonly id: string; readonly label: string; readonly files: readonly Partial<RemovedFrom>[] }

async function removeOne(opened: OpenedAccounts, account: Account): Promise<Removal> {
  const files: RemovedFrom[] = []
  for (const path of pathsOf(opened, account)) files.push(await removeAccount(account, path))
  return { id: account.id, label: maskLabel(account.label), files }
}

function planOne(opened: OpenedAccounts, account: Account): Removal {
  return { id: account.id, label: maskLabel(account.label), files: pathsOf(opened, account).map(path => ({ path })) }
}

async function runOn(opened: OpenedAccounts, io: CommandIo): Promise<number> {
  const { line } = opened
  const { picked, complaint } = pickAccounts(opened, line.positionals)
  if (complaint !== undefined) {
    io.stderr(`sluice accounts: ${complaint}\n`)
    return 1
  }
  const isReal = hasFlag(line, "--yes") && !hasFlag(line, "--dry-run")
  const removals: Removal[] = []
  for (const account of picked) removals.push(isReal ? await removeOne(opened, account) : planOne(opened, account))
  if (hasFlag(line, "--json")) io.stdout(`${JSON.stringify({ removed: isReal, accounts: removals }, undefined, 2)}\n`)
  else {
    for (const { id, label, files } of removals) {
      for (const { path, what = "would be removed from" } of files)
        io.stdout(`${id} ${label}: ${what}: ${path ?? ""}\n`)
    }
  }
  if (isReal || hasFlag(line, "--dry-run")) return 0
  return wrongUsage(io, "nothing was removed: add --yes to do it, or --dry-run to only look")
}

/** Runs `remove`. */
export function runRemove(args: readonly string[], io: CommandIo): Promise<number> {
  return withAccounts(args, { "--yes": "switch", "--dry-run": "switch" }, io, async opened => {
    if (opened.line.positionals.length === 0)
      return wrongUsage(io, "remove needs an account: its id, e-mail or file name")
    return runOn(opened, io)
  })
}
