/** Takes a login over from the Codex CLI into a file of our own, once. */

import { mkdir, readFile, realpath, stat } from "node:fs/promises"
import { dirname } from "node:path"

import { createFile } from "#accounts/atomic-write.ts"
import { refreshFingerprint } from "#accounts/fingerprint.ts"
import { parseAccountFile } from "#accounts/formats/parse-account-file.ts"
import type { Timers } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"

import { type CodexKeychainParts, describeKeychainFind, readCodexKeychain } from "./codex-keychain.ts"

/** What taking over needs. */
export type TakeOverParts = CodexKeychainParts & {
  /** The file that is made when it is not there. */
  readonly ownPath: string
  /** The Codex CLI's file. */
  readonly legacyPath: string
  readonly timers: Timers
}

/** What it came to. After anything but `taken`, nothing was written. */
export type TakeOver =
  | { readonly type: "present" }
  /** `from` is a path, or the keychain in words. An API key and a token without successor cannot be renewed by two. */
  | { readonly type: "taken"; readonly from: string; readonly isRenewable: boolean }
  | { readonly type: "failed"; readonly reason: string; readonly hint: string }

/** The CLI writes its file in place, so a reader may meet half of it. */
const TRIES = 3
const RETRY_MS = 250

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined
}

function isMissing(error: unknown): boolean {
  return codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR"
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    // Anything but "not there" is no leave to make a new one; loading the file will say what is wrong with it.
    return !isMissing(error)
  }
}

/** The text of the file, undefined when there is none. Rejects with the system's error. */
async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8")
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

/** Why no login can be made of the text; undefined when one can. */
function faultIn(text: string): string | undefined {
  try {
    const { drafts, faults } = parseAccountFile(text)
    return drafts.length > 0 ? undefined : faults.map(fault => fault.reason).join("; ") || "it holds no login"
  } catch (error) {
    if (error instanceof GatewayError) return error.message
    throw error
  }
}

function pause(timers: Timers): Promise<void> {
  return new Promise(done => timers.after(RETRY_MS, done))
}

type Found =
  | { readonly type: "found"; readonly from: string; readonly text: string }
  | Extract<TakeOver, { type: "failed" }>

const ELSEWHERE = "Correct it, or sign in with `sluice login`, and start again."

/** Reads the CLI's file; undefined when there is none. */
async function findInFile({ legacyPath, timers }: TakeOverParts): Promise<Found | undefined> {
  let fault = ""
  for (let tries = 0; tries < TRIES; tries++) {
    if (tries > 0) await pause(timers)
    try {
      const text = await readIfThere(legacyPath)
      if (text === undefined) return undefined
      const found = faultIn(text)
      if (found === undefined) return { type: "found", from: legacyPath, text }
      fault = found
    } catch (error) {
      fault = `cannot be read (${codeOf(error) ?? "unexpected error"})`
    }
  }
  return { type: "failed", reason: `${legacyPath}: ${fault}`, hint: ELSEWHERE }
}

async function findInKeychain(parts: TakeOverParts): Promise<Found> {
  const find = await readCodexKeychain(parts)
  if (find.type !== "found") {
    const reason = `There is no ${parts.legacyPath}. ${describeKeychainFind(find)}`
    return { type: "failed", reason, hint: `Sign in with \`sluice login\`, or put a login at ${parts.ownPath}.` }
  }
  const fault = faultIn(find.text)
  if (fault !== undefined)
    return { type: "failed", reason: `The Codex CLI's keychain entry: ${fault}`, hint: ELSEWHERE }
  return { type: "found", from: "the Codex CLI's keychain entry", text: find.text }
}

/** Looks for the CLI's login and writes it to our file (mode 0600) unless that is there. Never rejects. */
export async function takeOver(parts: TakeOverParts): Promise<TakeOver> {
  const { ownPath } = parts
  if (await isThere(ownPath)) return { type: "present" }
  const found = (await findInFile(parts)) ?? (await findInKeychain(parts))
  if (found.type === "failed") return found
  try {
    await mkdir(dirname(ownPath), { recursive: true, mode: 0o700 })
    const result = await createFile(ownPath, found.text)
    return result === "exists"
      ? { type: "present" }
      : { type: "taken", from: found.from, isRenewable: refreshTokenIn(found.text) !== undefined }
  } catch (error) {
    // Nothing was used up: the login stays where it was.
    const reason = `The login of ${found.from} cannot be written to ${ownPath} (${codeOf(error) ?? "unexpected error"}).`
    return { type: "failed", reason, hint: "Let this user write there, or name another file with `creds-path`." }
  }
}

function refreshTokenIn(text: string | undefined): string | undefined {
  if (text === undefined || faultIn(text) !== undefined) return undefined
  return parseAccountFile(text).drafts.find(draft => draft.refreshToken !== undefined)?.refreshToken
}

/**
 * True when both files hold the same refresh token and are not one file: whoever uses it first signs the other out.
 * Rejects with the system's error when a file that is there cannot be read.
 */
export async function sharesLogin(ownPath: string, legacyPath: string): Promise<boolean> {
  const own = refreshTokenIn(await readIfThere(ownPath))
  const legacy = refreshTokenIn(await readIfThere(legacyPath))
  if (own === undefined || legacy === undefined || refreshFingerprint(own) !== refreshFingerprint(legacy)) return false
  return (await realpath(ownPath)) !== (await realpath(legacyPath))
}
