/** Asks the successor for credentials that this process may no longer renew. */

import type { Account } from "#core/account.ts"
import type { Timers } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"

import type { Line } from "./line.ts"
import type { SuccessorMessage } from "./messages.ts"
import type { Successor } from "./tenure.ts"

/** The questions that are open. */
export type RemoteRenewals = {
  readonly ask: Successor["renew"]
  readonly answered: (message: Extract<SuccessorMessage, { type: "renewed" | "not-renewed" }>) => void
  /** Nobody will answer any more. */
  readonly closed: () => void
}

/** Longer than an exchange may take. */
const ANSWER_WITHIN_MS = 35_000

/** Makes it over one line. */
export function makeRemoteRenewals(line: Line, timers: Timers): RemoteRenewals {
  const open = new Map<number, PromiseWithResolvers<Account>>()
  let last = 0
  let isClosed = false
  const gone = () =>
    new GatewayError("credential-rejected", "The account's access token was refused and could not be refreshed.", {
      code: "account_unavailable",
      hint: "Another process has taken over, and did not answer.",
    })
  return {
    ask: async (account, refusedToken) => {
      if (isClosed) throw gone()
      last += 1
      const id = last
      const answer = Promise.withResolvers<Account>()
      open.set(id, answer)
      const cancelTimer = timers.after(ANSWER_WITHIN_MS, () => answer.reject(gone()))
      line.send({ type: "renew", id, account, refusedToken })
      try {
        return await answer.promise
      } finally {
        cancelTimer()
        open.delete(id)
      }
    },
    answered: message => {
      if (message.type === "renewed") open.get(message.id)?.resolve(message.account)
      else open.get(message.id)?.reject(message.error)
    },
    closed: () => {
      isClosed = true
      for (const answer of open.values()) answer.reject(gone())
    },
  }
}
