/** Orders by a number an account carries: one heap a class, the smallest key on top. Everything is O(log n). */

import { type Cells, CLASS, NONE, WIDTH } from "./cells.ts"
import type { PickOrder, Skips } from "./order.ts"
import { branchesOf, makeWideHeap, pushKey, raiseKey, removeKey, type WideHeap } from "./wide-heap.ts"

/** Where keys come from. */
export type KeyHeapsOptions = {
  readonly cells: Cells
  /**
   * Key of an account that enters the order. `last` is the one it left with, NaN for a newcomer; `floor` is the key of
   * whoever was taken last, of any account.
   */
  readonly keyOf: (account: number, last: number, floor: number) => number
  /** Key of an account that was just taken. */
  readonly keyAfter: (account: number, key: number) => number
}

type Heaps = {
  readonly cells: Cells
  readonly byClass: WideHeap[]
  /** The key an account has, or had when it left the order. */
  keys: Float64Array
  /** Place in the heap of the account's class. */
  places: Int32Array
  floor: number
}

/** Makes empty heaps over the cells. */
export function makeKeyHeaps({ cells, keyOf, keyAfter }: KeyHeapsOptions): PickOrder {
  const { size } = cells
  const heaps: Heaps = {
    cells,
    byClass: [],
    keys: new Float64Array(size).fill(Number.NaN),
    places: new Int32Array(size).fill(NONE),
    floor: 0,
  }

  function add(account: number): void {
    if (account >= heaps.keys.length) makeRoom(heaps)
    const key = keyOf(account, heaps.keys[account] ?? Number.NaN, heaps.floor)
    heaps.keys[account] = key
    pushKey(heapOf(heaps, account), heaps.places, account, key)
  }

  /** Keys only grow by being taken. Returns the new one. */
  function advance(account: number): number {
    const key = heaps.keys[account] ?? 0
    const after = keyAfter(account, key)
    heaps.floor = key
    heaps.keys[account] = after
    return after
  }

  return {
    add,
    drop: account => leave(heaps, account),
    taken: account => raiseKey(heapOf(heaps, account), heaps.places, account, advance(account)),
    filled: account => {
      leave(heaps, account)
      advance(account)
    },
    forget: account => {
      if (account < heaps.keys.length) heaps.keys[account] = Number.NaN
    },
    given: () => undefined,
    isEmpty: classId => (heaps.byClass[classId]?.size ?? 0) === 0,
    first: (classId, skips) => {
      const heap = heaps.byClass[classId]
      return heap === undefined ? NONE : firstBelow(heap, skips, 0)
    },
    beats: (challenger, best) => (heaps.keys[challenger] ?? 0) < (heaps.keys[best] ?? 0),
  }
}

function heapOf({ cells, byClass }: Heaps, account: number): WideHeap {
  const classId = cells.ints[account * WIDTH + CLASS] ?? 0
  const known = byClass[classId]
  if (known !== undefined) return known
  const heap = makeWideHeap()
  byClass[classId] = heap
  return heap
}

function leave(heaps: Heaps, account: number): void {
  removeKey(heapOf(heaps, account), heaps.places, account)
}

/** The smallest key at or below `place` that is not skipped: only below a skipped account the branches are looked at. */
function firstBelow(heap: WideHeap, skips: Skips, place: number): number {
  const found = placeBelow(heap, skips, place)
  return found === NONE ? NONE : (heap.accounts[found] ?? NONE)
}

function placeBelow(heap: WideHeap, skips: Skips, place: number): number {
  if (place >= heap.size) return NONE
  if (!skips(heap.accounts[place] ?? NONE)) return place
  let best = NONE
  const { from, to } = branchesOf(heap, place)
  for (let branch = from; branch < to; branch++) {
    const found = placeBelow(heap, skips, branch)
    if (found !== NONE && (best === NONE || (heap.keys[found] ?? 0) < (heap.keys[best] ?? 0))) best = found
  }
  return best
}

function makeRoom(heaps: Heaps): void {
  const { size } = heaps.cells
  const keys = new Float64Array(size).fill(Number.NaN)
  keys.set(heaps.keys)
  const places = new Int32Array(size).fill(NONE)
  places.set(heaps.places)
  heaps.keys = keys
  heaps.places = places
}
