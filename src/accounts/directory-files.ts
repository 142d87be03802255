/** The account files of a directory: their names, stamps and contents. */

import { readdir, readFile, stat } from "node:fs/promises"

import type { Account } from "#core/account.ts"
import { GatewayError } from "#core/errors.ts"

import { accountFromDraft, type CredentialMemory, type ResolvedAccount, resolveAccount } from "./account-from-draft.ts"
import type { FileFault } from "./formats/account-draft.ts"
import { parseAccountFile } from "./formats/parse-account-file.ts"

/** A file's name and a text that changes whenever its content may have changed. */
export type FileStamp = { readonly path: string; readonly stamp: string }

/** What a file came to. A file with faults may still hold good accounts. */
export type LoadedFile = {
  readonly path: string
  readonly resolved: readonly ResolvedAccount[]
  readonly faults: readonly FileFault[]
}

/** Files opened at a time; more gains nothing and costs descriptors. */
const PARALLEL = 32

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR")
}

/** Runs `work` over all items, at most {@link PARALLEL} at a time; results in the order of the items. */
export async function inParallel<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = new Array(items.length)
  const queue = items.entries()
  const worker = async (): Promise<void> => {
    // All workers draw from the same iterator.
    for (const [index, item] of queue) results[index] = await work(item)
  }
  await Promise.all(Array.from({ length: Math.min(PARALLEL, items.length) }, worker))
  return results
}

/** Account files end in `.json`; hidden files and `*.json.disabled` do not count. */
function isAccountFileName(name: string): boolean {
  return name.endsWith(".json") && !name.startsWith(".")
}

async function stampFile(path: string): Promise<FileStamp | undefined> {
  try {
    const found = await stat(path, { bigint: true })
    if (found.isDirectory()) return undefined
    return { path, stamp: `${found.ino}:${found.size}:${found.mtimeNs}` }
  } catch (error) {
    // Gone between listing and looking: as if it had never been listed.
    if (isMissing(error)) return undefined
    throw error
  }
}

/** Lists the account files in order of name, or undefined when the directory does not exist. */
export async function stampAccountFiles(directory: string): Promise<readonly FileStamp[] | undefined> {
  try {
    const names = (await readdir(directory)).filter(isAccountFileName).sort()
    const stamps = await inParallel(names, name => stampFile(`${directory}/${name}`))
    return stamps.filter(stamp => stamp !== undefined)
  } catch (error) {
    // A missing directory is an answer, not a failure: it may appear later.
    if (isMissing(error)) return undefined
    throw error
  }
}

function faultOf(error: unknown): FileFault {
  if (error instanceof GatewayError) return { reason: error.message }
  const code = error instanceof Error && "code" in error ? String(error.code) : undefined
  if (code === undefined) throw error
  return { reason: `cannot be read (${code})` }
}

/** Reads one file; what is wrong with it is part of the result. Undefined when it is gone. */
export async function loadAccountFile(path: string, memory: CredentialMemory): Promise<LoadedFile | undefined> {
  try {
    const { drafts, faults } = parseAccountFile(await readFile(path, "utf8"))
    const resolved = drafts.map(draft => resolveAccount(accountFromDraft(draft, path), memory))
    return { path, resolved, faults }
  } catch (error) {
    if (isMissing(error)) return undefined
    return { path, resolved: [], faults: [faultOf(error)] }
  }
}

/** True when both describe the same account in every respect. */
export function isSameAccount(left: Account, right: Account): boolean {
  return left === right || Bun.deepEquals(left, right)
}
