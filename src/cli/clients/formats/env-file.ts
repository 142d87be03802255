/** Files of environment variables (`.env`), a `NAME=value` a line. */

import type { Json, JsonObject, MutableJsonObject } from "#core/json.ts"

import type { Format, Setting } from "./format.ts"
import { lineEndOf, spliceText } from "./splice.ts"

/** A definition: the value with its quotes is the second group. Text in quotes may have several lines. */
const DEFINITION =
  /^[ \t]*(?:export[ \t]+)?([\w.-]+)[ \t]*=[ \t]*('(?:\\'|[^'])*'|"(?:\\"|[^"])*"|`(?:\\`|[^`])*`|[^#\r\n]*)/gm

/** Any text is such a file; lines that define nothing are passed over. */
export const ENV_FILE: Format = {
  name: "a file of environment variables",
  empty: "",
  read: text => {
    const values: MutableJsonObject = {}
    for (const [, name = "", written = ""] of text.matchAll(DEFINITION)) values[name] = valueIn(written)
    return values
  },
  put: (text, settings) => settings.reduce(putOne, text),
}

/** The variables of a file that `ENV_FILE.read` has read. */
export function variablesOf(file: JsonObject): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(file).flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : [])),
  )
}

function valueIn(written: string): string {
  const bare = written.trim()
  const [, quote, inside = ""] = /^(['"`])([\s\S]*)\1$/.exec(bare) ?? []
  if (quote === undefined) return bare
  return quote === '"' ? inside.replaceAll("\\n", "\n").replaceAll("\\r", "\r") : inside
}

/** A name that is defined twice gets the value in both places, because programs differ in which one counts. */
function putOne(text: string, { path, value }: Setting): string {
  const name = path[0] ?? ""
  const written = quoted(value)
  const known = [...text.matchAll(DEFINITION)].filter(match => match[1] === name)
  if (known.length > 0) {
    // What says the same already keeps its spelling.
    const others = known.filter(match => valueIn(match[2] ?? "") !== String(value))
    const splices = others.map(match => {
      const old = (match[2] ?? "").trimEnd()
      const at = match.index + match[0].length - (match[2] ?? "").length
      return { at, remove: old.length, insert: written }
    })
    return spliceText(text, splices)
  }
  const eol = lineEndOf(text)
  const gap = text === "" || text.endsWith("\n") ? "" : eol
  return `${text}${gap}${name}=${written}${eol}`
}

function quoted(value: Json): string {
  const text = String(value)
  if (/^[\w.:/@+=-]*$/.test(text)) return text
  return text.includes("'") ? `"${text}"` : `'${text}'`
}
