/** Accounts that are alike for every request share a class: whether a request may use one is then asked once a class. */

import { addClass, type ClassMask, hasClass, makeClassMask } from "./class-mask.ts"
import { makeModelSets } from "./model-sets.ts"
import type { Layout } from "./shelves.ts"
import { type ClassSignature, mayServe, signatureKey, type Wanted, wantedKey } from "./signature.ts"

/** Which classes serve a request, by position; fetch it anew for each use, classes come and go. */
export type Eligibility = Wanted & {
  readonly generation: number
  /** May be picked now. */
  readonly pickable: ClassMask
  /** Serves once a slot is free: pickable, or its probe is under way. */
  readonly ready: ClassMask
}

/** Numbers classes and remembers who may serve what. */
export type Classes = {
  /** Returns the number of the class and counts one more member. */
  readonly join: (signature: ClassSignature) => number
  readonly leave: (classId: number) => void
  /** Adds to the number of the class's accounts that are usable apart from their load. */
  readonly addReady: (classId: number, difference: 1 | -1) => void
  readonly eligibility: (wanted: Wanted) => Eligibility
  /** True when the mask, one of an eligibility, has the class; undefined is in no mask. */
  readonly isIn: (mask: ClassMask, classId: number | undefined) => boolean
  /** Accounts that could serve once they have a free slot. */
  readonly countReady: (eligibility: Eligibility) => number
  /** Call when something outside the signatures changed, such as the blocks of a way out. */
  readonly invalidate: () => void
  /** Classes there are, empty ones included. */
  readonly size: () => number
}

/** Parts of the registry. */
export type ClassesParts = {
  /** True while classes like this one are kept from the model by something outside their signature. */
  readonly isBarred: (signature: ClassSignature, model: string) => boolean
  /** Told about every new order of classes. */
  readonly arrange: (layout: Layout) => void
}

type Entry = { readonly key: string; readonly signature: ClassSignature; members: number; ready: number }
type State = { readonly entries: (Entry | undefined)[]; positionOf: readonly number[]; generation: number }

/** Requests name models freely; beyond this many kinds the cache starts over. */
const MAX_CACHED = 512
/** Accounts move between tiers and bands and back: empty classes are kept until this many have gathered. */
const MAX_EMPTY = 64

/** Makes an empty registry. */
export function makeClasses(parts: ClassesParts): Classes {
  const state: State = { entries: [], positionOf: [], generation: 0 }
  const numbers = new Map<string, number>()
  const free: number[] = []
  const numberOfModels = makeModelSets()
  let empty = 0

  function arrange(): void {
    const classAt = [...numbers.values()].sort((left, right) => rankIn(state, left) - rankIn(state, right))
    const positionOf: number[] = []
    classAt.forEach((classId, position) => {
      positionOf[classId] = position
    })
    state.positionOf = positionOf
    state.generation += 1
    parts.arrange({ classAt, rankAt: classAt.map(classId => rankIn(state, classId)), positionOf })
  }

  function open(key: string, signature: ClassSignature): number {
    const classId = free.pop() ?? state.entries.length
    state.entries[classId] = { key, signature, members: 0, ready: 0 }
    numbers.set(key, classId)
    empty += 1
    arrange()
    return classId
  }

  function dropEmpty(): void {
    state.entries.forEach((entry, classId) => {
      if (entry === undefined || entry.members > 0) return
      state.entries[classId] = undefined
      numbers.delete(entry.key)
      free.push(classId)
    })
    empty = 0
    arrange()
  }

  return {
    join: signature => {
      const key = signatureKey(signature, numberOfModels(signature.models))
      const classId = numbers.get(key) ?? open(key, signature)
      const entry = state.entries[classId]
      if (entry === undefined) return classId
      if (entry.members === 0) empty -= 1
      entry.members += 1
      return classId
    },
    leave: classId => {
      const entry = state.entries[classId]
      if (entry === undefined) return
      entry.members -= 1
      if (entry.members > 0) return
      empty += 1
      if (empty > MAX_EMPTY) dropEmpty()
    },
    addReady: (classId, difference) => {
      const entry = state.entries[classId]
      if (entry !== undefined) entry.ready += difference
    },
    eligibility: makeEligibilityCache(state, parts),
    isIn: (mask, classId) => classId !== undefined && hasClass(mask, state.positionOf[classId]),
    countReady: ({ ready }) => countReady(state, ready),
    invalidate: () => {
      state.generation += 1
    },
    size: () => numbers.size,
  }
}

function rankIn({ entries }: State, classId: number): number {
  return entries[classId]?.signature.rank ?? 0
}

function countReady(state: State, ready: ClassMask): number {
  let count = 0
  state.entries.forEach((entry, classId) => {
    if (entry !== undefined && entry.ready > 0 && hasClass(ready, state.positionOf[classId])) count += entry.ready
  })
  return count
}

function makeEligibilityCache(state: State, parts: ClassesParts): (wanted: Wanted) => Eligibility {
  // The usual request asks for nothing but a model, whose name needs no putting together.
  const plain = new Map<string, Eligibility>()
  const others = new Map<string, Eligibility>()
  return wanted => {
    const { providers, tags, notPlans, scope } = wanted
    const isPlain = [providers, tags, notPlans, scope].every(wish => wish === undefined)
    const cache = isPlain ? plain : others
    const key = isPlain ? wanted.model : wantedKey(wanted)
    const cached = cache.get(key)
    if (cached?.generation === state.generation) return cached
    if (cached === undefined && cache.size >= MAX_CACHED) cache.clear()
    const built = buildEligibility(state, wanted, parts)
    cache.set(key, built)
    return built
  }
}

function buildEligibility(state: State, wanted: Wanted, parts: ClassesParts): Eligibility {
  const { model, providers, tags, notPlans, scope } = wanted
  const pickable = makeClassMask(state.entries.length)
  const ready = makeClassMask(state.entries.length)
  state.entries.forEach((entry, classId) => {
    if (entry === undefined || !mayServe(entry.signature, wanted)) return
    if (parts.isBarred(entry.signature, model)) return
    const position = state.positionOf[classId] ?? 0
    addClass(ready, position)
    if (!entry.signature.held.includes(model)) addClass(pickable, position)
  })
  return { model, providers, tags, notPlans, scope, generation: state.generation, pickable, ready }
}
