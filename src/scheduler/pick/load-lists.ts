/** Orders by utilisation or by turn: 16 linked lists a class, the account unused for longest at each head. Everything is O(1). */

import {
  CAP,
  type Cells,
  CLASS,
  JOINED,
  LARGE_WIDTH,
  LEVELS,
  LIST,
  LOAD,
  largeOf,
  NEXT,
  NONE,
  PREVIOUS,
  WIDTH,
} from "./cells.ts"
import type { PickOrder, Skips } from "./order.ts"

/** How the lists are used. */
export type LoadListsOptions = {
  readonly cells: Cells
  /** `load`: the least utilised first. `turn`: one circle, whatever the load. */
  readonly by: "load" | "turn"
  /** In [0, 1). */
  readonly random: () => number
}

/** Equals among which chance decides: those unused for longest. Several gateways on one pool then do not march in step. */
const SPREAD = 4

/** The lists' memory beside the cells. */
type Lists = {
  readonly cells: Cells
  /** Entries into any list so far; an account's number of them orders the heads of equal lists of different classes. */
  joinedCount: number
  /** Head and tail of list `class × LEVELS + level`. */
  heads: Int32Array
  tails: Int32Array
  /** One bit a non-empty level, by class. */
  levelMasks: Int32Array
}

/** Makes empty lists over the cells. */
export function makeLoadLists({ cells, by, random }: LoadListsOptions): PickOrder {
  const lists: Lists = {
    cells,
    joinedCount: 0,
    heads: new Int32Array(LEVELS).fill(NONE),
    tails: new Int32Array(LEVELS).fill(NONE),
    levelMasks: new Int32Array(1),
  }
  const byLoad = by === "load"
  const levelOf = byLoad ? (account: number) => loadLevel(cells, account) : () => 0
  const add = (account: number) => link(lists, account, levelOf(account))

  function move(account: number): void {
    unlink(lists, account)
    add(account)
  }

  return {
    add,
    drop: account => unlink(lists, account),
    taken: move,
    filled: account => unlink(lists, account),
    // In a circle only being taken ends a turn.
    given: byLoad ? move : () => undefined,
    forget: () => undefined,
    isEmpty: classId => (lists.levelMasks[classId] ?? 0) === 0,
    first: byLoad
      ? (classId, skips) => spread(lists, firstOf(lists, classId, skips), { skips, random })
      : (classId, skips) => firstOf(lists, classId, skips),
    beats: (challenger, best) => beats(lists, challenger, best),
  }
}

/** Utilisation in 16 steps. */
function loadLevel({ ints }: Cells, account: number): number {
  const at = account * WIDTH
  const cap = ints[at + CAP] ?? 1
  // The default configuration divides by four, where a shift does.
  return cap === 4 ? (ints[at + LOAD] ?? 0) << 2 : Math.floor((LEVELS * (ints[at + LOAD] ?? 0)) / cap)
}

function link(lists: Lists, account: number, level: number): void {
  const { ints, larges } = lists.cells
  const at = account * WIDTH
  const classId = ints[at + CLASS] ?? 0
  const list = classId * LEVELS + level
  if (classId >= lists.levelMasks.length) makeRoomForClass(lists, classId)
  const tail = lists.tails[list] ?? NONE
  ints[at + PREVIOUS] = tail
  ints[at + NEXT] = NONE
  ints[at + LIST] = list
  lists.joinedCount += 1
  larges[account * LARGE_WIDTH + JOINED] = lists.joinedCount
  if (tail === NONE) lists.heads[list] = account
  else ints[tail * WIDTH + NEXT] = account
  lists.tails[list] = account
  lists.levelMasks[classId] = (lists.levelMasks[classId] ?? 0) | (1 << level)
}

function unlink(lists: Lists, account: number): void {
  const { ints } = lists.cells
  const at = account * WIDTH
  const list = ints[at + LIST] ?? NONE
  if (list === NONE) return
  const previous = ints[at + PREVIOUS] ?? NONE
  const next = ints[at + NEXT] ?? NONE
  if (previous === NONE) lists.heads[list] = next
  else ints[previous * WIDTH + NEXT] = next
  if (next === NONE) lists.tails[list] = previous
  else ints[next * WIDTH + PREVIOUS] = previous
  ints[at + LIST] = NONE
  if (previous !== NONE || next !== NONE) return
  const classId = Math.floor(list / LEVELS)
  lists.levelMasks[classId] = (lists.levelMasks[classId] ?? 0) & ~(1 << (list % LEVELS))
}

/** First account of the class's lowest level that is not skipped. */
function firstOf(lists: Lists, classId: number, skips: Skips): number {
  const { ints } = lists.cells
  for (let levels = lists.levelMasks[classId] ?? 0; levels !== 0; levels &= levels - 1) {
    const level = 31 - Math.clz32(levels & -levels)
    let account = lists.heads[classId * LEVELS + level] ?? NONE
    while (account !== NONE && skips(account)) account = ints[account * WIDTH + NEXT] ?? NONE
    if (account !== NONE) return account
  }
  return NONE
}

type Chance = { readonly skips: Skips; readonly random: () => number }

/** One of the next few of the same list, the account itself included. */
function spread({ cells: { ints } }: Lists, account: number, { skips, random }: Chance): number {
  if (account === NONE || (ints[account * WIDTH + NEXT] ?? NONE) === NONE) return account
  let chosen = account
  for (let steps = Math.floor(random() * SPREAD); steps > 0; steps--) {
    const next = ints[chosen * WIDTH + NEXT] ?? NONE
    if (next === NONE || skips(next)) break
    chosen = next
  }
  return chosen
}

/** Lower level first, then who joined its list first. */
function beats({ cells }: Lists, challenger: number, best: number): boolean {
  const { ints } = cells
  const level = (ints[challenger * WIDTH + LIST] ?? 0) % LEVELS
  const gap = level - ((ints[best * WIDTH + LIST] ?? 0) % LEVELS)
  return gap === 0 ? largeOf(cells, challenger, JOINED) < largeOf(cells, best, JOINED) : gap < 0
}

function makeRoomForClass(lists: Lists, classId: number): void {
  const classes = Math.max(classId + 1, lists.levelMasks.length * 2)
  lists.heads = widened(lists.heads, new Int32Array(classes * LEVELS).fill(NONE))
  lists.tails = widened(lists.tails, new Int32Array(classes * LEVELS).fill(NONE))
  lists.levelMasks = widened(lists.levelMasks, new Int32Array(classes))
}

function widened(old: Int32Array, wide: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  wide.set(old)
  return wide
}
