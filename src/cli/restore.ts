/** `sluice restore`: puts a backup in the place of the database. */

import { resolve } from "node:path"

import { readCommandLine } from "#config/flag-layer.ts"
import { formatProblem } from "#config/problem.ts"

import { sayJson, wrongUsage } from "./accounts/verb.ts"
import { giveToOwner } from "./admin/give-to-owner.ts"
import type { Command, CommandIo } from "./command.ts"
import { keyPlace } from "./compose/key-place.ts"
import { type Restored, restoreStore } from "./compose/restore-store.ts"
import { configLoader } from "./config-loader.ts"

const HELP = `sluice restore FILE [--json] [--config FILE] [--<key> VALUE …]

Puts a backup that \`sluice backup\` has written in the place of core.db in \`data-dir\`. Stop the gateway first: while one
has the folder, nothing happens. The file is read whole and the master key tried before anything is touched; what it
replaces is kept in a folder \`replaced-<time>\` beside it. A restore that is interrupted is finished by the next start.

A refresh token works once: accounts whose token was renewed after the backup may need a new sign-in.

  --json          machine-readable output
  --config FILE   the configuration that names \`data-dir\` and the key
  --<key> VALUE   any setting, as for \`serve\`
`

async function restore(args: readonly string[], io: CommandIo): Promise<number> {
  const line = readCommandLine(args, { "--json": "switch" })
  const [problem] = line.layer.problems
  if (problem !== undefined) return wrongUsage(io, formatProblem(problem), "restore")
  const [file, ...more] = line.positionals
  if (file === undefined || more.length > 0) return wrongUsage(io, "needs the file of one backup", "restore")
  const result = await configLoader(line, io).load()
  if (result.type === "refused") {
    for (const one of result.problems) io.stderr(`${formatProblem(one)}\n`)
    return 1
  }
  const { config } = result.loaded
  const owner = giveToOwner(config.dataDir)
  const restored = await restoreStore({
    dataDir: config.dataDir,
    slots: keyPlace(config, io.env),
    file: resolve(io.cwd, file),
    onStep: what => {
      if (io.isTerminal) io.stderr(`${what}\n`)
    },
  })
  owner.give()
  if (line.own.has("--json")) sayJson(io, { ...restored, replaced: restored.replaced ?? null })
  else io.stdout(report(restored))
  return 0
}

function report({ accounts, credentials, replaced }: Restored): string {
  const kept = replaced === undefined ? "" : `What it replaced is in ${replaced}; delete it once all is well.\n`
  return `restored: ${accounts} accounts of the database, ${credentials} credentials\n${kept}Accounts whose token was renewed after the backup may need \`sluice login\`; the log of the next start names them.\n`
}

/** The `restore` verb. */
export const restoreCommand: Command = {
  name: "restore",
  summary: "put a backup in the place of the database",
  help: HELP,
  run: restore,
}
