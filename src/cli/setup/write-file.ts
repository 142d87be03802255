/** Writes and removes files of clients: whole or not at all, with the permissions and the owner they had. */

import { chmod, chown, mkdir, open, realpath, rename, rm, rmdir, stat } from "node:fs/promises"
import { basename, dirname, join } from "node:path"

import { GatewayError } from "#core/errors.ts"

/** Permissions of a file that did not exist: it holds a key. */
export const PRIVATE_MODE = 0o600

/** Permission bits of an existing file. */
export async function modeOf(path: string): Promise<number> {
  return (await stat(path)).mode & 0o7777
}

/**
 * Replaces or creates a file: a temporary file beside it, then a rename. A link stays a link, and its target gets the bytes.
 * Rejects with what to do; the old file is then as it was.
 */
export async function writeFileWhole(path: string, bytes: string | Uint8Array, mode: number): Promise<void> {
  const target = await realpath(path).catch(() => path)
  const temporary = join(
    dirname(target),
    `.${basename(target)}.${crypto.getRandomValues(new Uint8Array(6)).toHex()}.tmp`,
  )
  try {
    const owner = await ownerFor(target)
    const handle = await open(temporary, "wx", PRIVATE_MODE)
    try {
      await handle.writeFile(bytes)
      if (process.getuid?.() === 0) await handle.chown(owner.uid, owner.gid)
      // Not with the opening, which the process' mask would cut.
      await handle.chmod(mode)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, target)
  } catch (cause) {
    await rm(temporary, { force: true })
    throw unwritable(path, cause)
  }
}

/** Removes a file; one that is gone already is fine. */
export async function removeFile(path: string): Promise<void> {
  try {
    await rm(path, { force: true })
  } catch (cause) {
    throw unwritable(path, cause)
  }
}

/** Makes the folder and returns those that had to be made, the innermost first. */
export async function makeFolders(folder: string): Promise<readonly string[]> {
  const missing: string[] = []
  for (let at = folder; (await stat(at).catch(() => undefined)) === undefined && dirname(at) !== at; at = dirname(at)) {
    missing.push(at)
  }
  try {
    const owner = await ownerFor(missing.at(-1) ?? folder)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    if (process.getuid?.() === 0) for (const one of missing) await chown(one, owner.uid, owner.gid)
    for (const one of missing) await chmod(one, 0o700)
  } catch (cause) {
    throw unwritable(folder, cause)
  }
  return missing
}

/** Removes folders that are empty; the others have come into use meanwhile. */
export async function removeEmptyFolders(folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    try {
      await rmdir(folder)
    } catch (cause) {
      const code = cause instanceof Error && "code" in cause ? cause.code : undefined
      if (code === "ENOTEMPTY" || code === "EEXIST") return
      if (code !== "ENOENT") throw unwritable(folder, cause)
    }
  }
}

/** Its own, or that of the folder it is going to lie in: what root writes into a home belongs to whose home it is. */
async function ownerFor(path: string): Promise<{ readonly uid: number; readonly gid: number }> {
  const { uid, gid } = await stat(path).catch(() => stat(dirname(path)))
  return { uid, gid }
}

function unwritable(path: string, cause: unknown): GatewayError {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown reason"
  return new GatewayError("invalid-request", `${path} cannot be written (${code}).`, {
    hint: "What had been written before it can be taken back with --undo. Check the folder's permissions and the free space.",
    cause,
  })
}
