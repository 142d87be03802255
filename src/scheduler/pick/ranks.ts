/** What comes before what: an account's priority, then its health tier, then the band of the policy, as one number. */

/** How well an account has been doing. `banned` is never picked. */
export type Tier = "healthy" | "warm" | "risky" | "banned"

/** Highest and, negated, lowest priority. */
const MAX_PRIORITY = 100

/** Bands a policy may sort accounts into, 0 = first. */
export const BANDS = 8

const TIERS: readonly Tier[] = ["healthy", "warm", "risky", "banned"]

/** What an account's rank is made of. */
export type RankParts = {
  /** −100 … 100, higher goes first. */
  readonly priority: number
  readonly tier: Tier
  /** 0 … 7, lower goes first. */
  readonly band: number
}

/** Returns the rank; the smaller one goes first. */
export function rankOf({ priority, tier, band }: RankParts): number {
  return ((MAX_PRIORITY - priority) * TIERS.length + TIERS.indexOf(tier)) * BANDS + band
}
