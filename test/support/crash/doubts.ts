/** Keeps the books of exchanges that were under way at a kill: each must end healed or with a login that was asked for. */

import type { AccountId } from "#core/ids.ts"

/** The books of one run. */
export type DoubtBooks = {
  /** Takes the notes on the disk after a kill: account id by fingerprint. Returns how many are new. */
  readonly afterKill: (notes: ReadonlyMap<string, AccountId>) => number
  /** The log asks for a login of this account. False when nothing is open that would explain it, or it was asked for before. */
  readonly askedForLogin: (id: AccountId) => boolean
  /** Accounts with an open doubt, for which no login was asked yet. */
  readonly open: () => readonly AccountId[]
  readonly totals: () => { readonly inFlight: number; readonly healed: number; readonly logins: number }
}

/** Makes empty books. */
export function makeDoubtBooks(): DoubtBooks {
  const open = new Map<string, { readonly id: AccountId; readonly isLoginAsked: boolean }>()
  let inFlight = 0
  let healed = 0
  let logins = 0
  return {
    afterKill: notes => {
      for (const [fingerprint, { isLoginAsked }] of open) {
        if (notes.has(fingerprint)) continue
        open.delete(fingerprint)
        // The note goes with the successor's commit, or with a sign-in that replaced the token.
        if (!isLoginAsked) healed += 1
      }
      const fresh = [...notes].filter(([fingerprint]) => !open.has(fingerprint))
      for (const [fingerprint, id] of fresh) open.set(fingerprint, { id, isLoginAsked: false })
      inFlight += fresh.length
      return fresh.length
    },
    askedForLogin: id => {
      for (const [fingerprint, doubt] of open) {
        if (doubt.id !== id || doubt.isLoginAsked) continue
        open.set(fingerprint, { id, isLoginAsked: true })
        logins += 1
        return true
      }
      return false
    },
    open: () => [...open.values()].filter(doubt => !doubt.isLoginAsked).map(doubt => doubt.id),
    totals: () => ({ inFlight, healed, logins }),
  }
}
