/** The first look at a directory of account files: nothing else waits for this thread at start, so files are read at once. */

import type { CredentialMemory } from "#accounts/account-from-draft.ts"
import type { Clock } from "#core/clock.ts"

import {
  inParallel,
  listAccountFilesNow,
  type ReadFile,
  readAccountFile,
  readAccountFileNow,
} from "./directory-files.ts"

/** What the look needs. */
export type FirstLookParts = {
  readonly path: string
  readonly memory: CredentialMemory
  readonly clock: Clock
  /** True for a path that somebody else reads. */
  readonly isLeftOut: (path: string) => boolean
}

/**
 * A thousand files on a local disk take about 15 ms one by one and three times that through promises. A network file
 * system answers so late that waiting for many files at a time wins: it gets what is left after this time.
 */
const AT_ONCE_MS = 100

/** Files between two looks at the clock. */
const BATCH = 32

/** Reads every account file in order of name; undefined when the directory does not exist. */
export async function firstLook(parts: FirstLookParts): Promise<readonly ReadFile[] | undefined> {
  const { path, memory, clock, isLeftOut } = parts
  const paths = listAccountFilesNow(path)?.filter(file => !isLeftOut(file))
  if (paths === undefined) return undefined
  const endsAtMs = clock() + AT_ONCE_MS
  const read: (ReadFile | undefined)[] = []
  let next = 0
  while (next < paths.length && clock() < endsAtMs) {
    for (const file of paths.slice(next, next + BATCH)) read.push(readAccountFileNow(file, memory))
    next += BATCH
  }
  read.push(...(await inParallel(paths.slice(next), file => readAccountFile(file, memory))))
  return read.filter(file => file !== undefined)
}
