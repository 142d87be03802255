/** Finds where a text stops being JSON, which `JSON.parse` does not say. Runs only on broken files. */

/** Line and column, both from 1; the column counts UTF-16 units as editors do. */
export type TextPosition = { readonly line: number; readonly column: number }

const WHITE_SPACE = /[ \t\n\r]*/y
const STRING = /"(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y
const SCALAR = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y

/** What may come next. `value-or-end` stands after `[`, `key-or-end` after `{`. */
type Expectation = "value" | "value-or-end" | "key" | "key-or-end" | "colon" | "comma-or-end"

type Scan = { at: number; expects: Expectation; readonly open: string[] }

function matchLength(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0].length ?? 0
}

function closes(scan: Scan, character: string): boolean {
  const mayClose = scan.expects === "value-or-end" || scan.expects === "key-or-end" || scan.expects === "comma-or-end"
  return mayClose && scan.open.at(-1) === character
}

function readValue(text: string, scan: Scan): boolean {
  const character = text[scan.at]
  if (character === "{" || character === "[") {
    scan.open.push(character === "{" ? "}" : "]")
    scan.expects = character === "{" ? "key-or-end" : "value-or-end"
    scan.at += 1
    return true
  }
  const length = matchLength(character === '"' ? STRING : SCALAR, text, scan.at)
  scan.at += length
  scan.expects = "comma-or-end"
  return length > 0
}

function readKey(text: string, scan: Scan): boolean {
  const length = matchLength(STRING, text, scan.at)
  scan.at += length
  scan.expects = "colon"
  return length > 0
}

function readPunctuation(text: string, scan: Scan): boolean {
  const wanted = scan.expects === "colon" ? ":" : ","
  if (text[scan.at] !== wanted) return false
  scan.at += 1
  if (wanted === ":") scan.expects = "value"
  else scan.expects = scan.open.at(-1) === "}" ? "key" : "value"
  return true
}

/** Reads one token; false when the token at `scan.at` is not one that may stand there. */
function step(text: string, scan: Scan): boolean {
  const character = text[scan.at]
  if (character !== undefined && closes(scan, character)) {
    scan.open.pop()
    scan.at += 1
    scan.expects = "comma-or-end"
    return true
  }
  if (scan.expects === "value" || scan.expects === "value-or-end") return readValue(text, scan)
  if (scan.expects === "key" || scan.expects === "key-or-end") return readKey(text, scan)
  return scan.open.length > 0 && readPunctuation(text, scan)
}

/** Returns the offset of the first token that cannot stand where it stands, or undefined for valid JSON. */
export function findJsonFault(text: string): number | undefined {
  const scan: Scan = { at: 0, expects: "value", open: [] }
  for (;;) {
    scan.at += matchLength(WHITE_SPACE, text, scan.at)
    const done = scan.expects === "comma-or-end" && scan.open.length === 0
    if (done && scan.at === text.length) return undefined
    if (done || !step(text, scan)) return scan.at
  }
}

/** Turns an offset into line and column. */
export function positionAt(text: string, offset: number): TextPosition {
  const before = text.slice(0, offset)
  const lastBreak = before.lastIndexOf("\n")
  return { line: before.split("\n").length, column: offset - lastBreak }
}

/** Text that was cut off: nothing is left to read, or a string that is never closed. */
const CUT_OFF = /^\s*$|^"(?:[^"\\]|\\.)*\\?$/s

/** Says where `text` is broken: `line 3, column 14`, or that it ends too early. */
export function describeJsonFault(text: string, firstLine = 1): string {
  const offset = findJsonFault(text) ?? text.length
  const isCutOff = CUT_OFF.test(text.slice(offset))
  const { line, column } = positionAt(text, isCutOff ? text.length : offset)
  const where = `line ${line + firstLine - 1}, column ${column}`
  return isCutOff ? `not complete JSON: it ends at ${where}` : `not valid JSON at ${where}`
}
