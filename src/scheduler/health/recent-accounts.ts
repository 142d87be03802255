/** Counts different accounts over the last minute. Everything is O(1). */

/** The counter. */
export type RecentAccounts = {
  readonly touch: (account: number, nowMs: number) => void
  /** Different accounts touched within the last minute. */
  readonly count: (nowMs: number) => number
  readonly clear: () => void
}

const WINDOW_SEC = 60
const NEVER = Number.NEGATIVE_INFINITY

/** Makes a counter; accounts are small integers. Time is cut to seconds. */
export function makeRecentAccounts(): RecentAccounts {
  // Each account is counted once: in the slot of the second it was touched last.
  let touchedAtSec = new Float64Array(64)
  // A touch counts while its round is the current one: clearing starts a new round and walks over nothing.
  let roundOf = new Float64Array(64)
  let round = 1
  const slots = new Int32Array(WINDOW_SEC)
  let total = 0
  let headSec = 0

  function advance(nowSec: number): void {
    const from = Math.max(headSec + 1, nowSec - WINDOW_SEC + 1)
    for (let sec = from; sec <= nowSec; sec++) {
      total -= slots[sec % WINDOW_SEC] ?? 0
      slots[sec % WINDOW_SEC] = 0
    }
    headSec = Math.max(headSec, nowSec)
  }

  function makeRoom(account: number): void {
    const size = Math.max(account + 1, touchedAtSec.length * 2)
    touchedAtSec = widened(touchedAtSec, size)
    roundOf = widened(roundOf, size)
  }

  return {
    touch: (account, nowMs) => {
      const nowSec = Math.floor(nowMs / 1000)
      if (account >= touchedAtSec.length) makeRoom(account)
      const before = roundOf[account] === round ? (touchedAtSec[account] ?? NEVER) : NEVER
      if (before === nowSec) return
      advance(nowSec)
      if (before > nowSec - WINDOW_SEC) {
        slots[before % WINDOW_SEC] = (slots[before % WINDOW_SEC] ?? 0) - 1
        total -= 1
      }
      touchedAtSec[account] = nowSec
      roundOf[account] = round
      slots[nowSec % WINDOW_SEC] = (slots[nowSec % WINDOW_SEC] ?? 0) + 1
      total += 1
    },
    count: nowMs => {
      advance(Math.floor(nowMs / 1000))
      return total
    },
    clear: () => {
      round += 1
      slots.fill(0)
      total = 0
    },
  }
}

function widened(old: Float64Array, size: number): Float64Array<ArrayBuffer> {
  const wide = new Float64Array(size)
  wide.set(old)
  return wide
}
