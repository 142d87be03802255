/** Carries a plan out: first the original is safe beside the file, then the file changes. */

import { dirname } from "node:path"

import { readBytes } from "#cli/clients/client-files.ts"
import { GatewayError } from "#core/errors.ts"

import { backupPath, type Note, readNote, sha256, writeNote } from "./backup.ts"
import type { PlannedFile } from "./plan-files.ts"
import { makeFolders, modeOf, PRIVATE_MODE, writeFileWhole } from "./write-file.ts"

/** What became of a file. */
export type FileAction = "created" | "changed" | "unchanged"

/** What would become of a file. */
export function actionOf({ before, after }: PlannedFile): FileAction {
  if (before === undefined) return "created"
  return before === after ? "unchanged" : "changed"
}

/** Applies every file of the plan; a file that says it all already is not touched, nor is its backup. */
export async function applyFiles(planned: readonly PlannedFile[]): Promise<void> {
  for (const file of planned) if (actionOf(file) !== "unchanged") await applyFile(file)
}

async function applyFile({ path, before, after }: PlannedFile): Promise<void> {
  const original = await readBytes(path)
  if (sha256(original) !== sha256(before)) {
    throw new GatewayError("invalid-request", `${path} was changed by somebody else this very moment.`, {
      hint: "It was left alone. Run this again.",
    })
  }
  const folders = await makeFolders(dirname(path))
  const known = await readNote(path)
  const mode = original === undefined ? PRIVATE_MODE : await modeOf(path)
  const writtenSha256 = sha256(after)
  const originalSha256 = sha256(original)
  // Also where an undo was cut short: the original is in its place again, but its copy may be gone.
  if (known === undefined || known.originalSha256 === originalSha256) {
    if (original !== undefined) await writeFileWhole(backupPath(path), original, mode)
    const existed = original !== undefined
    const made = [...folders, ...(known?.folders ?? [])]
    await writeNote(path, {
      existed,
      mode: existed ? mode : 0,
      originalSha256,
      writtenSha256,
      isMixed: false,
      folders: made,
    })
  } else {
    await writeNote(path, { ...known, writtenSha256, isMixed: known.isMixed || !isKnown(known, originalSha256) })
  }
  await writeFileWhole(path, after, mode)
}

/** True for what a setup has written and for the original itself. */
export function isKnown({ writtenSha256, originalSha256 }: Note, hash: string): boolean {
  return hash === writtenSha256 || hash === originalSha256
}
