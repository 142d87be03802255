/** So much a minute, exactly: the generic cell rate algorithm, one number of state. */

/** A meter of one rate. Times in milliseconds. */
export type Gcra = {
  /** How long until `amount` fits; 0 = it does now. More than a whole minute's worth fits once nothing is used. */
  readonly waitMs: (amount: number, perMinute: number, nowMs: number) => number
  /** Uses `amount`; a negative one gives back. */
  readonly take: (amount: number, perMinute: number, nowMs: number) => void
  /** What of a minute's worth is used up now. */
  readonly used: (perMinute: number, nowMs: number) => number
}

const MINUTE_MS = 60_000

/**
 * Makes an unused meter. A whole minute's worth may come at once; after that it flows back evenly
 * (ITU-T I.371, with the theoretical arrival time as the state).
 */
export function makeGcra(): Gcra {
  // When everything that was taken will have flowed back.
  let fullAtMs = Number.NEGATIVE_INFINITY

  const debtMs = (nowMs: number) => Math.max(0, fullAtMs - nowMs)

  return {
    waitMs: (amount, perMinute, nowMs) => {
      const costMs = Math.min(MINUTE_MS, (amount * MINUTE_MS) / perMinute)
      // Sums of fractions of a millisecond: a request must not wait for the last bit of a number.
      const excessMs = debtMs(nowMs) + costMs - MINUTE_MS
      return excessMs > 1e-6 ? excessMs : 0
    },
    take: (amount, perMinute, nowMs) => {
      fullAtMs = nowMs + Math.max(0, debtMs(nowMs) + (amount * MINUTE_MS) / perMinute)
    },
    used: (perMinute, nowMs) => (debtMs(nowMs) * perMinute) / MINUTE_MS,
  }
}
