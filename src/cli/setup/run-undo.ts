/** One undo from the client's files to what is said about it. */

import type { ClientPlace } from "#cli/clients/client.ts"
import type { CommandIo } from "#cli/command.ts"
import type { CommandLine } from "#config/flag-layer.ts"

import type { SetupClient } from "./run-setup.ts"
import { undoFiles } from "./undo-files.ts"

/** Whose setup to take back, and how. */
export type UndoCall = {
  readonly client: SetupClient
  readonly place: ClientPlace
  readonly line: CommandLine
  readonly io: CommandIo
}

/** Takes it back and returns the exit code. Rejects with nothing touched when a file has been changed since. */
export async function runUndo({ client, place, line, io }: UndoCall): Promise<number> {
  const dryRun = line.own.has("--dry-run")
  const undone = await undoFiles(client.setup.files(place), { force: line.own.has("--force"), dryRun })
  const files = undone.filter(({ action }) => action !== "nothing to undo")
  if (line.own.has("--json")) {
    io.stdout(`${JSON.stringify({ client: client.name, dryRun, files }, undefined, 2)}\n`)
    return 0
  }
  const lines = files.map(({ path, action, keptAs }) => {
    const kept = keptAs === undefined ? "" : `  (the version until now: ${keptAs})`
    return `  ${action.padEnd(8)}  ${path}${kept}`
  })
  const head = files.length === 0 ? `${client.title}: there is nothing to undo` : client.title
  io.stdout(`${[`${head}${dryRun && files.length > 0 ? " (nothing is changed)" : ""}`, ...lines].join("\n")}\n`)
  return 0
}
