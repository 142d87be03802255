/**
 * Free accounts, ready to be picked: classes in the order of their ranks, and inside each class the order of the policy.
 * Masks say which classes are not empty, so a pick looks at those of the best rank only.
 */

import {
  CAP,
  type Cells,
  CLASS,
  cellOf,
  FLAGS,
  GONE,
  LARGE_WIDTH,
  LIST,
  LOAD,
  largeOf,
  makeCells,
  NONE,
  OPEN,
  PROBING,
  reserveCells,
  USED_AT_MS,
  USES,
  WEIGHT,
  WIDTH,
} from "./cells.ts"
import type { ClassMask } from "./class-mask.ts"
import type { PickOrder, Skips } from "./order.ts"
import { groupOf } from "./ranks.ts"
import { keepsRoom, makeOrder, type Strategy } from "./strategies.ts"

/** Classes by position: best rank first, and position is what a {@link ClassMask} counts by. */
export type Layout = {
  readonly classAt: readonly number[]
  readonly rankAt: readonly number[]
  /** By class number. */
  readonly positionOf: readonly number[]
}

/** What is written about an account besides its class. */
export type Standing = {
  readonly cap: number
  /** May be picked while below its cap. */
  readonly open: boolean
  /** Taking it needs a closer look. */
  readonly probing: boolean
  readonly weight: number
}

/** The shelves. Accounts and classes are small integers that the caller gives out. */
export type Shelves = {
  /** A new account gets the number; it is in no class yet and closed. */
  readonly enter: (account: number) => void
  /** It was removed: never picked again, kept until its last lease ends. */
  readonly retire: (account: number) => void
  /** Sets class and standing in one go. */
  readonly put: (account: number, classId: number, standing: Standing) => void
  readonly take: (account: number, nowMs: number) => void
  readonly give: (account: number) => void
  readonly classOf: (account: number) => number
  readonly loadOf: (account: number) => number
  readonly capOf: (account: number) => number
  readonly usesOf: (account: number) => number
  /** 0 = never. */
  readonly usedAtMsOf: (account: number) => number
  /** Open and below its cap. */
  readonly isFree: (account: number) => boolean
  readonly isProbing: (account: number) => boolean
  readonly isGone: (account: number) => boolean
  /** Classes have come, gone or changed places. */
  readonly arrange: (layout: Layout) => void
  readonly setStrategy: (strategy: Strategy) => void
  /** Returns the account whose turn it is, -1 for none. Each skipped account costs at most one step. */
  readonly pick: (classes: ClassMask, skips: Skips) => number
}

/** Free accounts in order. */
type Rack = {
  readonly order: PickOrder
  /** One bit a class with an account in this rack, by position. */
  nonEmpty: Int32Array
}

type State = {
  readonly cells: Cells
  roomy: Rack
  /** Under a policy that keeps room: accounts whose last free slots are for conversations that come back to them. */
  crowded: Rack
  keepsRoom: boolean
  layout: Layout
  entries: number
}

/** Makes empty shelves; `random` is in [0, 1). */
export function makeShelves(parts: { readonly random: () => number; readonly strategy: Strategy }): Shelves {
  const { random, strategy } = parts
  const cells = makeCells()
  const makeRack = (of: Strategy) => ({ order: makeOrder(of, { cells, random }), nonEmpty: new Int32Array(1) })
  const state: State = {
    cells,
    roomy: makeRack(strategy),
    crowded: makeRack(strategy),
    keepsRoom: keepsRoom(strategy),
    layout: { classAt: [], rankAt: [], positionOf: [] },
    entries: 0,
  }
  const isSet = (account: number, flag: number) => (cellOf(cells, account, FLAGS) & flag) !== 0

  return {
    enter: account => enter(state, account),
    retire: account =>
      change(state, account, (ints, at) => {
        ints[at + FLAGS] = GONE
      }),
    put: (account, classId, standing) => put(state, account, { classId, ...standing }),
    take: (account, nowMs) => take(state, account, nowMs),
    give: account => give(state, account),
    classOf: account => cellOf(cells, account, CLASS),
    loadOf: account => cellOf(cells, account, LOAD),
    capOf: account => cellOf(cells, account, CAP),
    usesOf: account => largeOf(cells, account, USES),
    usedAtMsOf: account => largeOf(cells, account, USED_AT_MS),
    isFree: account => isFree(cells, account),
    isProbing: account => isSet(account, PROBING),
    isGone: account => isSet(account, GONE),
    arrange: layout => arrange(state, layout),
    setStrategy: changed => {
      state.keepsRoom = keepsRoom(changed)
      state.roomy = makeRack(changed)
      state.crowded = makeRack(changed)
      enterAll(state)
    },
    pick: (classes, skips) => pick(state, classes, skips),
  }
}

