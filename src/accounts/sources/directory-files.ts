/** The account files of a directory: their names, stamps and contents. */

import { type BigIntStats, readdirSync, readFileSync, statSync } from "node:fs"
import { readdir, readFile, stat } from "node:fs/promises"

import { accountFromDraft, type CredentialMemory } from "#accounts/account-from-draft.ts"
import { type ResolvedAccount, resolveAccount } from "#accounts/credentials/resolve-account.ts"
import { accountOnTerms, draftOnTerms } from "#accounts/elsewhere/apply-terms.ts"
import { type NamedSource, readSource, type SourceTerms } from "#accounts/elsewhere/named-source.ts"
import type { FileFault } from "#accounts/formats/account-draft.ts"
import { parseAccountFile } from "#accounts/formats/parse-account-file.ts"
import type { Account } from "#core/account.ts"
import { GatewayError } from "#core/errors.ts"

/** A file's name and a text that changes whenever its content may have changed. */
export type FileStamp = { readonly path: string; readonly stamp: string }

/** What a file came to. A file with faults may still hold good accounts. */
export type LoadedFile = {
  readonly path: string
  readonly resolved: readonly ResolvedAccount[]
  readonly faults: readonly FileFault[]
  /** Another program renews its logins: an account that any other file holds is served from there. */
  readonly isBorrowed?: true
}

/** A stamped file and what was read of it; undefined = it went away in between. */
export type ReadFile = { readonly stamp: FileStamp; readonly loaded: LoadedFile | undefined }

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

function stampOf(path: string, found: BigIntStats): FileStamp | undefined {
  // Anything else that has a path, such as a pipe, might keep its reader waiting for ever.
  return found.isFile() ? { path, stamp: `${found.ino}:${found.size}:${found.mtimeNs}` } : undefined
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

/** Stamps one file; undefined when it is gone or no file. Rejects with the system's error when it cannot be looked at. */
export async function stampFile(path: string): Promise<FileStamp | undefined> {
  try {
    return stampOf(path, await stat(path, { bigint: true }))
  } catch (error) {
    // Gone between listing and looking: as if it had never been listed.
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

function understand(path: string, text: string, memory: CredentialMemory): LoadedFile {
  const { drafts, faults } = parseAccountFile(text)
  return { path, resolved: drafts.map(draft => resolveAccount(accountFromDraft(draft, path), memory)), faults }
}

/** As `understand`, with what holds for the accounts of a source that was named. */
function understandOnTerms(path: string, text: string, memory: CredentialMemory, terms: SourceTerms): LoadedFile {
  const { drafts, faults } = parseAccountFile(text)
  const resolved = drafts.map(draft => {
    const found = resolveAccount(accountFromDraft(draftOnTerms(draft, terms), path), memory)
    return { ...found, account: accountOnTerms(found.account, terms) }
  })
  return { path, resolved, faults, ...(terms.isBorrowed === true && { isBorrowed: true }) }
}

function notRead(path: string, error: unknown): LoadedFile | undefined {
  return isMissing(error) ? undefined : { path, resolved: [], faults: [faultOf(error)] }
}

/** Reads one file; what is wrong with it is part of the result. Undefined when it is gone. Never rejects for a bad file. */
export async function loadAccountFile(path: string, memory: CredentialMemory): Promise<LoadedFile | undefined> {
  try {
    return understand(path, await readFile(path, "utf8"), memory)
  } catch (error) {
    return notRead(path, error)
  }
}

/** Reads a source that was named like a file of the folder. */
export async function loadNamedSource(source: NamedSource, memory: CredentialMemory): Promise<LoadedFile | undefined> {
  const { path, terms } = source
  try {
    const text = await readSource(source)
    return text === undefined ? undefined : understandOnTerms(path, text, memory, terms)
  } catch (error) {
    return notRead(path, error)
  }
}

/** Names the account files in order, or undefined when the directory does not exist; blocks the thread. */
export function listAccountFilesNow(directory: string): readonly string[] | undefined {
  try {
    return readdirSync(directory)
      .filter(isAccountFileName)
      .sort()
      .map(name => `${directory}/${name}`)
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

/** Stamps and reads one file like the functions above, but blocks the thread. Undefined when it is gone or no file. */
export function readAccountFileNow(path: string, memory: CredentialMemory): ReadFile | undefined {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false })
  const stamp = found === undefined ? undefined : stampOf(path, found)
  if (stamp === undefined) return undefined
  try {
    return { stamp, loaded: understand(path, readFileSync(path, "utf8"), memory) }
  } catch (error) {
    return { stamp, loaded: notRead(path, error) }
  }
}

/** Stamps and reads one file. Undefined when it is gone or no file. */
export async function readAccountFile(path: string, memory: CredentialMemory): Promise<ReadFile | undefined> {
  const stamp = await stampFile(path)
  return stamp === undefined ? undefined : { stamp, loaded: await loadAccountFile(path, memory) }
}

/** True when both describe the same account in every respect. */
export function isSameAccount(left: Account, right: Account): boolean {
  return left === right || Bun.deepEquals(left, right)
}
