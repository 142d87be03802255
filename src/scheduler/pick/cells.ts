/** The memory of the pick: a few numbers an account, side by side, so that a decision touches few cache lines. */

/** No account, no list. */
export const NONE = -1

/** Utilisation steps: level = ⌊16 × load / cap⌋, so accounts with different caps compare. */
export const LEVELS = 16

/** Integers an account: half a cache line. Columns of their own would cost a miss each at 100,000 accounts. */
export const WIDTH = 8

/** Simultaneous requests; places inside an account's cell, which begins at `account × WIDTH`. */
export const LOAD = 0
/** Most simultaneous requests. */
export const CAP = 1
/** Number of the account's class. */
export const CLASS = 2
/** Bits: {@link OPEN}, {@link PROBING}, {@link GONE}. */
export const FLAGS = 3
/** List the account stands in, {@link NONE} while in none. */
export const LIST = 4
/** Neighbours in that list. */
export const NEXT = 5
/** See {@link NEXT}. */
export const PREVIOUS = 6

/** Large numbers an account: half a cache line as well, apart from the integers, which a walk along a list reads alone. */
export const LARGE_WIDTH = 4

/** When the account was last taken, milliseconds since the epoch, 0 = never; places inside `account × LARGE_WIDTH`. */
export const USED_AT_MS = 0
/** How often it was taken. */
export const USES = 1
/** Running number of its entry into the list it stands in. */
export const JOINED = 2
/** Share of the requests it should get under the policy that weighs, 0 = none stated. */
export const WEIGHT = 3

/** May be picked while it has a free slot. */
export const OPEN = 1
/** Some block has run out and waits for proof, so taking it needs a closer look. */
export const PROBING = 2
/** Was removed; lives on until its last lease ends. */
export const GONE = 4

/** The cells of all accounts; the arrays are replaced by longer ones as accounts come. */
export type Cells = {
  /** Accounts there is room for. */
  size: number
  ints: Int32Array
  larges: Float64Array
  /** Running number of an account's entry: the operator's order. */
  entered: Float64Array
}

/** Makes cells for the first few accounts. */
export function makeCells(): Cells {
  return blankCells(64)
}

/** Makes room for account number `account`. */
export function reserveCells(cells: Cells, account: number): void {
  if (account < cells.size) return
  const wide = blankCells(Math.max(account + 1, cells.size * 2))
  wide.ints.set(cells.ints)
  wide.larges.set(cells.larges)
  wide.entered.set(cells.entered)
  Object.assign(cells, wide)
}

/** One integer of an account. */
export function cellOf({ ints }: Cells, account: number, place: number): number {
  return ints[account * WIDTH + place] ?? 0
}

/** One large number of an account. */
export function largeOf({ larges }: Cells, account: number, place: number): number {
  return larges[account * LARGE_WIDTH + place] ?? 0
}

function blankCells(accounts: number): Cells {
  const ints = new Int32Array(accounts * WIDTH)
  for (let account = 0; account < accounts; account++) {
    ints[account * WIDTH + CAP] = 1
    ints[account * WIDTH + LIST] = NONE
  }
  return { size: accounts, ints, larges: new Float64Array(accounts * LARGE_WIDTH), entered: new Float64Array(accounts) }
}
