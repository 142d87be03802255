/** Recognises objects that look like the previous one: the events of a stream differ in two or three values only. */

import { skipFlatValue } from "./member-scanner.ts"

/**
 * Learned from objects that were scanned in full, together with the text around them. A match costs one comparison for
 * each stretch of text between the values that vary, and proves the same structure: nothing that matches is unknown.
 */
export type MemberTemplate = {
  /**
   * Returns the index after the text that matches at `start`, or -1. Only values that vary differ in it; the watched
   * one stands at `start()` … `end()`.
   */
  readonly match: (text: string, start: number) => number
  readonly start: () => number
  readonly end: () => number
  /** Takes a scanned object; see {@link LearnedObject}. */
  readonly learn: (object: LearnedObject) => void
}

/** An object that was scanned. Values are named by where they begin. */
export type LearnedObject = {
  readonly text: string
  /** Where the text to compare begins and ends: the object and what always stands around it. */
  readonly start: number
  readonly end: number
  /** Where its values stand: pairs of start and end, in order. */
  readonly values: readonly number[]
  /** The value to watch. */
  readonly watched: number
  /** Values that must be equal for a match, however often they have changed. */
  readonly pinned: readonly number[]
}

type State = {
  /** The object without its values, to tell whether a new one has the same keys. */
  skeleton: string
  lastValues: readonly string[]
  /** By member: the value differed between objects of this skeleton. */
  varies: boolean[]
  /** Text before each varying value, and after the last one. */
  stretches: readonly string[]
  /** Which of the varying values is the watched one. */
  watchedAt: number
  start: number
  end: number
}

/** Makes an empty template, which matches nothing. */
export function makeMemberTemplate(): MemberTemplate {
  const state: State = {
    skeleton: "",
    lastValues: [],
    varies: [],
    stretches: [],
    watchedAt: -1,
    start: -1,
    end: -1,
  }
  return {
    match: (text, start) => match(state, text, start),
    start: () => state.start,
    end: () => state.end,
    learn: object => learn(state, object),
  }
}

function match(state: State, text: string, start: number): number {
  const { stretches, watchedAt } = state
  const last = stretches.length - 1
  let at = start
  for (let index = 0; index < last; index++) {
    const stretch = stretches[index] ?? ""
    if (!text.startsWith(stretch, at)) return -1
    const value = at + stretch.length
    at = skipFlatValue(text, value)
    if (at === -1) return -1
    if (index === watchedAt) {
      state.start = value
      state.end = at
    }
  }
  const tail = stretches[last]
  return tail !== undefined && text.startsWith(tail, at) ? at + tail.length : -1
}

function learn(state: State, object: LearnedObject): void {
  const { skeleton, values } = takeApart(object)
  if (skeleton === state.skeleton) {
    state.varies = values.map((value, member) => state.varies[member] === true || value !== state.lastValues[member])
  } else state.varies = values.map(() => false)
  const watchedMember = object.values.indexOf(object.watched) / 2
  for (const start of object.pinned) {
    const index = object.values.indexOf(start)
    if (start !== -1 && index !== -1) state.varies[index / 2] = false
  }
  state.varies[watchedMember] = true
  state.skeleton = skeleton
  state.lastValues = values
  state.watchedAt = state.varies.slice(0, watchedMember).filter(Boolean).length
  state.stretches = cutStretches(object, state.varies)
}

type Apart = { readonly skeleton: string; readonly values: readonly string[] }

function takeApart({ text, start, end, values }: LearnedObject): Apart {
  const found: string[] = []
  let skeleton = ""
  let at = start
  for (let index = 0; index < values.length; index += 2) {
    const valueEnd = values[index + 1] ?? at
    skeleton += `${text.slice(at, values[index])}\n`
    found.push(text.slice(values[index], valueEnd))
    at = valueEnd
  }
  return { skeleton: skeleton + text.slice(at, end), values: found }
}

function cutStretches({ text, start, end, values }: LearnedObject, varies: readonly boolean[]): readonly string[] {
  const stretches: string[] = []
  let at = start
  for (const [member, isVarying] of varies.entries()) {
    if (!isVarying) continue
    stretches.push(text.slice(at, values[2 * member]))
    at = values[2 * member + 1] ?? at
  }
  return [...stretches, text.slice(at, end)]
}
