/** Works out what a client's files will say, without touching any of them. */

import { lstat } from "node:fs/promises"

import type { FileChange } from "#cli/clients/client.ts"
import { parseFile, readText } from "#cli/clients/client-files.ts"
import { GatewayError } from "#core/errors.ts"

/** One file: what it says and what it is going to say. `before` absent = there is no such file. */
export type PlannedFile = { readonly path: string; readonly before: string | undefined; readonly after: string }

/** Plans every change, or rejects for the first file that is broken or cannot be changed safely. */
export async function planFiles(changes: readonly FileChange[]): Promise<readonly PlannedFile[]> {
  const planned: PlannedFile[] = []
  for (const change of changes) planned.push(await planFile(change))
  return planned
}

async function planFile({ path, read, edit, expect }: FileChange): Promise<PlannedFile> {
  const before = await readText(path)
  if (before === undefined) await refuseDeadLink(path)
  const content = parseFile(path, before ?? "", read)
  const wanted = expect(content)
  if (before !== undefined && Bun.deepEquals(content, wanted)) return { path, before, after: before }
  const after = tried(() => edit(before ?? ""))
  // The edit works on text; whether it says what it should, and nothing else than before, is read from its result.
  if (
    after !== undefined &&
    Bun.deepEquals(
      tried(() => read(after)),
      wanted,
    )
  )
    return { path, before, after }
  throw new GatewayError("invalid-request", `${path} is written in a form that cannot be changed safely.`, {
    hint: "Nothing was changed. Put the lines in by hand; docs/clients shows them for every client.",
  })
}

/** Undefined for a text that the edit has broken, which `planFile` then refuses. */
function tried<Result>(work: () => Result): Result | undefined {
  try {
    return work()
  } catch (cause) {
    if (cause instanceof GatewayError) return undefined
    throw cause
  }
}

async function refuseDeadLink(path: string): Promise<void> {
  const entry = await lstat(path).catch(() => undefined)
  if (entry?.isSymbolicLink() !== true) return
  throw new GatewayError("invalid-request", `${path} is a link to a file that does not exist.`, {
    hint: "Nothing was changed. Make the file it leads to, or remove the link.",
  })
}
