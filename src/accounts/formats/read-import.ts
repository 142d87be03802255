/** The text somebody wants to take in → its entries, each a draft or the reason why not. */

import { readTokenIssuer } from "#accounts/jwt.ts"
import { GatewayError } from "#core/errors.ts"
import { isJsonObject, type Json, type JsonObject } from "#core/json.ts"

import type { AccountDraft } from "./account-draft.ts"
import { decodeEntry } from "./decode-entry.ts"
import { withoutByteOrderMark } from "./file-layout.ts"
import { FORMATS, type ListFormat } from "./format-names.ts"
import { describeJsonFault } from "./json-fault.ts"
import { foreignVendor, isSignedToken, shapeOfToken } from "./token-shape.ts"
import { formatOfEntry, type RawEntry, unfoldAs, unfoldDocument } from "./unfold-document.ts"

/** One entry: a draft, or a reason that is safe to show. `where` is blank for the only entry of a file. */
export type ImportItem =
  | { readonly where: string; readonly draft: AccountDraft }
  | { readonly where: string; readonly reason: string }

/** A text taken apart. `items` may be walked once; each entry is decoded when it is asked for. */
export type ImportText = {
  readonly format: ListFormat
  readonly count: number
  readonly items: Iterable<ImportItem>
}

function parseJson(text: string): Json | undefined {
  try {
    // JSON.parse returns nothing but JSON values.
    return JSON.parse(text) as Json
  } catch {
    // Broken text is told from the way it begins; the caller describes the place.
    return undefined
  }
}

/** A bare token as the entry it would be in a file, or why it is none. */
function entryOfToken(token: string, format: ListFormat): JsonObject | string {
  const vendor = foreignVendor(token)
  if (vendor !== undefined) return `is a token of ${vendor}: other services are not served`
  if (/\s/.test(token)) return "is not a single token"
  const shape = shapeOfToken(token)
  if (shape === "encrypted") return "is an encrypted token such as a session cookie, which proves nothing upstream"
  if (format === "refresh-tokens") {
    return shape === "access-token" ? "is an access token, not a refresh token" : { refresh_token: token }
  }
  if (format === "access-tokens") {
    return shape === "refresh-token" ? "is a refresh token, not an access token" : { access_token: token }
  }
  if (shape === "access-token") return { access_token: token }
  if (shape === "refresh-token") return { refresh_token: token }
  if (shape === "api-key") return { api_key: token }
  return "is no token of a known shape; `--format refresh-tokens` or `access-tokens` says what it is"
}

function entryOfLine(line: string, number: number, format: ListFormat): RawEntry {
  const where = `line ${number}`
  if (!line.startsWith("{") && !line.startsWith("[")) {
    const entry = entryOfToken(line, format)
    return typeof entry === "string" ? { where, reason: entry } : { where, value: entry }
  }
  const value = parseJson(line)
  if (isJsonObject(value)) return { where, value }
  return { where, reason: value === undefined ? describeJsonFault(line, number) : "is not an object" }
}

type Line = { readonly text: string; readonly number: number }

function linesOf(text: string): readonly Line[] {
  return text
    .split(/\r\n|\n|\r/)
    .map((line, index) => ({ text: line.trim(), number: index + 1 }))
    .filter(line => line.text !== "" && !line.text.startsWith("#"))
}

/** Broken JSON begins like JSON, and none of its lines is an entry of its own. */
function isBrokenJson(lines: readonly Line[]): boolean {
  const first = lines[0]?.text ?? ""
  if (first.startsWith("[")) return true
  return first.startsWith("{") && !lines.some(line => line.text.startsWith("{") && isJsonObject(parseJson(line.text)))
}

function formatOfLines(lines: readonly Line[]): ListFormat {
  const first = lines.find(line => line.text.startsWith("{"))
  const value = first === undefined ? undefined : parseJson(first.text)
  if (isJsonObject(value)) return formatOfEntry(value)
  const shapes = new Set(lines.map(line => shapeOfToken(line.text)))
  const only = shapes.size === 1 ? [...shapes][0] : undefined
  return only === "refresh-token" ? "refresh-tokens" : only === "access-token" ? "access-tokens" : "tokens"
}

type Source = { readonly format: ListFormat; readonly count: number; readonly entries: Iterable<RawEntry> }

function* mapLines(lines: readonly Line[], format: ListFormat): Generator<RawEntry> {
  for (const { text, number } of lines) yield entryOfLine(text, number, format)
}

function fromLines(lines: readonly Line[], forced: ListFormat | undefined): Source {
  const format = forced ?? formatOfLines(lines)
  return { format, count: lines.length, entries: mapLines(lines, format) }
}

function fromDocument(document: Json, forced: ListFormat | undefined): Source {
  const isOwnKind = forced !== undefined && FORMATS[forced].kind === "document"
  const { format, entries } = isOwnKind ? unfoldAs(document, forced) : unfoldDocument(document)
  if (forced === undefined || isOwnKind || FORMATS[format].kind === "entries") {
    return { format: forced ?? format, count: entries.length, entries }
  }
  throw new GatewayError("invalid-request", `the file is not of the format ${forced}; it looks like ${format}`)
}

function openText(text: string, forced: ListFormat | undefined): Source {
  const isLines = forced !== undefined && FORMATS[forced].kind === "lines"
  const document = isLines ? undefined : parseJson(text)
  if (document !== undefined && typeof document === "object") return fromDocument(document, forced)
  const lines = linesOf(text)
  if (lines.length === 0) throw new GatewayError("invalid-request", "the file is empty")
  if (!isLines && isBrokenJson(lines)) throw new GatewayError("invalid-request", describeJsonFault(text))
  if (forced !== undefined && FORMATS[forced].kind === "document") {
    throw new GatewayError("invalid-request", `the file is not of the format ${forced}`)
  }
  return fromLines(lines, forced)
}

/** The hosts that issue our tokens; every other issuer is another service. */
const OUR_ISSUER = /^https:\/\/(?:[a-z0-9-]+\.)*openai\.com(?:\/|$)/

/** What is wrong with a draft's access token, as far as it can be told without asking anybody. */
function accessTokenFault({ accessToken, provider }: AccountDraft): string | undefined {
  if (accessToken === undefined || provider !== "codex" || !isSignedToken(accessToken)) return undefined
  const facts = readTokenIssuer(accessToken)
  if (facts === undefined) return "its access token is damaged: the payload is not readable"
  const isForeign = facts.issuer !== undefined && !OUR_ISSUER.test(facts.issuer)
  return isForeign ? "its access token was issued by another service" : undefined
}

function decodeItem(entry: RawEntry, index: number): ImportItem {
  if ("reason" in entry) return entry
  try {
    const draft = decodeEntry(entry.value, index)
    const reason = accessTokenFault(draft)
    return reason === undefined ? { where: entry.where, draft } : { where: entry.where, reason }
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    // Each entry gives its own result: the reason is the result.
    return { where: entry.where, reason: error.message }
  }
}

function* decodeItems(entries: Iterable<RawEntry>): Generator<ImportItem> {
  let index = 0
  for (const entry of entries) {
    yield decodeItem(entry, index)
    index += 1
  }
}

/**
 * Reads a text, finding out its format unless one is given. Throws `invalid-request` when nothing of it can be read or
 * it is not of the given format. No message and no reason quotes a value.
 */
export function readImport(text: string, forced?: ListFormat): ImportText {
  const { format, count, entries } = openText(withoutByteOrderMark(text), forced)
  return { format, count, items: decodeItems(entries) }
}
