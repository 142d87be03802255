/** How many requests at a time the upstream bears from an account: cut when it complains, raised slowly while it does not. */

/** What has been learned; without a complaint the configured maximum counts. */
export type LearnedCap = {
  /** Fractions gather until they make one more; infinite = nothing learned. */
  limit: number
  /** Not raised before this moment, milliseconds since the epoch. */
  holdUntilMs: number
  /** How long the last complaint holds the limit. */
  holdMs: number
  /** Requests that were under way at the last complaint. */
  refusedAt: number
}

const CUT_TO = 0.85
const FIRST_HOLD_MS = 60_000
/** A limit that stands is asked about once an hour: often enough for one that was raised, and with answers of minutes no burden. */
const MAX_HOLD_MS = 60 * 60_000
const GROWTH = 0.25

/** Makes the cap of an account that has met no limit yet. */
export function makeLearnedCap(): LearnedCap {
  return { limit: Number.POSITIVE_INFINITY, holdUntilMs: 0, holdMs: 0, refusedAt: 0 }
}

/**
 * The upstream refused a request while `inFlight` were under way, this one included. Where raising the limit has only met the
 * same wall again, it is held twice as long: an account whose requests take minutes would otherwise be refused one in twenty.
 */
export function cutCap(cap: LearnedCap, inFlight: number, nowMs: number): void {
  // A refusal of the only request is about its pace or its size, and says nothing about how many there may be.
  if (inFlight <= 1) return
  const isHeld = nowMs < cap.holdUntilMs
  // Requests that were under way together are refused together: that is one complaint.
  if (!isHeld) cap.holdMs = isSameWall(cap, inFlight, nowMs) ? Math.min(2 * cap.holdMs, MAX_HOLD_MS) : FIRST_HOLD_MS
  cap.refusedAt = inFlight
  cap.limit = Math.max(1, Math.min(cap.limit, Math.floor(CUT_TO * inFlight)))
  cap.holdUntilMs = nowMs + cap.holdMs
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

/** No further than the last time, and not so long ago that the upstream has probably changed its mind since. */
function isSameWall({ refusedAt, holdMs, holdUntilMs }: LearnedCap, inFlight: number, nowMs: number): boolean {
  return inFlight <= refusedAt && nowMs - holdUntilMs < 2 * MAX_HOLD_MS && holdMs > 0
}
