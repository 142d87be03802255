/** TOML files: values at the top and in tables; comments, order and spelling of the rest stay. */

import { type AST, getStaticTOMLValue, ParseError, parseTOML } from "toml-eslint-parser"

import { isJsonObject, type Json, type JsonObject } from "#core/json.ts"

import { brokenText, type Format, type Setting } from "./format.ts"
import { afterLine, lineEndOf, spliceText } from "./splice.ts"

/** TOML 1.0. A setting's path is a top-level key, or the name of a table and a key in it. */
export const TOML: Format = {
  name: "TOML",
  empty: "",
  read: text => {
    // Times become `Date`s; nothing here looks at one, so the rest is JSON.
    const value = getStaticTOMLValue(programOf(text)) as unknown
    return isJsonObject(value) ? value : {}
  },
  put: (text, settings) => settings.reduce(putOne, text),
}

function programOf(text: string): AST.TOMLProgram {
  try {
    return parseTOML(text.replace(/^\uFEFF/, " "), { tomlVersion: "1.0" })
  } catch (cause) {
    if (cause instanceof ParseError) throw brokenText("TOML", cause.lineNumber, cause.message)
    throw cause
  }
}

function putOne(text: string, { path, value }: Setting): string {
  const tableName = path.slice(0, -1)
  const key = path.at(-1) ?? ""
  const [top] = programOf(text).body
  if (tableName.length === 0) return putIn(text, { table: top, key, value })
  const table = top.body.find(
    one => one.type === "TOMLTable" && one.kind === "standard" && isSame(one.resolvedKey, tableName),
  )
  if (table?.type === "TOMLTable") return putIn(text, { table, key, value })
  return addTable(text, tableName, pair(key, value))
}

type Place = {
  readonly table: AST.TOMLTopLevelTable | AST.TOMLTable
  readonly key: string
  readonly value: Json
}

function putIn(text: string, { table, key, value }: Place): string {
  const body: readonly (AST.TOMLKeyValue | AST.TOMLTable)[] = table.body
  const pairs = body.filter((one): one is AST.TOMLKeyValue => one.type === "TOMLKeyValue")
  const known = pairs.find(one => isSame(one.key.keys.map(nameOf), [key]))
  if (known !== undefined) {
    // What says the same already keeps its spelling.
    if (Bun.deepEquals(getStaticTOMLValue(known.value), value)) return text
    const [at, end] = known.value.range
    return spliceText(text, [{ at, remove: end - at, insert: literal(value) }])
  }
  const eol = lineEndOf(text)
  const last = pairs.at(-1)
  if (last === undefined && table.type === "TOMLTopLevelTable") {
    const start = text.startsWith("\uFEFF") ? 1 : 0
    const rest = text.slice(start).trim() === "" ? "" : eol
    return spliceText(text, [{ at: start, remove: 0, insert: `${pair(key, value)}${eol}${rest}` }])
  }
  const { at, ended } = afterLine(text, (last ?? headOf(table)).range[1])
  return spliceText(text, [{ at, remove: 0, insert: ended ? pair(key, value) + eol : eol + pair(key, value) + eol }])
}

/** The line of a table's name. */
function headOf(table: Place["table"]): { readonly range: AST.Range } {
  return table.type === "TOMLTable" ? table.key : table
}

/** At the end, where it belongs to nobody else's table; a blank line before it. */
function addTable(text: string, name: readonly string[], body: string): string {
  const eol = lineEndOf(text)
  const gap = text.trim() === "" ? "" : text.endsWith("\n") ? eol : eol + eol
  return `${text}${gap}[${name.map(bareOrQuoted).join(".")}]${eol}${body}${eol}`
}

function nameOf(key: AST.TOMLBare | AST.TOMLQuoted): string {
  return key.type === "TOMLBare" ? key.name : key.value
}

function isSame(left: readonly (string | number)[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((part, index) => part === right[index])
}

function pair(key: string, value: Json): string {
  return `${bareOrQuoted(key)} = ${literal(value)}`
}

function bareOrQuoted(name: string): string {
  return /^[A-Za-z0-9_-]+$/.test(name) ? name : JSON.stringify(name)
}

/** Strings, numbers and booleans are spelled as in JSON; nothing else is ever put into a TOML file. */
function literal(value: Json): string {
  return JSON.stringify(value)
}

/** The table under a dotted name as a plain object; undefined when there is none. */
export function tableAt(file: JsonObject, ...names: readonly string[]): JsonObject | undefined {
  let found: Json | undefined = file
  for (const name of names) found = isJsonObject(found) ? found[name] : undefined
  return isJsonObject(found) ? found : undefined
}
