/**
 * Accounts by class and utilisation: 16 intrusive lists a class, masks of what is not empty. Taking, giving back and
 * moving an account are O(1); picking looks at the non-empty classes only.
 */

import { type ClassMask, eachClass } from "./class-mask.ts"
import { LEVELS, type LoadColumns, link, makeLoadColumns, NONE, reserve, unlink } from "./load-columns.ts"

/** The lists. Accounts and classes are small integers that the caller gives out. */
export type LoadLists = {
  /** Puts the account into a class. */
  readonly place: (account: number, classId: number) => void
  readonly setCap: (account: number, cap: number) => void
  /** A closed account keeps its load and is in no list. */
  readonly setOpen: (account: number, open: boolean) => void
  readonly take: (account: number) => void
  readonly give: (account: number) => void
  readonly loadOf: (account: number) => number
  readonly capOf: (account: number) => number
  /** Open and below its cap. */
  readonly isFree: (account: number) => boolean
  /**
   * Returns the free account of the lowest level, the one unused for longest among equals; -1 for none. `skips`
   * accounts are passed over: each of them lengthens the walk by at most one step.
   */
  readonly pick: (classes: ClassMask, skips: (account: number) => boolean) => number
}

/** Makes empty lists. */
export function makeLoadLists(): LoadLists {
  const columns = makeLoadColumns(64)

  /** Changes one column of an account and brings its list in line. */
  function change(account: number, run: () => void): void {
    unlink(columns, account)
    run()
    link(columns, account)
  }

  function addLoad(account: number, difference: 1 | -1): void {
    unlink(columns, account)
    columns.load[account] = (columns.load[account] ?? 0) + difference
    link(columns, account)
  }

  return {
    place: (account, classId) => {
      reserve(columns, account)
      change(account, () => {
        columns.classOf[account] = classId
      })
    },
    setCap: (account, cap) => {
      if (columns.cap[account] === cap) return
      change(account, () => {
        columns.cap[account] = cap
      })
    },
    setOpen: (account, open) => {
      if (columns.open[account] === Number(open)) return
      change(account, () => {
        columns.open[account] = Number(open)
      })
    },
    take: account => addLoad(account, 1),
    give: account => addLoad(account, -1),
    loadOf: account => columns.load[account] ?? 0,
    capOf: account => columns.cap[account] ?? 1,
    isFree: account => (columns.level[account] ?? NONE) !== NONE,
    pick: (classes, skips) => {
      let best = NONE
      eachClass(classes, columns.nonEmpty, classId => {
        const account = bestOf(columns, classId, skips)
        if (account !== NONE && beats(columns, account, best)) best = account
      })
      return best
    },
  }
}

/** First account of the class's lowest level that is not skipped. */
function bestOf(columns: LoadColumns, classId: number, skips: (account: number) => boolean): number {
  let levels = columns.levelMasks[classId] ?? 0
  while (levels !== 0) {
    const level = 31 - Math.clz32(levels & -levels)
    let account = columns.heads[classId * LEVELS + level] ?? NONE
    while (account !== NONE && skips(account)) account = columns.next[account] ?? NONE
    if (account !== NONE) return account
    levels &= levels - 1
  }
  return NONE
}

/** Lower level first, then who joined its list first. */
function beats(columns: LoadColumns, challenger: number, best: number): boolean {
  if (best === NONE) return true
  const levelGap = (columns.level[challenger] ?? 0) - (columns.level[best] ?? 0)
  if (levelGap !== 0) return levelGap < 0
  return (columns.joined[challenger] ?? 0) < (columns.joined[best] ?? 0)
}
