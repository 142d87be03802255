/** How many requests at a time the upstream bears from an account: cut when it complains, raised slowly while it does not. */

/** What has been learned; without a complaint the configured maximum counts. */
export type LearnedCap = {
  /** Fractions gather until they make one more; infinite = nothing learned. */
  limit: number
  /** Not raised before this moment, milliseconds since the epoch. */
  holdUntilMs: number
}

const CUT_TO = 0.85
const HOLD_MS = 60_000
const GROWTH = 0.25

/** Makes the cap of an account that has met no limit yet. */
export function makeLearnedCap(): LearnedCap {
  return { limit: Number.POSITIVE_INFINITY, holdUntilMs: 0 }
}

/** The upstream refused a request while `inFlight` were under way, this one included. */
export function cutCap(cap: LearnedCap, inFlight: number, nowMs: number): void {
  // A refusal of the only request is about its pace or its size, and says nothing about how many there may be.
  if (inFlight <= 1) return
  cap.limit = Math.max(1, Math.min(cap.limit, Math.floor(CUT_TO * inFlight)))
  cap.holdUntilMs = nowMs + HOLD_MS
}

/** A request went well. Returns true when the whole number has changed. */
export function growCap(cap: LearnedCap, ceiling: number, nowMs: number): boolean {
  if (cap.limit === Number.POSITIVE_INFINITY || nowMs < cap.holdUntilMs) return false
  const before = Math.floor(cap.limit)
  cap.limit += GROWTH / before
  if (cap.limit >= ceiling) cap.limit = Number.POSITIVE_INFINITY
  return cap.limit === Number.POSITIVE_INFINITY || Math.floor(cap.limit) !== before
}

/** The whole number under the configured maximum. */
export function capUnder({ limit }: LearnedCap, ceiling: number): number {
  return Math.min(ceiling, Math.floor(limit))
}
