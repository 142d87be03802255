/** How a file holds its entries: one object, an array, or one object a line. Reading and rewriting both start here. */

import { GatewayError } from "#core/errors.ts"
import { isJsonObject, type Json, type JsonObject } from "#core/json.ts"

import type { FileFault } from "./account-draft.ts"
import { describeJsonFault } from "./json-fault.ts"

/** One entry of a file and, in NDJSON, the line it stands on (from 0). */
export type FileEntry = { readonly index: number; readonly value: JsonObject; readonly line?: number }

/** A file taken apart. */
export type FileLayout = {
  readonly kind: "object" | "array" | "lines"
  readonly entries: readonly FileEntry[]
  /** Entries that could not be read; the others still count. */
  readonly faults: readonly FileFault[]
}

const BYTE_ORDER_MARK = "\uFEFF"

/** Removes the byte order mark that some editors put in front. */
export function withoutByteOrderMark(text: string): string {
  return text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text
}

function parseJson(text: string): Json | undefined {
  try {
    // JSON.parse returns nothing but JSON values.
    return JSON.parse(text) as Json
  } catch {
    // The caller decides what broken text means and describes the place itself.
    return undefined
  }
}

function readArray(values: readonly Json[]): FileLayout {
  const entries: FileEntry[] = []
  const faults: FileFault[] = []
  for (const [index, value] of values.entries()) {
    if (isJsonObject(value)) entries.push({ index, value })
    else faults.push({ index, reason: `entry ${index + 1} is not an object` })
  }
  return { kind: "array", entries, faults }
}

function isComment(line: string): boolean {
  return line.startsWith("#") || line === ""
}

function readLines(lines: readonly string[]): FileLayout {
  const entries: FileEntry[] = []
  const faults: FileFault[] = []
  let index = 0
  for (const [line, raw] of lines.entries()) {
    const text = raw.trim()
    if (isComment(text)) continue
    const value = parseJson(text)
    if (isJsonObject(value)) entries.push({ index, value, line })
    else
      faults.push({
        index,
        reason: value === undefined ? describeJsonFault(raw, line + 1) : `line ${line + 1} is not an object`,
      })
    index += 1
  }
  return { kind: "lines", entries, faults }
}

/** NDJSON is what starts with a comment, or holds a whole object on its first line and more below. */
function looksLikeLines(lines: readonly string[]): boolean {
  const contents = lines.map(line => line.trim()).filter(line => line !== "")
  if (contents[0]?.startsWith("#") === true) return true
  const first = contents[0]
  return first !== undefined && contents.length > 1 && isJsonObject(parseJson(first))
}

/**
 * Takes a file's text apart (without byte order mark).
 * Throws `invalid-request` with line and column when it is neither JSON nor NDJSON.
 */
export function readFileLayout(text: string): FileLayout {
  if (text.trim() === "") throw new GatewayError("invalid-request", "the file is empty")
  const whole = parseJson(text)
  if (Array.isArray(whole)) return readArray(whole)
  if (isJsonObject(whole)) return { kind: "object", entries: [{ index: 0, value: whole }], faults: [] }
  if (whole !== undefined) throw new GatewayError("invalid-request", "the file holds neither an object nor an array")
  const lines = text.split("\n")
  if (looksLikeLines(lines)) return readLines(lines)
  throw new GatewayError("invalid-request", describeJsonFault(text))
}
