/** The mark of whoever answered, for what only the same one can read again. */

import type { AccountId } from "#core/ids.ts"

const MARK_CHARS = 12

/** Models of one family read each other's reasoning: `gpt-5.6-sol` and `gpt-5.6-luna`. */
const FAMILY = /^[a-z]+-\d+(\.\d+)?/

/**
 * Returns a mark that is the same for one client key, account and model family, and says nothing about them: clients see
 * it, and two clients must not be able to tell that they share an account.
 */
export function originOf(keyId: string, account: AccountId, slug: string): string {
  const family = FAMILY.exec(slug)?.[0] ?? slug
  return new Bun.CryptoHasher("sha256")
    .update(JSON.stringify([keyId, account, family]))
    .digest("hex")
    .slice(0, MARK_CHARS)
}
