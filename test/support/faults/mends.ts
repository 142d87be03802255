/** All recorded mends, read from `test/faults/mends`: a new file there needs no line anywhere. */

import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"

import type { Mend } from "../../faults/mends/mend.ts"
import { ROOT } from "../source-tree.ts"
import type { FaultTest } from "./fault-tests.ts"

/** A mend and the area its file is named after, e.g. `quota`. */
export type RecordedMend = Mend & { readonly area: string }

/** Loads them, by number. Rejects for a file that exports no list of mends. */
export async function loadMends(): Promise<readonly RecordedMend[]> {
  const files = [...new Bun.Glob("test/faults/mends/*.ts").scanSync({ cwd: ROOT })].sort()
  const lists = await Promise.all(files.filter(file => !file.endsWith("/mend.ts")).map(loadFile))
  return lists.flat().toSorted((one, other) => one.fault - other.fault)
}

async function loadFile(file: string): Promise<readonly RecordedMend[]> {
  const area = file.replace(/^.*\/|\.ts$/g, "")
  const exports: Readonly<Record<string, unknown>> = await import(join(ROOT, file))
  const lists = Object.entries(exports).filter(([name]) => name.endsWith("_MENDS"))
  if (lists.length === 0) throw new Error(`${file} exports no list that is named …_MENDS`)
  // The files are typed as lists of mends, and the type check reads them.
  return lists.flatMap(([, list]) => (list as readonly Mend[]).map(mend => ({ ...mend, area })))
}

/** Says in a sentence what is wrong with the place a mend names; undefined when it can be taken out of that checkout. */
export function staleMend(
  { file, find, replace }: Pick<Mend, "file" | "find" | "replace">,
  root: string,
): string | undefined {
  const path = join(root, file)
  if (!existsSync(path)) return `${file} does not exist`
  const times = readFileSync(path, "utf8").split(find).length - 1
  if (times !== 1) return `what is to be found occurs ${times} times in ${file}, and not once`
  return find === replace ? `nothing of ${file} is replaced` : undefined
}

/** Says in a sentence what is wrong with a record; undefined when it can be taken out and tried. */
export function faultOfRecord(mend: Mend, tests: readonly FaultTest[]): string | undefined {
  const { fault, test } = mend
  const stale = staleMend(mend, ROOT)
  if (stale !== undefined) return stale
  if (!existsSync(join(ROOT, test))) return `${test} does not exist`
  if (tests.some(one => one.fault === fault && one.file === test)) return undefined
  return `${test} has no title that begins with "fault ${fault}: "`
}
