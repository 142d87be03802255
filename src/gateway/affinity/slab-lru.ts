/** A bounded map from large numbers to small ones that forgets what has been idle for longest, or for too long. */

import type { Clock } from "#core/clock.ts"

/** One entry as it is kept elsewhere. */
export type SlabEntry = { readonly key: number; readonly value: number; readonly usedAtMs: number }

/**
 * The map. Looking up and setting are O(1) and make no garbage. Keys are integers of up to 53 bits, and values are not
 * negative: a Map of texts takes six times as long to look into once it is larger than the processor's caches.
 */
export type SlabLru = {
  /** Returns the number under `key`, {@link NOTHING} when there is none. A hit counts as a use. */
  readonly get: (key: number) => number
  readonly set: (key: number, value: number) => void
  /** Puts back what was kept elsewhere, unless the key is known; entries come in ascending order of their last use. */
  readonly restore: (entry: SlabEntry) => void
  /** Drops up to `maxEntries` that were idle for too long. */
  readonly expire: (maxEntries: number) => void
  /** Returns up to `maxEntries` that have changed since they were last returned, or whose last use has moved on much. */
  readonly takeChanged: (maxEntries: number) => readonly SlabEntry[]
  readonly size: () => number
  /** Last use of the entry that would go next, undefined when there is none. */
  readonly oldestUseMs: () => number | undefined
}

/** What a map is made with. */
export type SlabLruParts = {
  readonly clock: Clock
  readonly maxEntries: number
  /** An entry that is not used for so long is gone. Its age does not matter. */
  readonly idleMs: number
}

/** The number of no entry; values are never negative. */
export const NOTHING = -1

const NO_SLOT = -1
const FIRST_SLOTS = 1024
/** Entries that each new one may sweep away, so that an idle map shrinks with what comes in. */
const SWEEP = 2
/** Last uses may be kept elsewhere this part of the idle time too old: writing every single use down would cost more. */
const USE_STEPS = 12

/**
 * What is known of a slot lies side by side: a hit in a large map costs mostly the memory that it waits for. The order of use
 * is a doubly linked list; free slots are linked by `NEXT`.
 */
const VALUE = 0
const PREVIOUS = 1
const NEXT = 2
/** 1 while the slot stands in `changed`, which so never holds a slot twice. */
const LISTED = 3
const NUMBERS = 4

const KEY = 0
const USED_AT_MS = 1
/** The last use that `takeChanged` or `restore` knows of. */
const KEPT_AT_MS = 2
const LARGE = 3

type Slab = SlabLruParts & {
  readonly slots: Map<number, number>
  numbers: Int32Array
  large: Float64Array
  changed: number[]
  oldest: number
  newest: number
  free: number
  /** Slots that have ever been in use. */
  used: number
}

/** Makes an empty map. Memory grows with its entries, up to about 80 bytes each. */
export function makeSlabLru(parts: SlabLruParts): SlabLru {
  const slab = emptySlab(parts)
  return {
    get: key => {
      const slot = slab.slots.get(key)
      return slot === undefined ? NOTHING : use(slab, slot)
    },
    set: (key, value) => {
      const nowMs = parts.clock()
      sweep(slab, SWEEP, nowMs)
      put(slab, key, value, nowMs)
    },
    restore: ({ key, value, usedAtMs }) => {
      if (!slab.slots.has(key)) insert(slab, key, value, usedAtMs)
    },
    expire: maxEntries => sweep(slab, maxEntries, parts.clock()),
    takeChanged: maxEntries => takeChanged(slab, maxEntries),
    size: () => slab.slots.size,
    oldestUseMs: () => (slab.oldest === NO_SLOT ? undefined : largeAt(slab, slab.oldest, USED_AT_MS)),
  }
}

function emptySlab(parts: SlabLruParts): Slab {
  const length = Math.min(FIRST_SLOTS, parts.maxEntries)
  return {
    ...parts,
    slots: new Map(),
    numbers: new Int32Array(length * NUMBERS),
    large: new Float64Array(length * LARGE),
    changed: [],
    oldest: NO_SLOT,
    newest: NO_SLOT,
    free: NO_SLOT,
    used: 0,
  }
}

function numberAt(slab: Slab, slot: number, column: number): number {
  return slab.numbers[slot * NUMBERS + column] ?? NO_SLOT
}

function setNumber(slab: Slab, slot: number, column: number, value: number): void {
  slab.numbers[slot * NUMBERS + column] = value
}

function largeAt(slab: Slab, slot: number, column: number): number {
  return slab.large[slot * LARGE + column] ?? 0
}

