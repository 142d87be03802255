/** Small numbers for accounts, so that a million bindings cost four bytes each and not a reference. */

import type { AccountId } from "#core/ids.ts"

/** The numbers given out so far. They are never taken back: there are few accounts, and ids come again. */
export type AccountNumbers = {
  readonly numberOf: (account: AccountId) => number
  readonly accountOf: (number: number) => AccountId | undefined
}

/** Starts numbering at 0. */
export function makeAccountNumbers(): AccountNumbers {
  const numbers = new Map<AccountId, number>()
  const accounts: AccountId[] = []
  return {
    numberOf: account => {
      const known = numbers.get(account)
      if (known !== undefined) {
        // The very text that others hold: to see that two texts are equal, both would have to come from memory.
        accounts[known] = account
        return known
      }
      numbers.set(account, accounts.length)
      return accounts.push(account) - 1
    },
    accountOf: number => accounts[number],
  }
}
