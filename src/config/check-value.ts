/** Checks one given value against its setting, and reads values that arrive as text. */

import { Value, ValueErrorType } from "@sinclair/typebox/value"

import type { ConfigKey } from "./keys.ts"
import type { ConfigProblem, ConfigSource, Setting } from "./problem.ts"

/** A checked value: usable, as good as not given, or wrong. */
export type CheckedValue =
  | { readonly type: "setting"; readonly setting: Setting }
  | { readonly type: "unset" }
  | { readonly type: "problem"; readonly problem: ConfigProblem }

/** Checks a value of any type (from YAML, or from {@link readText}). The setting's value is in its usual spelling. */
export function checkValue(key: ConfigKey, given: unknown, source: ConfigSource): CheckedValue {
  if (given === null || given === undefined) return { type: "unset" }
  const value = tidy(key, given)
  if (key.note.emptyIsDefault === true && (value === "" || value === 0)) return { type: "unset" }
  if (Value.Check(key.schema, value)) return { type: "setting", setting: { path: key.path, value, source } }
  const message = `expected ${key.note.expected}, got ${describe(key, given)}`
  return { type: "problem", problem: { source, key: key.path, message } }
}

/**
 * Reads the text of an environment variable or flag as the setting's own type.
 * Text that does not fit is returned as it is, so that {@link checkValue} names it.
 */
export function readText(key: ConfigKey, text: string): unknown {
  const trimmed = text.trim()
  switch (key.note.kind) {
    case "number":
    case "bytes":
      return /^-?[0-9]+(\.[0-9]+)?$/.test(trimmed) ? Number(trimmed) : text
    case "flag":
      return FLAG_WORDS.get(trimmed.toLowerCase()) ?? text
    case "list":
      return trimmed.split(/[\s,]+/).filter(item => item !== "")
    case "map":
      return readPairs(trimmed) ?? text
    case "entries":
      return readJson(trimmed) ?? text
    case "text":
    case "choice":
      return text
  }
}

/** Reads `name=name name=name`; undefined when a piece is no pair. */
function readPairs(text: string): Readonly<Record<string, string>> | undefined {
  const pieces = text.split(/[\s,]+/).filter(piece => piece !== "")
  if (!pieces.every(piece => /^[^=:]+=[^=]+$/.test(piece))) return undefined
  return Object.fromEntries(
    pieces.map(piece => [piece.slice(0, piece.indexOf("=")), piece.slice(piece.indexOf("=") + 1)]),
  )
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The caller keeps the text, and the check of its type then names what was expected.
    return undefined
  }
}

const FLAG_WORDS: ReadonlyMap<string, boolean> = new Map([
  ["true", true],
  ["1", true],
  ["false", false],
  ["0", false],
])

function tidy(key: ConfigKey, given: unknown): unknown {
  if (Array.isArray(given)) return given.map(item => (typeof item === "string" ? item.trim() : item))
  if (typeof given !== "string") return given
  const text = given.trim()
  const { kind, synonyms, defaultScheme } = key.note
  if (kind === "choice") return synonyms?.[text.toLowerCase()] ?? text.toLowerCase()
  if (defaultScheme !== undefined && text !== "" && !text.includes("://")) return defaultScheme + text
  return text
}

function describe(key: ConfigKey, given: unknown): string {
  if (key.note.kind === "entries" && Array.isArray(given)) return describeEntries(key, given)
  if (Array.isArray(given)) return describeList(given)
  const isSecret = key.note.secret === true
  if (typeof given === "string") return isSecret ? "another text" : `the text ${JSON.stringify(given)}`
  if (typeof given === "number" || typeof given === "bigint") return isSecret ? "a number" : `the number ${given}`
  return typeof given === "boolean" ? String(given) : "a mapping"
}

/** Names the first entry and field at fault. Fields may hold secrets, so no value is told. */
function describeEntries(key: ConfigKey, given: readonly unknown[]): string {
  const fault = Value.Errors(key.schema, given).First()
  const [, index = "", field] = (fault?.path ?? "").split("/")
  if (field === undefined) return `a list whose entry ${Number(index) + 1} is no mapping`
  return `a list whose entry ${Number(index) + 1} has ${FAULTS.get(fault?.type) ?? "an unusable"} ${field}`
}

const FAULTS: ReadonlyMap<unknown, string> = new Map([
  [ValueErrorType.ObjectRequiredProperty, "no"],
  [ValueErrorType.ObjectAdditionalProperties, "an unknown key"],
])

/** Items of lists are secrets, so only their kind and position are told. */
function describeList(items: readonly unknown[]): string {
  const index = items.findIndex(item => typeof item !== "string" || item.trim() === "" || !/^[!-~]+$/.test(item.trim()))
  const item = items[index]
  if (index < 0) return "a list"
  if (typeof item !== "string") return `a list with a ${item === null ? "gap" : typeof item} at position ${index + 1}`
  const fault = item.trim() === "" ? "an empty text" : "spaces or unusual characters"
  return `a list with ${fault} at position ${index + 1}`
}
