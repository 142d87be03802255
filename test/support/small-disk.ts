/** A small file system of its own for tests of a full or read-only disk; needs the right to mount, which root has. */

import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** A mounted folder. */
export type SmallDisk = {
  readonly path: string
  /** Leaves no byte free. */
  readonly fill: () => void
  readonly free: () => void
  readonly makeReadOnly: () => void
  readonly makeWritable: () => void
  /** Puts an ordinary folder with the same content in its place. */
  readonly unmount: () => void
}

function run(...command: readonly string[]): void {
  const { success, stderr } = Bun.spawnSync([...command], { stdout: "ignore", stderr: "pipe" })
  if (!success) throw new Error(`${command.join(" ")}: ${stderr.toString()}`)
}

const FILLER = ".filler"

/** Mounts an empty file system of so many bytes at `path`, which is made if it is missing. */
export function mountSmallDisk(path: string, sizeBytes: number): SmallDisk {
  mkdirSync(path, { recursive: true })
  run("mount", "-t", "tmpfs", "-o", `size=${sizeBytes},mode=0700`, "tmpfs", path)
  const filler = join(path, FILLER)
  return {
    path,
    fill: () => {
      // Halving the pieces down to one byte takes the last page, too.
      for (let piece = 65_536; piece >= 1; piece = Math.floor(piece / 2)) {
        while (append(filler, piece));
      }
    },
    free: () => rmSync(filler, { force: true }),
    makeReadOnly: () => run("mount", "-o", "remount,ro", path),
    makeWritable: () => run("mount", "-o", "remount,rw", path),
    unmount: () => {
      const copy = mkdtempSync(`${path}-`)
      cpSync(path, copy, { recursive: true })
      run("umount", path)
      rmSync(path, { recursive: true })
      renameSync(copy, path)
    },
  }
}

/** False when there was no room. */
function append(path: string, bytes: number): boolean {
  const before = sizeOf(path)
  try {
    writeFileSync(path, Buffer.alloc(bytes, 1), { flag: "a" })
    return sizeOf(path) === before + bytes
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOSPC") return false
    throw error
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}

/** True when this process may mount: elsewhere such a test is passed over. */
export function canMount(): boolean {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return false
  const probe = mkdtempSync(join(tmpdir(), "mount-probe-"))
  try {
    mountSmallDisk(probe, 65_536).unmount()
    return true
  } catch {
    // A container without the right to mount.
    return false
  } finally {
    rmSync(probe, { recursive: true, force: true })
  }
}
