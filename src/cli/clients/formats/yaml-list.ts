/** Lists in YAML files: one entry, known by its name, is put at their head; comments and spelling of the rest stay. */

import { type Document, isMap, isScalar, isSeq, type Pair, parseDocument, type YAMLMap, type YAMLSeq } from "yaml"

import { isJsonObject, type Json, type JsonObject } from "#core/json.ts"

import { brokenText } from "./format.ts"
import { lineAt, lineEndOf, type Splice, spliceText } from "./splice.ts"

/** The list, and the entry whose `name` is told from the others'. */
export type ListEntry = { readonly list: string; readonly entry: JsonObject & { readonly name: string } }

/** Reads a file with a mapping on top; an empty file is an empty mapping. Throws for a broken one. */
export function readYaml(text: string): JsonObject {
  const value: unknown = documentOf(text).toJS()
  if (value === null || value === undefined) return {}
  if (!isJsonObject(value)) throw brokenText("YAML", 1, "expected a mapping of names to values")
  return value
}

/** What the file says once the entry is in: where it was, else at the head. Keys the entry does not name stay. */
export function withEntry(before: JsonObject, { list, entry }: ListEntry): JsonObject {
  const known = before[list]
  const items: readonly Json[] = Array.isArray(known) ? known : []
  const index = items.findIndex(item => isJsonObject(item) && item["name"] === entry.name)
  if (index < 0) return { ...before, [list]: [entry, ...items] }
  return {
    ...before,
    [list]: items.map((item, at) => (at === index && isJsonObject(item) ? { ...item, ...entry } : item)),
  }
}

/** Puts the entry into the text. */
export function putEntry(text: string, { list, entry }: ListEntry): string {
  const eol = lineEndOf(text)
  const document = documentOf(text)
  const pair = isMap(document.contents) ? pairOf(document.contents, list) : undefined
  const seq = pair?.value
  if (isSeq(seq)) {
    const known = seq.items.find(item => isMap(item) && item.get("name") === entry.name)
    return isMap(known) ? changeEntry(text, known, entry) : spliceText(text, [newHead(text, pair, seq, entry)])
  }
  if (pair !== undefined) return spliceText(text, [underKey(text, pair, entry)])
  const gap = text === "" || text.endsWith("\n") ? "" : eol
  return `${text}${gap}${list}:${eol}${block(entry, "  ", eol)}`
}

function documentOf(text: string): Document.Parsed {
  const document = parseDocument(text, { prettyErrors: false })
  const [error] = document.errors
  if (error !== undefined) throw brokenText("YAML", lineAt(text, error.pos[0]), error.message)
  return document
}

function pairOf(map: YAMLMap, name: string): Pair | undefined {
  return map.items.find(({ key }) => isScalar(key) && key.value === name)
}

/** Right under the key, so that comments on the old first entry stay with it. */
function newHead(text: string, pair: Pair | undefined, seq: YAMLSeq, entry: JsonObject): Splice {
  const [start = 0] = seq.range ?? []
  if (seq.flow === true) {
    return { at: start + 1, remove: 0, insert: `${JSON.stringify(entry)}${seq.items.length === 0 ? "" : ", "}` }
  }
  const indent = text.slice(text.lastIndexOf("\n", start) + 1, start)
  return { at: afterKey(text, pair), remove: 0, insert: block(entry, indent, lineEndOf(text)) }
}

/** A key with nothing behind it, or with a word that is no list. */
function underKey(text: string, pair: Pair, entry: JsonObject): Splice {
  const eol = lineEndOf(text)
  const at = afterKey(text, pair)
  const gap = text[at - 1] === "\n" ? "" : eol
  return { at, remove: 0, insert: gap + block(entry, "  ", eol) }
}

function afterKey(text: string, pair: Pair | undefined): number {
  const end = isScalar(pair?.key) ? (pair.key.range?.[1] ?? 0) : 0
  const next = text.indexOf("\n", end)
  return next < 0 ? text.length : next + 1
}

function changeEntry(text: string, known: YAMLMap, entry: JsonObject): string {
  const now: unknown = known.toJSON()
  const splices: Splice[] = []
  for (const [name, value] of Object.entries(entry)) {
    if (isJsonObject(now) && Bun.deepEquals(now[name], value)) continue
    const pair = pairOf(known, name)
    splices.push(pair === undefined ? addKey(text, known, name, value) : replaceValue(pair, value))
  }
  return spliceText(text, splices)
}

function replaceValue({ value: node }: Pair, value: Json): Splice {
  // The document's nodes carry their range; only nodes made by hand have none.
  const [start = 0, end = 0] = (node as { readonly range?: readonly number[] } | null)?.range ?? []
  return { at: start, remove: end - start, insert: JSON.stringify(value) }
}

/** Behind the entry's first line, or first value where the entry is in braces. */
function addKey(text: string, known: YAMLMap, name: string, value: Json): Splice {
  const first = known.items[0]
  const key = first?.key
  const [start = 0] = isScalar(key) ? (key.range ?? []) : []
  if (known.flow === true)
    return { at: start, remove: 0, insert: `${JSON.stringify(name)}: ${JSON.stringify(value)}, ` }
  const column = start - (text.lastIndexOf("\n", start - 1) + 1)
  const next = text.indexOf("\n", start)
  const line = `${" ".repeat(column)}${name}: ${scalar(value)}`
  const eol = lineEndOf(text)
  return next < 0 ? { at: text.length, remove: 0, insert: eol + line } : { at: next + 1, remove: 0, insert: line + eol }
}

function block(entry: JsonObject, indent: string, eol: string): string {
  const lines = Object.entries(entry).map(([name, value]) => `${name}: ${scalar(value)}`)
  return lines.map((line, index) => `${indent}${index === 0 ? "- " : "  "}${line}${eol}`).join("")
}

/** JSON is YAML; words that mean themselves stand without quotes. */
function scalar(value: Json): string {
  if (
    typeof value === "string" &&
    /^[A-Za-z][\w./-]*$/.test(value) &&
    !/^(true|false|null|yes|no|on|off|y|n)$/i.test(value)
  )
    return value
  if (Array.isArray(value)) return `[${value.map(scalar).join(", ")}]`
  return JSON.stringify(value)
}
