/** Accounts that are alike for every request share a class: whether a request may use one is then asked once a class. */

import type { ProviderId } from "#core/ids.ts"

import { addClass, type ClassMask, eachClass, makeClassMask } from "./class-mask.ts"
import { makeModelSets } from "./model-sets.ts"

/** What makes accounts alike. Later criteria (priority, tier, policy band) join here. */
export type ClassSignature = {
  readonly provider: ProviderId
  readonly egress: string
  /** Undefined = unknown, which counts as "may serve anything". */
  readonly models: ReadonlySet<string> | undefined
  /** Models that are blocked, sorted. */
  readonly stopped: readonly string[]
  /** Models whose only allowed probe is under way, sorted: they may be waited for. */
  readonly held: readonly string[]
}

/** What a request asks of a class. */
export type Wanted = {
  readonly model: string
  /** Undefined = any. */
  readonly providers: readonly ProviderId[] | undefined
}

/** Which classes serve a request; fetch it anew for each use, classes come and go. */
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
  /** Accounts that could serve once they have a free slot. */
  readonly countReady: (eligibility: Eligibility) => number
  /** Call when something outside the signatures changed, such as the blocks of a way out. */
  readonly invalidate: () => void
}

/** Parts of the registry. */
export type ClassesParts = {
  /** True while the whole way out is blocked. */
  readonly egressBlocked: (egress: string) => boolean
}

type Entry = { readonly key: string; readonly signature: ClassSignature; members: number; ready: number }
type State = { readonly entries: (Entry | undefined)[]; generation: number }

/** Requests name models freely; beyond this many kinds the cache starts over. */
const MAX_CACHED = 512

/** Makes an empty registry. */
export function makeClasses(parts: ClassesParts): Classes {
  const state: State = { entries: [], generation: 0 }
  const numbers = new Map<string, number>()
  const free: number[] = []
  const numberOfModels = makeModelSets()

  function open(key: string, signature: ClassSignature): number {
    const classId = free.pop() ?? state.entries.length
    state.entries[classId] = { key, signature, members: 0, ready: 0 }
    numbers.set(key, classId)
    state.generation += 1
    return classId
  }

  return {
    join: signature => {
      const key = keyOf(signature, numberOfModels(signature.models))
      const classId = numbers.get(key) ?? open(key, signature)
      const entry = state.entries[classId]
      if (entry !== undefined) entry.members += 1
      return classId
    },
    leave: classId => {
      const entry = state.entries[classId]
      if (entry === undefined) return
      entry.members -= 1
      if (entry.members > 0) return
      state.entries[classId] = undefined
      numbers.delete(entry.key)
      free.push(classId)
      state.generation += 1
    },
    addReady: (classId, difference) => {
      const entry = state.entries[classId]
      if (entry !== undefined) entry.ready += difference
    },
    eligibility: makeEligibilityCache(state, parts),
    countReady: ({ ready }) => {
      let count = 0
      eachClass(ready, ready, classId => {
        count += state.entries[classId]?.ready ?? 0
      })
      return count
    },
    invalidate: () => {
      state.generation += 1
    },
  }
}

/** Equal for equal signatures. Most accounts have no blocked models, and a thousand of them join at start. */
function keyOf({ provider, egress, stopped, held }: ClassSignature, models: number): string {
  const base = `${provider} ${models} ${egress}`
  return stopped.length + held.length === 0 ? base : JSON.stringify([base, stopped, held])
}

/** Names a kind of request; equal for requests that the same accounts may serve. */
export function wantedKey({ providers, model }: Wanted): string {
  return `${providers?.join(",") ?? "*"}|${model}`
}

function makeEligibilityCache(state: State, parts: ClassesParts): (wanted: Wanted) => Eligibility {
  const cache = new Map<string, Eligibility>()
  return wanted => {
    const key = wantedKey(wanted)
    const cached = cache.get(key)
    if (cached?.generation === state.generation) return cached
    if (cached === undefined && cache.size >= MAX_CACHED) cache.clear()
    const built = buildEligibility(state, wanted, parts)
    cache.set(key, built)
    return built
  }
}

function buildEligibility(state: State, { model, providers }: Wanted, parts: ClassesParts): Eligibility {
  const pickable = makeClassMask(state.entries.length)
  const ready = makeClassMask(state.entries.length)
  state.entries.forEach((entry, classId) => {
    if (entry === undefined || !mayServe(entry.signature, { model, providers })) return
    if (parts.egressBlocked(entry.signature.egress)) return
    addClass(ready, classId)
    if (!entry.signature.held.includes(model)) addClass(pickable, classId)
  })
  return { model, providers, generation: state.generation, pickable, ready }
}

function mayServe(signature: ClassSignature, { model, providers }: Wanted): boolean {
  if (providers?.includes(signature.provider) === false) return false
  if (signature.models?.has(model) === false) return false
  return !signature.stopped.includes(model)
}