/** Open and below its cap. */
function isFree({ ints }: Cells, account: number): boolean {
  const at = account * WIDTH
  return ((ints[at + FLAGS] ?? 0) & OPEN) !== 0 && (ints[at + LOAD] ?? 0) < (ints[at + CAP] ?? 0)
}

/** One slot in so many is for new work under a policy that keeps room, and at least one. */
const NEWCOMERS_SHARE = 3

/** Where the account stands, undefined while it is not free. */
function rackOf({ cells, keepsRoom, roomy, crowded }: State, account: number): Rack | undefined {
  if (!isFree(cells, account)) return undefined
  if (!keepsRoom) return roomy
  const at = account * WIDTH
  return NEWCOMERS_SHARE * (cells.ints[at + LOAD] ?? 0) < (cells.ints[at + CAP] ?? 0) ? roomy : crowded
}

/** Brings the bit of the account's class in line after the order changed. */
function mark({ cells, layout }: State, { order, nonEmpty }: Rack, account: number): void {
  const classId = cells.ints[account * WIDTH + CLASS] ?? 0
  const position = layout.positionOf[classId]
  // Its class was given up the moment before it moves out of it.
  if (position === undefined) return
  const word = position >> 5
  const bit = 1 << (position & 31)
  const before = nonEmpty[word] ?? 0
  nonEmpty[word] = order.isEmpty(classId) ? before & ~bit : before | bit
}

function add(state: State, account: number): void {
  const rack = rackOf(state, account)
  if (rack === undefined) return
  rack.order.add(account)
  mark(state, rack, account)
}

/** Changes an account's cell while it is out of order. */
function change(state: State, account: number, run: (ints: Int32Array, at: number) => void): void {
  const rack = rackOf(state, account)
  if (rack !== undefined) {
    rack.order.drop(account)
    mark(state, rack, account)
  }
  run(state.cells.ints, account * WIDTH)
  add(state, account)
}

/** What changes nothing about the order keeps the account's place in it. */
function put(state: State, account: number, standing: Standing & { readonly classId: number }): void {
  const { cells } = state
  const { classId, cap, open, probing, weight } = standing
  const flags = (open ? OPEN : 0) | (probing ? PROBING : 0)
  const stays =
    cellOf(cells, account, CLASS) === classId &&
    cellOf(cells, account, CAP) === cap &&
    (cellOf(cells, account, FLAGS) & OPEN) === (flags & OPEN)
  cells.larges[account * LARGE_WIDTH + WEIGHT] = weight
  if (stays) {
    cells.ints[account * WIDTH + FLAGS] = flags
    return
  }
  change(state, account, (ints, at) => {
    ints[at + CLASS] = classId
    ints[at + CAP] = cap
    ints[at + FLAGS] = flags
  })
}

function enter(state: State, account: number): void {
  const { cells, roomy, crowded } = state
  state.entries += 1
  reserveCells(cells, account)
  const at = account * WIDTH
  cells.ints[at + CLASS] = NONE
  cells.ints[at + FLAGS] = 0
  cells.ints[at + LOAD] = 0
  cells.larges[account * LARGE_WIDTH + USED_AT_MS] = 0
  cells.larges[account * LARGE_WIDTH + USES] = 0
  cells.entered[account] = state.entries
  roomy.order.forget(account)
  crowded.order.forget(account)
}

