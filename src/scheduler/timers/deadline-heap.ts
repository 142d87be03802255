/** Deadlines by small integer handles in an indexed binary heap: setting, moving and clearing one is O(log n). */

/** The heap's memory. Changed by this module only. */
export type DeadlineHeap = {
  readonly heap: number[]
  deadlines: Float64Array
  places: Int32Array
}

/** Makes an empty heap. */
export function makeDeadlineHeap(): DeadlineHeap {
  return { heap: [], deadlines: new Float64Array(64), places: new Int32Array(64).fill(-1) }
}

/** Sets or moves the deadline of `handle`. */
export function setDeadline(state: DeadlineHeap, handle: number, atMs: number): void {
  if (handle >= state.deadlines.length) widen(state, handle)
  clearDeadline(state, handle)
  state.deadlines[handle] = atMs
  state.heap.push(handle)
  rise(state, handle, state.heap.length - 1)
}

/** Takes the deadline away; harmless without one. */
export function clearDeadline(state: DeadlineHeap, handle: number): void {
  const place = state.places[handle] ?? -1
  if (place < 0) return
  state.places[handle] = -1
  const last = state.heap.pop()
  if (last === undefined || last === handle) return
  sink(state, last, place)
  rise(state, last, state.places[last] ?? place)
}

/** Handle of the earliest deadline. */
export function firstHandle(state: DeadlineHeap): number | undefined {
  return state.heap[0]
}

/** Deadline of a handle that has one. */
export function deadlineOf(state: DeadlineHeap, handle: number): number {
  return state.deadlines[handle] ?? Number.POSITIVE_INFINITY
}

function put(state: DeadlineHeap, handle: number, place: number): void {
  state.heap[place] = handle
  state.places[handle] = place
}

function rise(state: DeadlineHeap, handle: number, from: number): void {
  let place = from
  while (place > 0) {
    const above = (place - 1) >> 1
    const parent = state.heap[above] ?? -1
    if (deadlineOf(state, parent) <= deadlineOf(state, handle)) break
    put(state, parent, place)
    place = above
  }
  put(state, handle, place)
}

function sink(state: DeadlineHeap, handle: number, from: number): void {
  let place = from
  while (2 * place + 1 < state.heap.length) {
    const below = smallerChild(state, place)
    const child = state.heap[below] ?? -1
    if (deadlineOf(state, handle) <= deadlineOf(state, child)) break
    put(state, child, place)
    place = below
  }
  put(state, handle, place)
}

function smallerChild(state: DeadlineHeap, place: number): number {
  const left = 2 * place + 1
  const right = left + 1
  if (right >= state.heap.length) return left
  return deadlineOf(state, state.heap[right] ?? -1) < deadlineOf(state, state.heap[left] ?? -1) ? right : left
}

function widen(state: DeadlineHeap, handle: number): void {
  const size = Math.max(handle + 1, state.deadlines.length * 2)
  const deadlines = new Float64Array(size)
  deadlines.set(state.deadlines)
  const places = new Int32Array(size).fill(-1)
  places.set(state.places)
  state.deadlines = deadlines
  state.places = places
}
