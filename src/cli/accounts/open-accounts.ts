/** What every `sluice accounts` verb begins with: its flags, the configured folders, the accounts in them. */

import { basename } from "node:path"

import { readAccountDirectory } from "#accounts/account-directory.ts"
import { type CredentialMemory, NO_MEMORY } from "#accounts/account-from-draft.ts"
import type { Roster } from "#accounts/account-roster.ts"
import type { CommandIo } from "#cli/command.ts"
import { namedFiles } from "#cli/compose/name-sources.ts"
import { readKeptCredentials } from "#cli/compose/read-kept-credentials.ts"
import { configLoader } from "#cli/config-loader.ts"
import { type CommandLine, type OwnFlags, readCommandLine } from "#config/flag-layer.ts"
import { formatProblem } from "#config/problem.ts"
import { type Account, maskLabel } from "#core/account.ts"

/** The accounts as they are now. `line.positionals` are the verb's own arguments. */
export type OpenedAccounts = Roster & {
  readonly line: CommandLine
  readonly authDir: string
  readonly memory: CredentialMemory
  readonly broken: readonly { readonly path: string; readonly reasons: readonly string[] }[]
}

const SHARED_FLAGS: OwnFlags = { "--json": "switch", "--files-only": "switch" }

/** Says what is wrong with the arguments and returns the exit code for that. */
export function wrongUsage(io: CommandIo, message: string): 2 {
  io.stderr(`sluice accounts: ${message}\n  \`sluice accounts --help\` shows how it is used.\n`)
  return 2
}

/** True when the flag was given. */
export function hasFlag(line: CommandLine, flag: `--${string}`): boolean {
  return line.own.has(flag)
}

/** The value of a flag, if given. */
export function flagValue(line: CommandLine, flag: `--${string}`): string | undefined {
  const value = line.own.get(flag)
  return typeof value === "string" ? value : undefined
}

type Work = (opened: OpenedAccounts) => Promise<number>

/**
 * Runs `work` on the accounts in `auth-dir` and returns its exit code, or the code for wrong flags (2) or a bad
 * configuration (1). The database is read beside its owner and closed afterwards.
 */
export function withAccounts(args: readonly string[], flags: OwnFlags, io: CommandIo, work: Work): Promise<number> {
  return openAndRun({ args, flags, io, work, sourcesOf: () => [] })
}

/** As {@link withAccounts}, with the files that are named elsewhere in the configuration; for those who only look. */
export function withAllAccounts(args: readonly string[], flags: OwnFlags, io: CommandIo, work: Work): Promise<number> {
  return openAndRun({ args, flags, io, work, sourcesOf: namedFiles })
}

type Opening = {
  readonly args: readonly string[]
  readonly flags: OwnFlags
  readonly io: CommandIo
  readonly work: Work
  readonly sourcesOf: typeof namedFiles
}

async function openAndRun({ args, flags, io, work, sourcesOf }: Opening): Promise<number> {
  const line = readCommandLine(args, { ...SHARED_FLAGS, ...flags })
  const [problem] = line.layer.problems
  if (problem !== undefined) return wrongUsage(io, formatProblem(problem))
  const result = await configLoader(line, io).load()
  if (result.type === "refused") {
    for (const one of result.problems) io.stderr(`${formatProblem(one)}\n`)
    return 1
  }
  const { config } = result.loaded
  const { authDir } = config
  const kept = hasFlag(line, "--files-only") ? undefined : await readKeptCredentials(config, io.env)
  try {
    const memory = kept?.memory ?? NO_MEMORY
    const directory = await readAccountDirectory(authDir, memory, sourcesOf(config))
    return await work({ ...directory, line, authDir, memory })
  } finally {
    kept?.close()
  }
}

/** The accounts that the names mean (ids, e-mails, labels or file names), or the names that mean none or several. */
export function pickAccounts(
  { accounts }: Pick<Roster, "accounts">,
  names: readonly string[],
): { readonly picked: readonly Account[]; readonly complaint?: string } {
  const picked = new Set<Account>()
  for (const name of names) {
    const wanted = name.toLowerCase()
    const found = [...accounts.values()].filter(account => answersTo(account, wanted))
    const [only] = found
    if (only === undefined) return { picked: [], complaint: `no account is called "${maskLabel(name)}"` }
    if (found.length > 1)
      return { picked: [], complaint: `several accounts fit: ${found.map(one => one.id).join(", ")}` }
    picked.add(only)
  }
  return { picked: [...picked] }
}

function answersTo({ id, email, label, source }: Account, wanted: string): boolean {
  return [id, email, label, basename(source.path)].some(name => name?.toLowerCase() === wanted)
}
