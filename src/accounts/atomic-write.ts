/** Replaces and creates files so that readers and crashes see the old text or the new one, never half of one. */

import { link, open, realpath, rename, rm, stat } from "node:fs/promises"
import { basename, dirname, join } from "node:path"

/** Syncs a directory, which makes a rename inside it last. */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, "r")
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** The owner of an existing file, so that a gateway running as root does not take a user's file away. */
async function ownerOf(path: string): Promise<{ readonly uid: number; readonly gid: number }> {
  const { uid, gid } = await stat(path)
  return { uid, gid }
}

async function writeSynced(path: string, text: string, owner: { uid: number; gid: number }): Promise<void> {
  const handle = await open(path, "wx", 0o600)
  try {
    if (process.getuid?.() === 0) await handle.chown(owner.uid, owner.gid)
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** True for a file mounted on its own: it can be written but not be replaced. */
function isMountPoint(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "EBUSY" || error.code === "EXDEV")
}

async function overwriteSynced(path: string, text: string): Promise<void> {
  const handle = await open(path, "r+")
  try {
    await handle.truncate(0)
    await handle.write(text, 0)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** A name beside `target`, hidden and not ending in `.json`: the directory watcher must not take it for an account file. */
function temporaryBeside(target: string): string {
  return join(dirname(target), `.${basename(target)}.${crypto.getRandomValues(new Uint8Array(6)).toHex()}.tmp`)
}

/**
 * Replaces the existing file at `path` (the target of a symbolic link, not the link) with mode 0600: temporary file in the
 * same directory, fsync, rename, fsync of the directory. A single mounted file, which cannot be renamed over, is
 * overwritten in place. Rejects with the system's error; the old file is then as it was, except in that last case.
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  const target = await realpath(path)
  const temporary = temporaryBeside(target)
  try {
    await writeSynced(temporary, text, await ownerOf(target))
    await rename(temporary, target)
  } catch (error) {
    await rm(temporary, { force: true })
    if (!isMountPoint(error)) throw error
    await overwriteSynced(target, text)
  }
  await syncDirectory(dirname(target))
}

/**
 * Creates the file at `path` with mode 0600 and the folder's owner, complete from its first moment on; a file that is
 * there already stays as it is. Rejects with the system's error.
 */
export async function createFile(path: string, text: string): Promise<"created" | "exists"> {
  const temporary = temporaryBeside(path)
  const owner = await ownerOf(dirname(path))
  try {
    await writeSynced(temporary, text, owner)
    // A rename would replace what is there; a link does not.
    await linkOrWrite(temporary, path, () => writeSynced(path, text, owner))
  } catch (error) {
    if (codeOf(error) === "EEXIST") return "exists"
    throw error
  } finally {
    await rm(temporary, { force: true })
  }
  await syncDirectory(dirname(path))
  return "created"
}

/** Some file systems know no links; there a file that is being written is what readers may meet. */
async function linkOrWrite(from: string, path: string, write: () => Promise<void>): Promise<void> {
  try {
    await link(from, path)
  } catch (error) {
    if (codeOf(error) === "EEXIST") throw error
    await write()
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined
}
