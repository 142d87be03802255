/** Exchanges of which nobody saw the end: their notes stay on the disk until the token is renewed or replaced. */

import type { AccountId } from "#core/ids.ts"

import type { RefreshEntries, RefreshEntry } from "./refresh-entries.ts"
import type { FailedAnswer } from "./refresh-failure.ts"
import type { IntentBook } from "./refresh-types.ts"

/** The doubts of one refresher. */
export type RefreshDoubts = {
  /** An exchange ended without tokens. Its note goes, unless it or an earlier one of the same token may have used it up. */
  readonly afterFailure: (fingerprint: string, answer: FailedAnswer) => void
  /** An account was put into the book: a token that it gave up is no longer in doubt. */
  readonly afterPut: (entry: RefreshEntry, before: RefreshEntry | undefined) => void
  /** True while nobody knows whether the account's refresh token is used up. */
  readonly concern: (accountId: AccountId) => boolean
}

/** True when an exchange of the line's token has no known end and nothing was concluded from that yet. */
function isInDoubt({ lostAnswers, lastFailure }: RefreshEntry): boolean {
  return lostAnswers > 0 && lastFailure?.confirmed !== true
}

/** Makes them; `leftOver` are the notes of earlier runs. */
export function makeRefreshDoubts(
  intents: Pick<IntentBook, "end">,
  entries: RefreshEntries,
  leftOver: ReturnType<IntentBook["leftOver"]>,
): RefreshDoubts {
  const end = (fingerprint: string): void => {
    try {
      intents.end(fingerprint)
    } catch {
      // Harmless: a note too many only makes the next start try this account first.
    }
  }
  const endUnlessHeld = (fingerprint: string): void => {
    if (entries.withFingerprint(fingerprint).length === 0) end(fingerprint)
  }
  const byAccount = Map.groupBy(leftOver, intent => intent.accountId)
  return {
    afterFailure: (fingerprint, answer) => {
      if (answer.class === "ambiguous") return
      if (entries.withFingerprint(fingerprint).some(({ lostAnswers }) => lostAnswers > 0)) return
      end(fingerprint)
    },
    afterPut: ({ account, fingerprint }, before) => {
      const noted = (byAccount.get(account.id) ?? []).map(intent => intent.fingerprint)
      if (before?.fingerprint !== undefined && before.lostAnswers > 0) noted.push(before.fingerprint)
      for (const givenUp of noted) if (givenUp !== fingerprint) endUnlessHeld(givenUp)
    },
    concern: accountId => {
      const entry = entries.get(accountId)
      return entry !== undefined && isInDoubt(entry)
    },
  }
}
