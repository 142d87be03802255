/** JSON files: plain ones, and ones with comments and trailing commas. */

import { getNodeValue, type Node, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser"

import { isJsonObject, type Json } from "#core/json.ts"

import { brokenText, type Format, type Setting } from "./format.ts"
import { lineAt, lineEndOf, type Splice, spliceText } from "./splice.ts"

/** JSON with comments and trailing commas. */
export const JSONC: Format = jsonFormat("JSON with comments", true)

/** JSON as it was defined, for clients that read nothing else. */
export const PLAIN_JSON: Format = jsonFormat("JSON (this client takes no comments and no trailing commas)", false)

function jsonFormat(name: string, tolerant: boolean): Format {
  return {
    name,
    empty: "",
    read: text => {
      const root = treeOf(text, name, tolerant)
      if (root === undefined) return {}
      const value: unknown = getNodeValue(root)
      if (!isJsonObject(value)) throw brokenText(name, 1, "expected an object in braces")
      return value
    },
    put: (text, settings) => settings.reduce((changed, setting) => putOne(changed, setting, name), text),
  }
}

/** Undefined for a file without content. */
function treeOf(text: string, name: string, tolerant: boolean): Node | undefined {
  const body = text.replace(/^\uFEFF/, " ")
  if (body.trim() === "") return undefined
  const errors: ParseError[] = []
  const root = parseTree(body, errors, { disallowComments: !tolerant, allowTrailingComma: tolerant })
  const [error] = errors
  if (error !== undefined) throw brokenText(name, lineAt(body, error.offset), printParseErrorCode(error.error))
  return root
}

function putOne(text: string, { path, value }: Setting, name: string): string {
  const eol = lineEndOf(text)
  const root = treeOf(text, name, true)
  if (root === undefined) return `${printed(nested(path, value), "  ", eol, 0)}${eol}`
  let node = root
  for (const [depth, key] of path.entries()) {
    const property = node.children?.findLast(one => one.children?.[0]?.value === key)
    const found = property?.children?.[1]
    if (found === undefined) {
      return spliceText(text, addProperty(text, node, { key, value: nested(path.slice(depth + 1), value), depth }))
    }
    // What stands where an object belongs gives way to one.
    if (depth < path.length - 1 && found.type !== "object") {
      return replace(text, found, nested(path.slice(depth + 1), value), depth)
    }
    node = found
  }
  // What says the same already keeps its spelling.
  return Bun.deepEquals(getNodeValue(node), value) ? text : replace(text, node, value, path.length - 1)
}

function replace(text: string, { offset, length }: Node, value: Json, depth: number): string {
  const insert = printed(value, indentOf(text), lineEndOf(text), depth + 1)
  return spliceText(text, [{ at: offset, remove: length, insert }])
}

type Property = { readonly key: string; readonly value: Json; readonly depth: number }

/** Behind the last property, whose comment stays with it; an object in one line stays in one line. */
function addProperty(text: string, object: Node, { key, value, depth }: Property): readonly Splice[] {
  const close = object.offset + object.length - 1
  const last = object.children?.at(-1)
  const eol = lineEndOf(text)
  const isOneLine = !text.slice(object.offset, close).includes("\n")
  if (isOneLine && last !== undefined) {
    const at = last.offset + last.length
    return [{ at, remove: 0, insert: `, ${JSON.stringify(key)}: ${JSON.stringify(value)}` }]
  }
  const indent = indentOf(text)
  const body = `${indent.repeat(depth + 1)}${JSON.stringify(key)}: ${printed(value, indent, eol, depth + 1)}`
  if (last === undefined && isOneLine) {
    const inside = close - object.offset - 1
    const kept = text.slice(object.offset + 1, close).trim()
    const insert = `${kept === "" ? "" : ` ${kept}`}${eol}${body}${eol}${indent.repeat(depth)}`
    return [{ at: object.offset + 1, remove: inside, insert }]
  }
  const end = object.offset + text.slice(object.offset, close).trimEnd().length
  if (last === undefined) return [{ at: end, remove: 0, insert: `${eol}${body}` }]
  const lastEnd = last.offset + last.length
  const hasComma = commaAfter(text.slice(lastEnd, close))
  if (hasComma) return [{ at: end, remove: 0, insert: `${eol}${body},` }]
  return [
    { at: lastEnd, remove: 0, insert: "," },
    { at: end, remove: 0, insert: `${eol}${body}` },
  ]
}

/** A comma in what follows the last property; those inside comments are text. */
function commaAfter(rest: string): boolean {
  return rest.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, "").includes(",")
}

function nested(path: readonly string[], value: Json): Json {
  return path.reduceRight<Json>((inner, key) => ({ [key]: inner }), value)
}

/** The indentation of the first indented line; two blanks when there is none. */
function indentOf(text: string): string {
  return /\n([ \t]+)\S/.exec(text)?.[1] ?? "  "
}

function printed(value: Json, indent: string, eol: string, depth: number): string {
  return JSON.stringify(value, undefined, indent).replaceAll("\n", eol + indent.repeat(depth))
}
