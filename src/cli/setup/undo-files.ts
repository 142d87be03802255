/** Takes setups back: every file gets the bytes and permissions it had before the first one. */

import { readBytes } from "#cli/clients/client-files.ts"
import { GatewayError } from "#core/errors.ts"

import { isKnown } from "./apply-files.ts"
import { backupPath, type Note, notePath, readNote, sha256 } from "./backup.ts"
import { modeOf, removeEmptyFolders, removeFile, writeFileWhole } from "./write-file.ts"

/** What becomes of a file. */
export type UndoAction = "restored" | "removed" | "nothing to undo"

/** One file of an undo. */
export type UndoneFile = {
  readonly path: string
  readonly action: UndoAction
  /** Where a version that somebody else had changed was put. */
  readonly keptAs?: string
}

type Undo = {
  readonly path: string
  readonly note: Note
  readonly original: Uint8Array<ArrayBuffer> | undefined
  /** Bytes that neither we nor the original have; they are kept beside the file. */
  readonly foreign: Uint8Array<ArrayBuffer> | undefined
}

/** Says what an undo would do, or does it. Rejects, with nothing touched, for files that were changed since, unless forced. */
export async function undoFiles(
  paths: readonly string[],
  { force, dryRun }: { readonly force: boolean; readonly dryRun: boolean },
): Promise<readonly UndoneFile[]> {
  const undos = await Promise.all(paths.map(path => readUndo(path, force)))
  const results: UndoneFile[] = []
  for (const [index, path] of paths.entries()) {
    const undo = undos[index]
    if (undo === undefined) {
      results.push({ path, action: "nothing to undo" })
      continue
    }
    if (!dryRun) await carryOut(undo)
    const action = undo.note.existed ? "restored" : "removed"
    results.push({ path, action, ...(undo.foreign !== undefined && { keptAs: keptPath(path) }) })
  }
  // At the end, because several files may lie in a folder that was made for the first of them.
  if (!dryRun) await removeEmptyFolders(undos.flatMap(undo => undo?.note.folders ?? []))
  return results
}

async function readUndo(path: string, force: boolean): Promise<Undo | undefined> {
  const note = await readNote(path)
  if (note === undefined) return undefined
  const current = await readBytes(path)
  const kept = note.existed ? await readBytes(backupPath(path)) : undefined
  // Where an undo was cut short the original may be in its place again, and its copy gone.
  const original = sha256(current) === note.originalSha256 ? current : kept
  if (sha256(original) !== note.originalSha256) {
    throw new GatewayError("invalid-request", `${backupPath(path)} is not the original any more, or is gone.`, {
      hint: `Nothing was changed. Look at it, put ${path} right by hand, and remove ${notePath(path)}.`,
    })
  }
  const isOurs = isKnown(note, sha256(current)) && !note.isMixed
  if (!isOurs && !force) throw changedSince(path, note)
  return { path, note, original, foreign: isOurs ? undefined : current }
}

function changedSince(path: string, { existed }: Note): GatewayError {
  const other = existed ? `the original is in ${backupPath(path)}` : "there was no such file before"
  return new GatewayError("invalid-request", `${path} has been changed since it was set up.`, {
    hint: `Nothing was undone. Take the gateway's lines out by hand (${other}), or use --force: it restores the original and keeps the present file as ${keptPath(path)}.`,
  })
}

function keptPath(path: string): string {
  return `${path}.after-sluice`
}

async function carryOut({ path, note, original, foreign }: Undo): Promise<void> {
  if (foreign !== undefined) await writeFileWhole(keptPath(path), foreign, await modeOf(path))
  if (original === undefined) await removeFile(path)
  else await writeFileWhole(path, original, note.mode)
  // The note goes last: as long as it is there, the undo can be run again.
  await removeFile(backupPath(path))
  await removeFile(notePath(path))
}
