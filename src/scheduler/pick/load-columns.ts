/** The memory of the load lists: one number an account and column, linked into one list a class and load level. */

/** Utilisation steps: level = ⌊16 × load / cap⌋, so accounts with different caps compare. */
export const LEVELS = 16

/** No account, no list. */
export const NONE = -1

/** Typed arrays per account, replaced by longer ones as accounts come, and lists and masks per class. */
export type LoadColumns = {
  classOf: Int32Array
  /** Level of the list the account is in, {@link NONE} while in none. */
  level: Int8Array
  load: Int32Array
  cap: Int32Array
  open: Uint8Array
  next: Int32Array
  previous: Int32Array
  /** When the account joined its list, as a running number: orders the heads of equal lists of different classes. */
  joined: Float64Array
  joinedCount: number
  /** Head and tail of list `class × LEVELS + level`. */
  readonly heads: number[]
  readonly tails: number[]
  /** One bit a non-empty level, by class. */
  readonly levelMasks: number[]
  /** One bit a class with any non-empty level, 32 to a word. */
  readonly nonEmpty: number[]
}

/** Makes columns for `size` accounts. */
export function makeLoadColumns(size: number): LoadColumns {
  return {
    classOf: new Int32Array(size),
    level: new Int8Array(size).fill(NONE),
    load: new Int32Array(size),
    cap: new Int32Array(size).fill(1),
    open: new Uint8Array(size),
    next: new Int32Array(size).fill(NONE),
    previous: new Int32Array(size).fill(NONE),
    joined: new Float64Array(size),
    joinedCount: 0,
    heads: [],
    tails: [],
    levelMasks: [],
    nonEmpty: [],
  }
}

/** Makes room for account number `account`. */
export function reserve(columns: LoadColumns, account: number): void {
  const { length } = columns.load
  if (account < length) return
  const wide = makeLoadColumns(Math.max(account + 1, length * 2))
  for (const name of ["classOf", "level", "load", "cap", "open", "next", "previous", "joined"] as const) {
    wide[name].set(columns[name])
  }
  const { classOf, level, load, cap, open, next, previous, joined } = wide
  Object.assign(columns, { classOf, level, load, cap, open, next, previous, joined })
}

/** Appends the account to the list of its class and load, unless it is closed or full. */
export function link(columns: LoadColumns, account: number): void {
  const load = columns.load[account] ?? 0
  const cap = columns.cap[account] ?? 1
  if (columns.open[account] !== 1 || load >= cap) return
  const classId = columns.classOf[account] ?? 0
  const level = Math.floor((LEVELS * load) / cap)
  const list = classId * LEVELS + level
  const tail = columns.tails[list] ?? NONE
  columns.previous[account] = tail
  columns.next[account] = NONE
  columns.level[account] = level
  columns.joinedCount += 1
  columns.joined[account] = columns.joinedCount
  if (tail === NONE) columns.heads[list] = account
  else columns.next[tail] = account
  columns.tails[list] = account
  columns.levelMasks[classId] = (columns.levelMasks[classId] ?? 0) | (1 << level)
  const word = classId >> 5
  columns.nonEmpty[word] = (columns.nonEmpty[word] ?? 0) | (1 << (classId & 31))
}

/** Takes the account out of its list; harmless when it is in none. */
export function unlink(columns: LoadColumns, account: number): void {
  const level = columns.level[account] ?? NONE
  if (level === NONE) return
  const classId = columns.classOf[account] ?? 0
  const list = classId * LEVELS + level
  const previous = columns.previous[account] ?? NONE
  const next = columns.next[account] ?? NONE
  if (previous === NONE) columns.heads[list] = next
  else columns.next[previous] = next
  if (next === NONE) columns.tails[list] = previous
  else columns.previous[next] = previous
  columns.level[account] = NONE
  if (previous === NONE && next === NONE) markEmpty(columns, classId, level)
}

function markEmpty(columns: LoadColumns, classId: number, level: number): void {
  const left = (columns.levelMasks[classId] ?? 0) & ~(1 << level)
  columns.levelMasks[classId] = left
  if (left !== 0) return
  const word = classId >> 5
  columns.nonEmpty[word] = (columns.nonEmpty[word] ?? 0) & ~(1 << (classId & 31))
}
