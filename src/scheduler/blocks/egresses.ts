/** Ways out that accounts share, with the blocks that stand on them. */

import type { Clock } from "#core/clock.ts"
import type { TimerHeap } from "#scheduler/timers/timer-heap.ts"
import type { EgressFault } from "#scheduler/types.ts"

import { type BlockList, isClosed, makeBlockList } from "./blocks.ts"
import { makeStrikes, type Strikes } from "./strikes.ts"

/** One way out. */
export type EgressState = { readonly blocks: BlockList; readonly strikes: Strikes }

/** All ways out by name. */
export type Egresses = {
  readonly get: (name: string) => EgressState
  readonly isBlocked: (name: string) => boolean
  /** Why nobody may use it, whatever its blocks say; undefined = nothing is wrong with it. */
  readonly faultOf: (name: string) => EgressFault | undefined
  /** Shuts the way out for everybody, or opens it again; false when it stood so already. */
  readonly setFault: (name: string, fault: EgressFault | undefined) => boolean
  /** Ends what has run out and sets the next wake-up; call after any change of its blocks. */
  readonly refresh: (name: string) => void
}

/** Parts of the registry. */
export type EgressesParts = {
  readonly clock: Clock
  readonly heap: TimerHeap
  /** Called after each refresh. */
  readonly changed: (name: string) => void
}

/** Makes an empty registry; a way out appears when it is first named. */
export function makeEgresses(parts: EgressesParts): Egresses {
  const states = new Map<string, EgressState & { readonly wake: number }>()
  const faults = new Map<string, EgressFault>()

  function refresh(name: string): void {
    const state = states.get(name)
    if (state === undefined) return
    state.blocks.runOut(parts.clock())
    wakeAt(parts.heap, state.wake, state.blocks.nextEndMs())
    parts.changed(name)
  }

  return {
    get: name => {
      const known = states.get(name)
      if (known !== undefined) return known
      const state = { blocks: makeBlockList(), strikes: makeStrikes(), wake: parts.heap.add(() => refresh(name)) }
      states.set(name, state)
      return state
    },
    isBlocked: name => faults.has(name) || (states.get(name)?.blocks.all().some(isClosed) ?? false),
    faultOf: name => faults.get(name),
    setFault: (name, fault) => {
      if (faults.get(name) === fault) return false
      if (fault === undefined) faults.delete(name)
      else faults.set(name, fault)
      parts.changed(name)
      return true
    },
    refresh,
  }
}

/** Sets a handle's deadline, or clears it when the moment is infinitely far. */
export function wakeAt(heap: TimerHeap, handle: number, atMs: number): void {
  if (Number.isFinite(atMs)) heap.set(handle, atMs)
  else heap.clear(handle)
}