function take(state: State, account: number, nowMs: number): void {
  const { cells } = state
  const at = account * WIDTH
  const rack = rackOf(state, account)
  cells.ints[at + LOAD] = (cells.ints[at + LOAD] ?? 0) + 1
  cells.larges[account * LARGE_WIDTH + USED_AT_MS] = nowMs
  cells.larges[account * LARGE_WIDTH + USES] = largeOf(cells, account, USES) + 1
  if (rack === undefined) return
  if (rack === rackOf(state, account)) {
    // Whoever stays in order leaves no class empty.
    rack.order.taken(account)
    return
  }
  rack.order.filled(account)
  mark(state, rack, account)
  add(state, account)
}

function give(state: State, account: number): void {
  const { cells } = state
  const at = account * WIDTH
  const rack = rackOf(state, account)
  cells.ints[at + LOAD] = (cells.ints[at + LOAD] ?? 0) - 1
  if (rack !== undefined && rack === rackOf(state, account)) {
    rack.order.given(account)
    return
  }
  if (rack !== undefined) {
    rack.order.drop(account)
    mark(state, rack, account)
  }
  add(state, account)
}

/** Room for conversations that come back counts for less than priority and health, and for more than the band. */
function pick(state: State, classes: ClassMask, skips: Skips): number {
  const roomy = pickFrom(state.roomy, state.layout, { classes, skips })
  if (!state.keepsRoom) return roomy
  const crowded = pickFrom(state.crowded, state.layout, { classes, skips })
  if (roomy === NONE || crowded === NONE) return Math.max(roomy, crowded)
  return groupOf(rankIn(state, crowded)) < groupOf(rankIn(state, roomy)) ? crowded : roomy
}

function rankIn({ cells, layout }: State, account: number): number {
  return layout.rankAt[layout.positionOf[cellOf(cells, account, CLASS)] ?? 0] ?? 0
}

type Choice = { readonly classes: ClassMask; readonly skips: Skips }

/** The first class with somebody to take settles the rank; the others of that rank compete with it. */
function pickFrom({ order, nonEmpty }: Rack, layout: Layout, { classes, skips }: Choice): number {
  const words = Math.min(classes.length, nonEmpty.length)
  let best = NONE
  let bestRank = 0
  for (let word = 0; word < words; word++) {
    for (let bits = (classes[word] ?? 0) & (nonEmpty[word] ?? 0); bits !== 0; bits &= bits - 1) {
      const position = word * 32 + 31 - Math.clz32(bits & -bits)
      const rank = layout.rankAt[position] ?? 0
      if (best !== NONE && rank !== bestRank) return best
      const account = order.first(layout.classAt[position] ?? 0, skips)
      if (!isBetter(order, account, best)) continue
      best = account
      bestRank = rank
    }
  }
  return best
}

function isBetter(order: PickOrder, account: number, best: number): boolean {
  return account !== NONE && (best === NONE || order.beats(account, best))
}

function arrange(state: State, layout: Layout): void {
  state.layout = layout
  for (const rack of [state.roomy, state.crowded]) {
    const nonEmpty = new Int32Array(Math.ceil(layout.classAt.length / 32) || 1)
    layout.classAt.forEach((classId, position) => {
      if (!rack.order.isEmpty(classId))
        nonEmpty[position >> 5] = (nonEmpty[position >> 5] ?? 0) | (1 << (position & 31))
    })
    rack.nonEmpty = nonEmpty
  }
}

/** Fills the order anew, those unused for longest first. */
function enterAll(state: State): void {
  const { cells } = state
  const accounts = Array.from(cells.entered.keys())
  accounts.sort((left, right) => largeOf(cells, left, USED_AT_MS) - largeOf(cells, right, USED_AT_MS))
  for (const account of accounts) {
    cells.ints[account * WIDTH + LIST] = NONE
    rackOf(state, account)?.order.add(account)
  }
  arrange(state, state.layout)
}
