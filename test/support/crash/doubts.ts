/** Keeps the books of exchanges that were under way at a kill: each must end healed or with a login that was asked for. */

import type { AccountId } from "#core/ids.ts"

/** The books of one run. */
export type DoubtBooks = {
  /** Takes the notes on the disk after a kill (account id by fingerprint) and which tokens are used up. Returns the new ones. */
  readonly afterKill: (
    notes: ReadonlyMap<string, AccountId>,
    usedUp: ReadonlySet<string>,
  ) => { readonly fresh: readonly AccountId[]; readonly replaced: readonly AccountId[] }
  /** The log asks for a login of this account. False when nothing is open that would explain it, or it was asked for before. */
  readonly askedForLogin: (id: AccountId) => boolean
  /** Accounts with an open doubt, for which no login was asked yet. */
  readonly open: () => readonly AccountId[]
  readonly totals: () => {
    readonly inFlight: number
    readonly healed: number
    readonly logins: number
    readonly replaced: number
  }
}

/** Makes empty books. `ownerOf`: an account may be in doubt under one id and asked for under its lasting one. */
export function makeDoubtBooks(ownerOf: (id: AccountId) => string | undefined): DoubtBooks {
  const open = new Map<string, { readonly id: AccountId; readonly isLoginAsked: boolean }>()
  let inFlight = 0
  let healed = 0
  let logins = 0
  let replacedCount = 0
  return {
    afterKill: (notes, usedUp) => {
      const replaced: AccountId[] = []
      for (const [fingerprint, { id, isLoginAsked }] of open) {
        if (notes.has(fingerprint)) continue
        open.delete(fingerprint)
        // The note goes with the successor's commit, or with a sign-in that replaced the token.
        if (isLoginAsked) continue
        if (usedUp.has(fingerprint)) replaced.push(id)
        else healed += 1
      }
      replacedCount += replaced.length
      // Under its lasting id by now, perhaps.
      for (const [fingerprint, doubt] of open)
        open.set(fingerprint, { ...doubt, id: notes.get(fingerprint) ?? doubt.id })
      const fresh = [...notes].filter(([fingerprint]) => !open.has(fingerprint))
      for (const [fingerprint, id] of fresh) open.set(fingerprint, { id, isLoginAsked: false })
      inFlight += fresh.length
      return { fresh: fresh.map(([, id]) => id), replaced }
    },
    askedForLogin: id => {
      const isOwn = ([, doubt]: readonly [string, { readonly id: AccountId }]) => doubt.id === id
      const isSameOwner = ([, doubt]: readonly [string, { readonly id: AccountId }]) =>
        ownerOf(doubt.id) !== undefined && ownerOf(doubt.id) === ownerOf(id)
      const all = [...open]
      // Another account of the same owner is asked about by itself, unless this start has given it its lasting id.
      const concerned = all.some(isOwn) ? all.filter(isOwn) : all.filter(isSameOwner)
      const found = concerned.find(([, doubt]) => !doubt.isLoginAsked)
      if (found === undefined) return false
      open.set(found[0], { ...found[1], isLoginAsked: true })
      logins += 1
      return true
    },
    open: () => [...open.values()].filter(doubt => !doubt.isLoginAsked).map(doubt => doubt.id),
    totals: () => ({ inFlight, healed, logins, replaced: replacedCount }),
  }
}
