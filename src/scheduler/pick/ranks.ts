/** What comes before what: the soft ceiling of its quota, an account's priority, then its health tier, then the band of the policy, as one number. */

/** How well an account has been doing. `banned` is never picked. */
export type Tier = "healthy" | "warm" | "risky" | "banned"

/** Highest and, negated, lowest priority. */
const MAX_PRIORITY = 100
const PRIORITIES = 2 * MAX_PRIORITY + 1

/** Bands a policy may sort accounts into, 0 = first. */
export const BANDS = 8

const TIERS: readonly Tier[] = ["healthy", "warm", "risky", "banned"]

/** What an account's rank is made of. */
export type RankParts = {
  /** So much of its quota is used that everybody else goes first. */
  readonly isOverCeiling: boolean
  /** −100 … 100, higher goes first. */
  readonly priority: number
  readonly tier: Tier
  /** 0 … 7, lower goes first. */
  readonly band: number
}

/** Returns the rank; the smaller one goes first. */
export function rankOf({ isOverCeiling, priority, tier, band }: RankParts): number {
  const step = Number(isOverCeiling) * PRIORITIES + MAX_PRIORITY - priority
  return (step * TIERS.length + TIERS.indexOf(tier)) * BANDS + band
}

/** Returns the rank without its band: the smaller one goes first whatever the policy says. */
export function groupOf(rank: number): number {
  return Math.floor(rank / BANDS)
}
