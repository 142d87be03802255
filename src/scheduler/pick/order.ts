/** The order of accounts inside their classes: what a picking policy is made of. */

/** True for accounts that the request must not get. */
export type Skips = (account: number) => boolean

/** Keeps the free accounts of every class in order. Told about every change; looks nothing up by itself. */
export type PickOrder = {
  /** A free account enters the order of its class. */
  readonly add: (account: number) => void
  /** An account that was in order leaves it: it is full, closed, or about to change class. */
  readonly drop: (account: number) => void
  /** An account in order was taken and is still free. */
  readonly taken: (account: number) => void
  /** An account in order was taken and is full now: it leaves the order. */
  readonly filled: (account: number) => void
  /** A slot of an account in order came back. */
  readonly given: (account: number) => void
  /** The number will be given to another account. */
  readonly forget: (account: number) => void
  readonly isEmpty: (classId: number) => boolean
  /** First account of the class that is not skipped, -1 for none. Each skipped one costs at most one step. */
  readonly first: (classId: number, skips: Skips) => number
  /** True when the first account comes before the second, which may be of another class. */
  readonly beats: (challenger: number, best: number) => boolean
}
