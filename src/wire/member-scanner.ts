/** Finds the values of known keys in small flat JSON objects without parsing them: the hot path of a stream. */

import { skipString } from "./json-scan.ts"

const SPACE = 32
const QUOTE = 34
const COMMA = 44
const COLON = 58
const OPEN_BRACKET = 91
const CLOSE_BRACKET = 93
const OPEN_BRACE = 123
const CLOSE_BRACE = 125

/**
 * Scans objects for the keys it was made with; keys are named by their position in that list.
 * `start` and `end` give the last scanned object's value (quotes included), -1 when the key was absent.
 */
export type MemberScanner = {
  /**
   * False when anything is unexpected: nested values, an escape in a key, a known key that occurs twice, blanks in odd
   * places, text after the object. The caller then parses.
   */
  readonly scan: (text: string, start: number, end: number) => boolean
  readonly start: (key: number) => number
  readonly end: (key: number) => number
  /** Where each member's value stands in the last scanned object, in order: start, end, start, end, … */
  readonly values: () => readonly number[]
}

type State = {
  readonly keys: readonly string[]
  readonly starts: Int32Array
  readonly ends: Int32Array
  readonly values: number[]
  /** Set by {@link readKey}. */
  key: number
}

/** Makes a scanner. */
export function makeMemberScanner(keys: readonly string[]): MemberScanner {
  const state: State = {
    keys,
    starts: new Int32Array(keys.length),
    ends: new Int32Array(keys.length),
    values: [],
    key: -1,
  }
  return {
    scan: (text, start, end) => scan(state, text, start, end),
    start: key => state.starts[key] ?? -1,
    end: key => state.ends[key] ?? -1,
    values: () => state.values,
  }
}

function scan(state: State, text: string, start: number, end: number): boolean {
  state.starts.fill(-1)
  state.ends.fill(-1)
  state.values.length = 0
  if (text.charCodeAt(start) !== OPEN_BRACE) return false
  let at = start + 1
  for (;;) {
    const valueStart = readKey(state, text, at)
    const valueEnd = valueStart === -1 ? -1 : skipFlatValue(text, valueStart)
    // A value that runs past the object belongs to a broken frame.
    if (valueEnd === -1 || valueEnd >= end) return false
    if (!note(state, valueStart, valueEnd)) return false
    const next = text.charCodeAt(valueEnd)
    if (next !== COMMA) return next === CLOSE_BRACE && valueEnd + 1 === end
    at = skipSpaces(text, valueEnd + 1)
  }
}

/** False when a known key occurs twice: then the answer depends on the reader. */
function note(state: State, valueStart: number, valueEnd: number): boolean {
  state.values.push(valueStart, valueEnd)
  if (state.key === -1) return true
  if (state.starts[state.key] !== -1) return false
  state.starts[state.key] = valueStart
  state.ends[state.key] = valueEnd
  return true
}

/** Reads the key at `at` into `state.key` and returns where its value begins, or -1. */
function readKey(state: State, text: string, at: number): number {
  if (text.charCodeAt(at) !== QUOTE) return -1
  const close = text.indexOf('"', at + 1)
  if (close === -1 || text.charCodeAt(close + 1) !== COLON) return -1
  const name = text.slice(at + 1, close)
  if (name.includes("\\")) return -1
  state.key = state.keys.indexOf(name)
  return skipSpaces(text, close + 2)
}

function skipSpaces(text: string, start: number): number {
  let at = start
  while (text.charCodeAt(at) === SPACE) at++
  return at
}

/** Skips a string, number, word or empty container; -1 for anything nested. */
export function skipFlatValue(text: string, start: number): number {
  const first = text.charCodeAt(start)
  if (first === QUOTE) return skipString(text, start)
  if (first === OPEN_BRACKET) return text.charCodeAt(start + 1) === CLOSE_BRACKET ? start + 2 : -1
  if (first === OPEN_BRACE) return text.charCodeAt(start + 1) === CLOSE_BRACE ? start + 2 : -1
  let at = start
  while (isScalarUnit(text.charCodeAt(at))) at++
  return at === start ? -1 : at
}

/** Digits, letters, `+`, `-`, `.`: what numbers and `true`, `false`, `null` are made of. */
function isScalarUnit(unit: number): boolean {
  return (
    (unit >= 48 && unit <= 57) ||
    (unit >= 97 && unit <= 122) ||
    unit === 45 ||
    unit === 46 ||
    unit === 43 ||
    unit === 69
  )
}
