/** Whether this process is the gateway, is giving that away, or was it: what happens meanwhile is told to the next one. */

import type { Account } from "#core/account.ts"
import type { AccountId } from "#core/ids.ts"

import type { Note } from "./notes.ts"

/** Who this process's accounts, keys and log belong to. */
export type TenurePhase =
  | "ours"
  /** Nothing is written any more; the next process has not said yet that it serves. */
  | "resting"
  | "theirs"

/** The process that has taken over. */
export type Successor = {
  readonly tell: (note: Note) => void
  /** Returns the account with a credential that is not the refused one. Rejects with the `GatewayError` that says why not. */
  readonly renew: (account: AccountId, refusedToken: string | undefined) => Promise<Account>
}

/** The book of that. */
export type Tenure = {
  readonly phase: () => TenurePhase
  /** Resolves when nobody is giving anything away, or has. */
  readonly settled: () => Promise<void>
  /** Told to the successor, if there is one or may be. */
  readonly tell: (note: Note) => void
  readonly renew: Successor["renew"]
  /** From here on `settled` has to be waited for. */
  readonly begin: () => void
  /** How often that has been said. */
  readonly beginnings: () => number
  readonly rest: () => void
  /** It came to nothing. Returns what was to be told. */
  readonly resume: () => readonly Note[]
  readonly leave: (successor: Successor) => void
  /** The successor has ended: nobody takes in what is told. */
  readonly lose: () => void
  /** Whether that has been said. */
  readonly isAlone: () => boolean
}

/** Makes the book of a process that is the gateway. */
export function makeTenure(): Tenure {
  let phase: TenurePhase = "ours"
  let successor: Successor | undefined
  let untold: Note[] = []
  let gate: PromiseWithResolvers<void> | undefined
  let beginnings = 0
  let isAlone = false

  const settle = (): readonly Note[] => {
    const notes = untold
    untold = []
    gate?.resolve()
    gate = undefined
    return notes
  }

  return {
    phase: () => phase,
    settled: async () => gate?.promise,
    tell: note => {
      if (phase === "resting") untold.push(note)
      else successor?.tell(note)
    },
    renew: (account, refusedToken) => {
      if (successor === undefined) throw new Error("nobody has taken over")
      return successor.renew(account, refusedToken)
    },
    begin: () => {
      beginnings += 1
      gate ??= Promise.withResolvers()
    },
    beginnings: () => beginnings,
    rest: () => {
      phase = "resting"
    },
    resume: () => {
      phase = "ours"
      return settle()
    },
    leave: next => {
      phase = "theirs"
      successor = next
      for (const note of untold) next.tell(note)
      settle()
    },
    lose: () => {
      isAlone = true
    },
    isAlone: () => isAlone,
  }
}
