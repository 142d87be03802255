/** A copy of the checkout in which a mend can be taken out without harm. */

import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join, resolve } from "node:path"

import type { Mend } from "../../test/faults/mends/mend.ts"

const ROOT = resolve(import.meta.dir, "..", "..")

/** The copy; disposing of it removes it. */
export type ScratchCheckout = AsyncDisposable & {
  readonly folder: string
  /** Where its tests put their own folders. */
  readonly temporary: string
  /** Runs `step` while the mend is out, and puts it back. */
  readonly without: <Result>(mend: Mend, step: () => Promise<Result>) => Promise<Result>
  /** Ends the process with the copy: called when the copy goes, or the user interrupts. */
  readonly onEnd: (end: () => void) => () => void
}

/** Copies what Git knows and what it would add; packages are linked. Rejects when Git cannot be asked. */
export async function makeScratchCheckout(): Promise<ScratchCheckout> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-mends-"))
  const ends = new Set<() => void>()
  const remove = () => {
    for (const end of ends) end()
    rmSync(folder, { recursive: true, force: true })
  }
  const interrupted = () => {
    remove()
    process.exit(130)
  }
  process.once("SIGINT", interrupted).once("SIGTERM", interrupted)
  for (const path of await listFiles()) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    copyFileSync(join(ROOT, path), join(folder, path))
  }
  const temporary = join(folder, "tmp")
  mkdirSync(temporary)
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"))
  return {
    folder,
    temporary,
    without: async ({ file, find, replace }, step) => {
      const path = join(folder, file)
      const whole = readFileSync(path, "utf8")
      writeFileSync(path, whole.split(find).join(replace))
      try {
        return await step()
      } finally {
        writeFileSync(path, whole)
      }
    },
    onEnd: end => {
      ends.add(end)
      return () => {
        ends.delete(end)
      }
    },
    [Symbol.asyncDispose]: async () => {
      process.off("SIGINT", interrupted).off("SIGTERM", interrupted)
      remove()
    },
  }
}

async function listFiles(): Promise<readonly string[]> {
  const command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
  const child = Bun.spawn(command, { cwd: ROOT, stdin: "ignore", stdout: "pipe", stderr: "inherit" })
  const text = await new Response(child.stdout).text()
  if ((await child.exited) !== 0) throw new Error("git could not list the files of the checkout")
  const listed = text.split("\0").filter(path => path !== "")
  // A deleted file is listed until its deletion is committed.
  const exist = await Promise.all(listed.map(path => Bun.file(join(ROOT, path)).exists()))
  return listed.filter((_, index) => exist[index])
}
