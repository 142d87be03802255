/** Puts a signed-in account into the folder of account files: over its own old credential, or into a file of its own. */

import { access, constants, mkdir, readFile } from "node:fs/promises"
import { join } from "node:path"

import { NO_MEMORY } from "#accounts/account-from-draft.ts"
import { createFile, replaceFile } from "#accounts/atomic-write.ts"
import { type LoadedFile, loadAccountFile, stampAccountFiles } from "#accounts/directory-files.ts"
import { replaceCredential } from "#accounts/formats/replace-credential.ts"
import type { Account } from "#core/account.ts"
import { GatewayError } from "#core/errors.ts"

import type { NewAccount } from "./account-of-tokens.ts"

/** Where the account went. */
export type SavedAccount = {
  readonly account: Account
  readonly path: string
  readonly change: "added" | "replaced"
}

/** Names tried for a new file before giving up; each but the first is taken by another account. */
const MAX_NAMES = 100

/**
 * Makes the folder if need be and checks that files can be put there, before anybody is sent to a sign-in page.
 * Throws `internal` with what to do.
 */
export async function prepareAccountFolder(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    await access(directory, constants.W_OK | constants.X_OK)
  } catch (cause) {
    throw notWritable(directory, cause)
  }
}

/**
 * Saves it, mode 0600. An entry of the same user and workspace gets the new credential and keeps everything else; a file
 * of another account is never touched. Throws `internal` with what to do when the folder cannot be written.
 */
export async function saveAccount(directory: string, added: NewAccount): Promise<SavedAccount> {
  try {
    return (await replaceExisting(directory, added)) ?? (await createNew(directory, added))
  } catch (cause) {
    if (cause instanceof GatewayError) throw cause
    throw notWritable(directory, cause)
  }
}

async function replaceExisting(directory: string, added: NewAccount): Promise<SavedAccount | undefined> {
  const stamps = (await stampAccountFiles(directory)) ?? []
  for (const { path } of stamps) {
    const file = await loadAccountFile(path, NO_MEMORY)
    const present = file?.resolved.find(one => one.account.id === added.account.id)?.account
    if (file === undefined || present === undefined) continue
    const text = await replacedText(file, present, added)
    if (text === undefined) continue
    await replaceFile(path, text)
    const account = { ...added.account, disabled: present.disabled, source: present.source }
    return { account, path, change: "replaced" }
  }
  return undefined
}

/** The file with the new credential in place of the old one; undefined when it holds others and ours cannot be told. */
async function replacedText(file: LoadedFile, present: Account, added: NewAccount): Promise<string | undefined> {
  const { credential } = added.account
  const old = present.credential.type === "chatgpt" ? present.credential.refreshToken : undefined
  const text = await readFile(file.path, "utf8")
  const replaced = replaceCredential(text, { credential, holdsOld: token => token === old })
  if (replaced !== undefined) return replaced
  return file.resolved.length === 1 && file.faults.length === 0 ? added.text : undefined
}

async function createNew(directory: string, { account, text, baseName }: NewAccount): Promise<SavedAccount> {
  // The same person in another workspace of the same plan is the usual reason for a taken name.
  const workspace = account.workspaceId?.replace(/[^A-Za-z0-9]/g, "").slice(0, 8)
  const endings = ["", ...(workspace ? [`-${workspace.toLowerCase()}`] : [])]
  for (let number = 2; number <= MAX_NAMES; number++) endings.push(`-${number}`)
  for (const ending of endings) {
    const path = join(directory, `${baseName}${ending}.json`)
    if ((await createFile(path, text)) === "exists") continue
    return { account: { ...account, source: { type: "file", path, index: 0 } }, path, change: "added" }
  }
  throw new GatewayError("internal", `Too many files in ${directory} have a name like ${baseName}.json.`, {
    hint: "Move files away that are no longer needed, then start the sign-in again.",
  })
}

function notWritable(directory: string, cause: unknown): GatewayError {
  const reason = cause instanceof Error && "code" in cause ? String(cause.code) : "unexpected content"
  return new GatewayError("internal", `Account files cannot be written to ${directory} (${reason}).`, {
    hint: "Make the folder writable for this user, or name another one with --auth-dir; then start the sign-in again.",
    cause,
  })
}
