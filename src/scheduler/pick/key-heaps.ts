/** Orders by a number an account carries: one binary heap a class, the smallest key on top. Everything is O(log n). */

import { type Cells, CLASS, NONE, WIDTH } from "./cells.ts"
import type { PickOrder, Skips } from "./order.ts"

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
  readonly byClass: number[][]
  keys: Float64Array
  /** Place in the heap of the account's class. */
  places: Int32Array
  floor: number
}

/** Makes empty heaps over the cells. */
export function makeKeyHeaps({ cells, keyOf, keyAfter }: KeyHeapsOptions): PickOrder {
  const size = cells.uses.length
  const heaps: Heaps = {
    cells,
    byClass: [],
    keys: new Float64Array(size).fill(Number.NaN),
    places: new Int32Array(size).fill(NONE),
    floor: 0,
  }

  function add(account: number): void {
    if (account >= heaps.keys.length) makeRoom(heaps)
    heaps.keys[account] = keyOf(account, heaps.keys[account] ?? Number.NaN, heaps.floor)
    const heap = heapOf(heaps, account)
    heap.push(account)
    rise(heaps, heap, { account, place: heap.length - 1 })
  }

  /** Keys only grow by being taken. */
  function advance(account: number): void {
    const key = heaps.keys[account] ?? 0
    heaps.floor = key
    heaps.keys[account] = keyAfter(account, key)
  }

  return {
    add,
    drop: account => leave(heaps, account),
    taken: account => {
      advance(account)
      sink(heaps, heapOf(heaps, account), { account, place: heaps.places[account] ?? 0 })
    },
    filled: account => {
      leave(heaps, account)
      advance(account)
    },
    forget: account => {
      if (account < heaps.keys.length) heaps.keys[account] = Number.NaN
    },
    given: () => undefined,
    isEmpty: classId => (heaps.byClass[classId]?.length ?? 0) === 0,
    first: (classId, skips) => firstBelow(heaps, { heap: heaps.byClass[classId] ?? [], skips }, 0),
    beats: (challenger, best) => (heaps.keys[challenger] ?? 0) < (heaps.keys[best] ?? 0),
  }
}

type Spot = { readonly account: number; readonly place: number }

function heapOf({ cells, byClass }: Heaps, account: number): number[] {
  const classId = cells.ints[account * WIDTH + CLASS] ?? 0
  const known = byClass[classId]
  if (known !== undefined) return known
  const heap: number[] = []
  byClass[classId] = heap
  return heap
}

function leave(heaps: Heaps, account: number): void {
  const place = heaps.places[account] ?? NONE
  if (place === NONE) return
  heaps.places[account] = NONE
  const heap = heapOf(heaps, account)
  const last = heap.pop()
  if (last === undefined || last === account) return
  sink(heaps, heap, { account: last, place })
  rise(heaps, heap, { account: last, place: heaps.places[last] ?? place })
}

/** The smallest key at or below `place` that is not skipped: only below a skipped account both branches are looked at. */
function firstBelow(
  heaps: Heaps,
  search: { readonly heap: readonly number[]; readonly skips: Skips },
  place: number,
): number {
  const account = search.heap[place] ?? NONE
  if (account === NONE || !search.skips(account)) return account
  const left = firstBelow(heaps, search, 2 * place + 1)
  const right = firstBelow(heaps, search, 2 * place + 2)
  if (left === NONE || right === NONE) return left === NONE ? right : left
  return (heaps.keys[right] ?? 0) < (heaps.keys[left] ?? 0) ? right : left
}

function rise({ keys, places }: Heaps, heap: number[], { account, place }: Spot): void {
  const key = keys[account] ?? 0
  let at = place
  while (at > 0) {
    const above = (at - 1) >> 1
    const parent = heap[above] ?? NONE
    if ((keys[parent] ?? 0) <= key) break
    heap[at] = parent
    places[parent] = at
    at = above
  }
  heap[at] = account
  places[account] = at
}

function sink({ keys, places }: Heaps, heap: number[], { account, place }: Spot): void {
  const key = keys[account] ?? 0
  let at = place
  for (let left = 2 * at + 1; left < heap.length; left = 2 * at + 1) {
    const right = left + 1
    const rightIsLess = right < heap.length && (keys[heap[right] ?? 0] ?? 0) < (keys[heap[left] ?? 0] ?? 0)
    const below = rightIsLess ? right : left
    const child = heap[below] ?? NONE
    if (key <= (keys[child] ?? 0)) break
    heap[at] = child
    places[child] = at
    at = below
  }
  heap[at] = account
  places[account] = at
}

function makeRoom(heaps: Heaps): void {
  const size = heaps.cells.uses.length
  const keys = new Float64Array(size).fill(Number.NaN)
  keys.set(heaps.keys)
  const places = new Int32Array(size).fill(NONE)
  places.set(heaps.places)
  heaps.keys = keys
  heaps.places = places
}