function setLarge(slab: Slab, slot: number, column: number, value: number): void {
  slab.large[slot * LARGE + column] = value
}

function use(slab: Slab, slot: number): number {
  const nowMs = slab.clock()
  if (isIdle(slab, slot, nowMs)) {
    drop(slab, slot)
    return NOTHING
  }
  touch(slab, slot, nowMs)
  return numberAt(slab, slot, VALUE)
}

function touch(slab: Slab, slot: number, nowMs: number): void {
  setLarge(slab, slot, USED_AT_MS, nowMs)
  if (nowMs - largeAt(slab, slot, KEPT_AT_MS) > slab.idleMs / USE_STEPS) list(slab, slot)
  if (slab.newest === slot) return
  unlink(slab, slot)
  append(slab, slot)
}

function put(slab: Slab, key: number, value: number, nowMs: number): void {
  const known = slab.slots.get(key)
  if (known === undefined) {
    list(slab, insert(slab, key, value, nowMs))
    return
  }
  if (numberAt(slab, known, VALUE) !== value) list(slab, known)
  setNumber(slab, known, VALUE, value)
  touch(slab, known, nowMs)
}

function insert(slab: Slab, key: number, value: number, usedAtMs: number): number {
  const slot = takeSlot(slab)
  slab.slots.set(key, slot)
  setNumber(slab, slot, VALUE, value)
  setLarge(slab, slot, KEY, key)
  setLarge(slab, slot, USED_AT_MS, usedAtMs)
  setLarge(slab, slot, KEPT_AT_MS, usedAtMs)
  append(slab, slot)
  return slot
}

function takeSlot(slab: Slab): number {
  if (slab.slots.size >= slab.maxEntries) drop(slab, slab.oldest)
  if (slab.free !== NO_SLOT) {
    const slot = slab.free
    slab.free = numberAt(slab, slot, NEXT)
    return slot
  }
  if (slab.used * NUMBERS === slab.numbers.length) grow(slab)
  slab.used += 1
  return slab.used - 1
}

function grow(slab: Slab): void {
  const length = Math.min(slab.maxEntries, slab.used * 2)
  const { numbers, large } = slab
  slab.numbers = new Int32Array(length * NUMBERS)
  slab.numbers.set(numbers)
  slab.large = new Float64Array(length * LARGE)
  slab.large.set(large)
}

function isIdle(slab: Slab, slot: number, nowMs: number): boolean {
  return nowMs - largeAt(slab, slot, USED_AT_MS) > slab.idleMs
}

function sweep(slab: Slab, maxEntries: number, nowMs: number): void {
  for (let left = maxEntries; left > 0; left -= 1) {
    if (slab.oldest === NO_SLOT || !isIdle(slab, slab.oldest, nowMs)) return
    drop(slab, slab.oldest)
  }
}

function drop(slab: Slab, slot: number): void {
  unlink(slab, slot)
  slab.slots.delete(largeAt(slab, slot, KEY))
  setNumber(slab, slot, VALUE, NOTHING)
  setNumber(slab, slot, NEXT, slab.free)
  slab.free = slot
}

function list(slab: Slab, slot: number): void {
  if (numberAt(slab, slot, LISTED) === 1) return
  setNumber(slab, slot, LISTED, 1)
  slab.changed.push(slot)
}

function takeChanged(slab: Slab, maxEntries: number): readonly SlabEntry[] {
  const entries: SlabEntry[] = []
  for (const slot of slab.changed.splice(0, maxEntries)) {
    setNumber(slab, slot, LISTED, 0)
    const value = numberAt(slab, slot, VALUE)
    // Dropped in the meantime: there is nothing left to keep.
    if (value === NOTHING) continue
    const usedAtMs = largeAt(slab, slot, USED_AT_MS)
    setLarge(slab, slot, KEPT_AT_MS, usedAtMs)
    entries.push({ key: largeAt(slab, slot, KEY), value, usedAtMs })
  }
  return entries
}

function append(slab: Slab, slot: number): void {
  setNumber(slab, slot, PREVIOUS, slab.newest)
  setNumber(slab, slot, NEXT, NO_SLOT)
  if (slab.newest === NO_SLOT) slab.oldest = slot
  else setNumber(slab, slab.newest, NEXT, slot)
  slab.newest = slot
}

function unlink(slab: Slab, slot: number): void {
  const previous = numberAt(slab, slot, PREVIOUS)
  const next = numberAt(slab, slot, NEXT)
  if (previous === NO_SLOT) slab.oldest = next
  else setNumber(slab, previous, NEXT, next)
  if (next === NO_SLOT) slab.newest = previous
  else setNumber(slab, next, PREVIOUS, previous)
}
