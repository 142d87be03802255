/** Puts a rotated credential back into the text of its account file, in the file's own layout and notation. */

import type { Credential } from "#core/account.ts"
import { isJsonObject, type Json, type JsonObject, type MutableJsonObject } from "#core/json.ts"

import { FIELD_ALIASES, FIELD_HOLDERS, type FieldName, findField, textField } from "./field-aliases.ts"
import { type FileEntry, readFileLayout, withoutByteOrderMark } from "./file-layout.ts"
import { writeFileTime } from "./file-time.ts"

type ChatGptCredential = Extract<Credential, { type: "chatgpt" }>

/** What to change: every entry that `holdsOld` accepts gets `credential`. */
export type CredentialReplacement = {
  /** True for the refresh token that was used up. */
  readonly holdsOld: (refreshToken: string) => boolean
  readonly credential: ChatGptCredential
}

/** Where a field is written: over the value in use, else under its first name. */
type Target = { readonly holder: MutableJsonObject; readonly key: string }

/** A copy that may be changed, nested holders included. */
function copyEntry(entry: JsonObject): MutableJsonObject {
  const copy: MutableJsonObject = { ...entry }
  for (const name of FIELD_HOLDERS) {
    const nested = copy[name]
    if (isJsonObject(nested)) copy[name] = { ...nested }
  }
  return copy
}

/** Tokens of the Codex client's layout live in `tokens`; everything else at the top. */
function homeOf(entry: MutableJsonObject, field: FieldName): MutableJsonObject {
  const isToken = field === "accessToken" || field === "refreshToken" || field === "idToken"
  const nested = entry["tokens"]
  // `copyEntry` made this object, nobody else holds it.
  return isToken && isJsonObject(nested) ? (nested as MutableJsonObject) : entry
}

function targetOf(entry: MutableJsonObject, field: FieldName): Target {
  const found = findField(entry, field)
  // The holder is `entry` or one of its copied holders, see `copyEntry`.
  if (found !== undefined) return { holder: found.holder as MutableJsonObject, key: found.key }
  return { holder: homeOf(entry, field), key: FIELD_ALIASES[field][0] }
}

function put(entry: MutableJsonObject, field: FieldName, value: (replaced: Json | undefined) => Json): void {
  const { holder, key } = targetOf(entry, field)
  holder[key] = value(holder[key])
}

/** Returns the entry with the new tokens and times; unknown keys and the order of keys stay. */
function replaceInEntry(entry: JsonObject, credential: ChatGptCredential): JsonObject {
  const { accessToken, refreshToken, idToken, expiresAtMs, lastRefreshAtMs } = credential
  const copy = copyEntry(entry)
  put(copy, "accessToken", () => accessToken)
  if (refreshToken !== undefined) put(copy, "refreshToken", () => refreshToken)
  if (idToken !== undefined) put(copy, "idToken", () => idToken)
  if (lastRefreshAtMs !== undefined) put(copy, "lastRefresh", old => writeFileTime(lastRefreshAtMs, old))
  // The Codex client keeps no expiry of its own; one that is there, or a flat entry's, must not go stale.
  const keepsExpiry = findField(copy, "expiresAt") !== undefined || !isJsonObject(copy["tokens"])
  if (expiresAtMs !== undefined && keepsExpiry) put(copy, "expiresAt", old => writeFileTime(expiresAtMs, old))
  return copy
}

/** The indentation of the text's second line, so that a hand-formatted file stays as it was. */
function indentationOf(text: string): string {
  return /\n([ \t]+)\S/.exec(text)?.[1] ?? (text.trim().includes("\n") ? "  " : "")
}

function writeLines(text: string, entries: readonly FileEntry[], changed: ReadonlyMap<number, JsonObject>): string {
  const lines = text.split("\n")
  for (const { index, line } of entries) {
    const value = changed.get(index)
    if (value === undefined || line === undefined) continue
    const lineEnd = lines[line]?.endsWith("\r") === true ? "\r" : ""
    lines[line] = JSON.stringify(value) + lineEnd
  }
  return lines.join("\n")
}

function writeWhole(text: string, changed: ReadonlyMap<number, JsonObject>): string {
  // Entries that could not be read (faults) must survive the rewrite, hence the text is parsed once more.
  // The layout was read from the same text, so the parse yields JSON.
  const whole = JSON.parse(text) as Json
  const next = Array.isArray(whole)
    ? whole.map((value, index) => changed.get(index) ?? value)
    : (changed.get(0) ?? whole)
  const lineEnd = /\r?\n$/.exec(text)?.[0] ?? ""
  return JSON.stringify(next, undefined, indentationOf(text)) + lineEnd
}

/**
 * Returns the text with `credential` in every entry that `selects` accepts, or undefined when it accepts none.
 * Throws `invalid-request` when the file is not readable at all.
 */
export function replaceWhere(
  fileText: string,
  selects: (entry: FileEntry) => boolean,
  credential: ChatGptCredential,
): string | undefined {
  const text = withoutByteOrderMark(fileText)
  const layout = readFileLayout(text)
  const changed = new Map<number, JsonObject>()
  for (const entry of layout.entries) {
    if (selects(entry)) changed.set(entry.index, replaceInEntry(entry.value, credential))
  }
  if (changed.size === 0) return undefined
  return layout.kind === "lines" ? writeLines(text, layout.entries, changed) : writeWhole(text, changed)
}

/**
 * Returns the new text, or undefined when no entry holds the used-up token (somebody replaced the file meanwhile, and
 * their text must stand). Throws `invalid-request` when the file is not readable at all.
 */
export function replaceCredential(fileText: string, replacement: CredentialReplacement): string | undefined {
  const holdsOld = ({ value }: FileEntry): boolean => {
    const held = textField(value, "refreshToken")
    return held !== undefined && replacement.holdsOld(held)
  }
  return replaceWhere(fileText, holdsOld, replacement.credential)
}
