/** Points in time that others state: in seconds, and now and then in milliseconds. */

/** Whatever is above this is no date in seconds: it would lie three thousand years ahead. */
const MAX_SEC = 100_000_000_000

/** Returns seconds since the epoch, whichever of the two units `value` is in. */
export function epochSeconds(value: number): number {
  return value > MAX_SEC ? Math.floor(value / 1000) : value
}
