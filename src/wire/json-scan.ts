/** Finds and replaces members in the text of a JSON object without parsing and re-writing the rest of it. */

const QUOTE = 34
const COMMA = 44
const COLON = 58
const OPEN_BRACKET = 91
const BACKSLASH = 92
const CLOSE_BRACKET = 93
const OPEN_BRACE = 123
const CLOSE_BRACE = 125

/** A stretch of text: `text.slice(start, end)`. */
export type TextRange = { readonly start: number; readonly end: number }

type Member = { readonly key: string; readonly value: TextRange }

/** Returns the index after the string literal that opens at `start`, or -1 when it does not close. */
export function skipString(text: string, start: number): number {
  let at = start + 1
  for (;;) {
    const quote = text.indexOf('"', at)
    if (quote === -1) return -1
    let backslash = quote - 1
    while (text.charCodeAt(backslash) === BACKSLASH) backslash--
    // An even run of backslashes escapes itself, so the quote closes.
    if ((quote - backslash) % 2 === 1) return quote + 1
    at = quote + 1
  }
}

/** Returns the index after the JSON value that begins at `start`, or -1. Trusts what lies inside. */
function skipValue(text: string, start: number): number {
  const first = text.charCodeAt(start)
  if (first === QUOTE) return skipString(text, start)
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return skipNested(text, start)
  let at = start
  while (at < text.length && !endsScalar(text.charCodeAt(at))) at++
  return at === start ? -1 : at
}

function endsScalar(unit: number): boolean {
  return unit === COMMA || unit === CLOSE_BRACE || unit === CLOSE_BRACKET || unit <= 32
}

function skipNested(text: string, start: number): number {
  let depth = 0
  let at = start
  while (at < text.length) {
    const unit = text.charCodeAt(at)
    if (unit === QUOTE) {
      at = skipString(text, at)
      if (at === -1) return -1
      continue
    }
    if (unit === OPEN_BRACE || unit === OPEN_BRACKET) depth++
    else if (unit === CLOSE_BRACE || unit === CLOSE_BRACKET) depth--
    at++
    if (depth === 0) return at
  }
  return -1
}

function skipBlank(text: string, start: number): number {
  let at = start
  while (text.charCodeAt(at) <= 32) at++
  return at
}

/** Lists an object's members in order, or returns undefined when the text is not one well-formed object. */
function membersOf(text: string, range: TextRange): readonly Member[] | undefined {
  const members: Member[] = []
  let at = skipBlank(text, range.start)
  if (text.charCodeAt(at) !== OPEN_BRACE) return undefined
  at = skipBlank(text, at + 1)
  while (at < range.end && text.charCodeAt(at) !== CLOSE_BRACE) {
    const member = memberAt(text, at)
    if (member === undefined) return undefined
    members.push(member)
    at = skipBlank(text, member.value.end)
    if (text.charCodeAt(at) === COMMA) at = skipBlank(text, at + 1)
    else if (text.charCodeAt(at) !== CLOSE_BRACE) return undefined
  }
  return at < range.end ? members : undefined
}

function memberAt(text: string, start: number): Member | undefined {
  if (text.charCodeAt(start) !== QUOTE) return undefined
  const keyEnd = skipString(text, start)
  if (keyEnd === -1) return undefined
  const colon = skipBlank(text, keyEnd)
  if (text.charCodeAt(colon) !== COLON) return undefined
  const valueStart = skipBlank(text, colon + 1)
  const valueEnd = skipValue(text, valueStart)
  if (valueEnd === -1) return undefined
  return { key: text.slice(start + 1, keyEnd - 1), value: { start: valueStart, end: valueEnd } }
}

/**
 * Returns where the value of a top-level member stands in the object at `range`. Undefined when it is absent, when the
 * text is not an object, or when the key occurs twice: then the answer depends on the reader.
 */
export function findMember(text: string, range: TextRange, key: string): TextRange | undefined {
  const found = membersOf(text, range)?.filter(member => member.key === key) ?? []
  return found.length === 1 ? found[0]?.value : undefined
}

/** Returns the text of a top-level member's value; see {@link findMember}. */
export function memberText(objectText: string, key: string): string | undefined {
  const range = findMember(objectText, { start: 0, end: objectText.length }, key)
  return range === undefined ? undefined : objectText.slice(range.start, range.end)
}

/**
 * Returns the object text with the given members set to the given value texts: replaced where they stand, appended when
 * absent, everything else as it was. Undefined when the text is not a well-formed object.
 */
export function withMembers(objectText: string, values: ReadonlyMap<string, string>): string | undefined {
  const members = membersOf(objectText, { start: 0, end: objectText.length })
  if (members === undefined) return undefined
  let out = ""
  let copied = 0
  const seen = new Set<string>()
  for (const { key, value } of members) {
    const replacement = values.get(key)
    if (replacement === undefined) continue
    seen.add(key)
    out += objectText.slice(copied, value.start) + replacement
    copied = value.end
  }
  const close = objectText.lastIndexOf("}")
  out += objectText.slice(copied, close)
  let separator = members.length === 0 ? "" : ","
  for (const [key, value] of values) {
    if (seen.has(key)) continue
    out += `${separator}${JSON.stringify(key)}:${value}`
    separator = ","
  }
  return out + objectText.slice(close)
}

/** Returns the texts of an array's elements, or undefined when the text is not a well-formed array. */
export function elementTexts(arrayText: string): readonly string[] | undefined {
  const elements: string[] = []
  let at = skipBlank(arrayText, 0)
  if (arrayText.charCodeAt(at) !== OPEN_BRACKET) return undefined
  at = skipBlank(arrayText, at + 1)
  while (at < arrayText.length && arrayText.charCodeAt(at) !== CLOSE_BRACKET) {
    const end = skipValue(arrayText, at)
    if (end === -1) return undefined
    elements.push(arrayText.slice(at, end))
    at = skipBlank(arrayText, end)
    if (arrayText.charCodeAt(at) === COMMA) at = skipBlank(arrayText, at + 1)
    else if (arrayText.charCodeAt(at) !== CLOSE_BRACKET) return undefined
  }
  return at < arrayText.length ? elements : undefined
}
