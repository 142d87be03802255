/** A bounded map from texts to small numbers that forgets what has been idle for longest, or for too long. */

import type { Clock } from "#core/clock.ts"

/** One entry as it is kept elsewhere. */
export type SlabEntry = { readonly key: string; readonly value: number; readonly usedAtMs: number }

/** The map. Looking up and setting are O(1) and make no garbage besides a new key. */
export type SlabLru = {
  /** Returns the number under `key`, {@link NOTHING} when there is none. A hit counts as a use. */
  readonly get: (key: string) => number
  readonly set: (key: string, value: number) => void
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

/** Columns by slot; the order of use is a doubly linked list in `previous` and `next`. Free slots are linked by `next`. */
type Slab = SlabLruParts & {
  readonly slots: Map<string, number>
  readonly keys: (string | undefined)[]
  values: Int32Array
  usedAtMs: Float64Array
  /** The last use that `takeChanged` or `restore` knows of. */
  keptAtMs: Float64Array
  previous: Int32Array
  next: Int32Array
  /** 1 while the slot stands in `changed`, which so never holds a slot twice. */
  listed: Uint8Array
  changed: number[]
  oldest: number
  newest: number
  free: number
  /** Slots that have ever been in use. */
  used: number
}

/** Makes an empty map. Memory grows with its entries, up to about 100 bytes and a key each. */
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
    oldestUseMs: () => (slab.oldest === NO_SLOT ? undefined : slab.usedAtMs[slab.oldest]),
  }
}

function emptySlab(parts: SlabLruParts): Slab {
  const length = Math.min(FIRST_SLOTS, parts.maxEntries)
  return {
    ...parts,
    slots: new Map(),
    keys: [],
    values: new Int32Array(length),
    usedAtMs: new Float64Array(length),
    keptAtMs: new Float64Array(length),
    previous: new Int32Array(length),
    next: new Int32Array(length),
    listed: new Uint8Array(length),
    changed: [],
    oldest: NO_SLOT,
    newest: NO_SLOT,
    free: NO_SLOT,
    used: 0,
  }
}

function use(slab: Slab, slot: number): number {
  const nowMs = slab.clock()
  if (isIdle(slab, slot, nowMs)) {
    drop(slab, slot)
    return NOTHING
  }
  touch(slab, slot, nowMs)
  return slab.values[slot] ?? NOTHING
}

function touch(slab: Slab, slot: number, nowMs: number): void {
  slab.usedAtMs[slot] = nowMs
  if (nowMs - (slab.keptAtMs[slot] ?? 0) > slab.idleMs / USE_STEPS) list(slab, slot)
  if (slab.newest === slot) return
  unlink(slab, slot)
  append(slab, slot)
}

function put(slab: Slab, key: string, value: number, nowMs: number): void {
  const known = slab.slots.get(key)
  if (known === undefined) {
    list(slab, insert(slab, key, value, nowMs))
    return
  }
  if (slab.values[known] !== value) list(slab, known)
  slab.values[known] = value
  touch(slab, known, nowMs)
}

function insert(slab: Slab, key: string, value: number, usedAtMs: number): number {
  const slot = takeSlot(slab)
  slab.slots.set(key, slot)
  slab.keys[slot] = key
  slab.values[slot] = value
  slab.usedAtMs[slot] = usedAtMs
  slab.keptAtMs[slot] = usedAtMs
  append(slab, slot)
  return slot
}

function takeSlot(slab: Slab): number {
  if (slab.slots.size >= slab.maxEntries) drop(slab, slab.oldest)
  if (slab.free !== NO_SLOT) {
    const slot = slab.free
    slab.free = slab.next[slot] ?? NO_SLOT
    return slot
  }
  if (slab.used === slab.values.length) grow(slab)
  slab.used += 1
  return slab.used - 1
}

function grow(slab: Slab): void {
  const length = Math.min(slab.maxEntries, slab.values.length * 2)
  slab.values = copied(slab.values, new Int32Array(length))
  slab.usedAtMs = copied(slab.usedAtMs, new Float64Array(length))
  slab.keptAtMs = copied(slab.keptAtMs, new Float64Array(length))
  slab.previous = copied(slab.previous, new Int32Array(length))
  slab.next = copied(slab.next, new Int32Array(length))
  slab.listed = copied(slab.listed, new Uint8Array(length))
}

function copied<Column extends Int32Array | Float64Array | Uint8Array>(from: Column, to: Column): Column {
  to.set(from)
  return to
}

function isIdle(slab: Slab, slot: number, nowMs: number): boolean {
  return nowMs - (slab.usedAtMs[slot] ?? 0) > slab.idleMs
}

function sweep(slab: Slab, maxEntries: number, nowMs: number): void {
  for (let left = maxEntries; left > 0; left -= 1) {
    if (slab.oldest === NO_SLOT || !isIdle(slab, slab.oldest, nowMs)) return
    drop(slab, slab.oldest)
  }
}

function drop(slab: Slab, slot: number): void {
  unlink(slab, slot)
  slab.slots.delete(slab.keys[slot] ?? "")
  slab.keys[slot] = undefined
  slab.next[slot] = slab.free
  slab.free = slot
}

function list(slab: Slab, slot: number): void {
  if (slab.listed[slot] === 1) return
  slab.listed[slot] = 1
  slab.changed.push(slot)
}

function takeChanged(slab: Slab, maxEntries: number): readonly SlabEntry[] {
  const entries: SlabEntry[] = []
  for (const slot of slab.changed.splice(0, maxEntries)) {
    slab.listed[slot] = 0
    const key = slab.keys[slot]
    // Dropped in the meantime: there is nothing left to keep.
    if (key === undefined) continue
    const usedAtMs = slab.usedAtMs[slot] ?? 0
    slab.keptAtMs[slot] = usedAtMs
    entries.push({ key, value: slab.values[slot] ?? NOTHING, usedAtMs })
  }
  return entries
}

function append(slab: Slab, slot: number): void {
  slab.previous[slot] = slab.newest
  slab.next[slot] = NO_SLOT
  if (slab.newest === NO_SLOT) slab.oldest = slot
  else slab.next[slab.newest] = slot
  slab.newest = slot
}

function unlink(slab: Slab, slot: number): void {
  const previous = slab.previous[slot] ?? NO_SLOT
  const next = slab.next[slot] ?? NO_SLOT
  if (previous === NO_SLOT) slab.oldest = next
  else slab.next[previous] = next
  if (next === NO_SLOT) slab.newest = previous
  else slab.previous[next] = previous
}
