/** Puts interleaved blocks one after the other: clients of this dialect keep one block open at a time. */

import type { EmitEvent, StreamEvent } from "#core/events.ts"

/** An event that belongs to a block. */
type BlockEvent = Extract<StreamEvent, { readonly block: number }>

/** A block that cannot be written yet, with what has come of it. */
type Waiting = { readonly block: number; readonly events: BlockEvent[]; ended: boolean }

type State = {
  readonly next: EmitEvent
  /** Waiting blocks, in order. */
  queue: Waiting[]
  /** The block that is written as it comes; -1 = none. */
  active: number
  activeReasons: boolean
  /** Reasoning blocks that were closed early: what else comes of them is lost. */
  readonly closedEarly: Set<number>
}

/** What opens no block of its own and needs no end. */
const WHOLE: ReadonlySet<StreamEvent["type"]> = new Set(["image", "native-item"])
const ENDS: ReadonlySet<StreamEvent["type"]> = new Set(["text-end", "reasoning-end", "tool-end"])

/**
 * Returns the function that takes events as they come. `next` gets the first block live and each later one when those
 * before it have ended, its waiting events at once. Reasoning that is still open when a later block is complete is ended.
 */
export function makeInSequence(next: EmitEvent): EmitEvent {
  const state: State = { next, queue: [], active: -1, activeReasons: false, closedEarly: new Set() }
  return event => {
    // Almost every event: more of the block that is being written.
    if (event.type === "text-delta" && event.block === state.active) next(event)
    else if ("block" in event) onBlockEvent(state, event)
    else {
      if (event.type === "finish") flush(state)
      next(event)
    }
  }
}

function onBlockEvent(state: State, event: BlockEvent): void {
  if (event.block === state.active) {
    state.next(event)
    if (ENDS.has(event.type)) advance(state)
    return
  }
  if (state.closedEarly.has(event.block)) return
  const waiting = state.queue.find(({ block }) => block === event.block)
  if (waiting === undefined) open(state, event)
  else {
    waiting.events.push(event)
    if (ENDS.has(event.type)) waiting.ended = true
  }
  if (state.activeReasons && (WHOLE.has(event.type) || ENDS.has(event.type))) endReasoning(state)
}

function open(state: State, event: BlockEvent): void {
  const isWhole = WHOLE.has(event.type)
  if (state.active !== -1) {
    state.queue.push({ block: event.block, events: [event], ended: isWhole })
    return
  }
  state.next(event)
  if (!isWhole) activate(state, event)
}

function activate(state: State, { block, type }: BlockEvent): void {
  state.active = block
  state.activeReasons = type === "reasoning-start"
}

function endReasoning(state: State): void {
  const block = state.active
  state.closedEarly.add(block)
  state.next({ type: "reasoning-end", block })
  advance(state)
}

/** Writes what waits, up to and including the first block that has not ended; that one goes on live. */
function advance(state: State): void {
  state.active = -1
  state.activeReasons = false
  while (state.active === -1) {
    const waiting = state.queue.shift()
    if (waiting === undefined) return
    for (const event of waiting.events) state.next(event)
    const [first] = waiting.events
    if (!waiting.ended && first !== undefined) activate(state, first)
  }
}

/** A decoder ends its blocks before the answer: this is for one that forgot. */
function flush(state: State): void {
  while (state.active !== -1 || state.queue.length > 0) advance(state)
}
