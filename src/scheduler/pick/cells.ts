/** The memory of the pick: a few small integers an account, side by side, so that a decision touches few cache lines. */

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

/** May be picked while it has a free slot. */
export const OPEN = 1
/** Some block has run out and waits for proof, so taking it needs a closer look. */
export const PROBING = 2
/** Was removed; lives on until its last lease ends. */
export const GONE = 4

/** The cells of all accounts; the arrays are replaced by longer ones as accounts come. */
export type Cells = {
  ints: Int32Array
  /** When the account was last taken, milliseconds since the epoch, 0 = never. */
  usedAtMs: Float64Array
  /** How often it was taken. */
  uses: Float64Array
  /** Running number of its entry: the operator's order. */
  entered: Float64Array
  /** Share of the requests it should get under the policy that weighs, 0 = none stated. */
  weight: Float64Array
}

/** Makes cells for the first few accounts. */
export function makeCells(): Cells {
  return blankCells(64)
}

/** Makes room for account number `account`. */
export function reserveCells(cells: Cells, account: number): void {
  if (account < cells.uses.length) return
  const wide = blankCells(Math.max(account + 1, cells.uses.length * 2))
  for (const column of ["ints", "usedAtMs", "uses", "entered", "weight"] as const) wide[column].set(cells[column])
  Object.assign(cells, wide)
}

/** One integer of an account. */
export function cellOf({ ints }: Cells, account: number, place: number): number {
  return ints[account * WIDTH + place] ?? 0
}

function blankCells(accounts: number): Cells {
  const ints = new Int32Array(accounts * WIDTH)
  for (let account = 0; account < accounts; account++) {
    ints[account * WIDTH + CAP] = 1
    ints[account * WIDTH + LIST] = NONE
  }
  const column = () => new Float64Array(accounts)
  return { ints, usedAtMs: column(), uses: column(), entered: column(), weight: column() }
}
