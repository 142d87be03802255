/** Admission by stored keys: who is asking, if the key is good, still counts, and comes from where it may. */

import { type AddressRange, isInRanges } from "#core/address-range.ts"
import type { Clock } from "#core/clock.ts"
import type { Principal } from "#core/request.ts"

import { addressRefused } from "./key-errors.ts"
import { refuseEnded } from "./key-rights.ts"
import type { KeyRing } from "./key-ring.ts"

/** The stored keys as the door sees them. */
export type StoredKeys = {
  /** A request needs a key: some are stored, nobody knows whether some are, or the operator wants it so. */
  readonly areNeeded: () => boolean
  /** Throws `key-store-unavailable` while nobody knows whether keys are stored at all. */
  readonly ensureReadable: () => void
  /**
   * Returns who has the key; undefined = no such key is stored. `address` tells where the client is, undefined if nobody
   * knows. Throws `forbidden`, or `key-store-unavailable`.
   */
  readonly admit: (text: string, address: () => bigint | undefined) => Principal | undefined
  /** Ranges of proxies whose word about the client's address is believed. */
  readonly trustedProxies: () => readonly AddressRange[]
}

/** What they are made of. */
export type StoredKeysParts = {
  readonly clock: Clock
  readonly ring: Pick<KeyRing, "find" | "hasKeys" | "all">
  readonly isRequired: () => boolean
  readonly trustedProxies: () => readonly AddressRange[]
}

/** Makes them. */
export function makeStoredKeys({ clock, ring, isRequired, trustedProxies }: StoredKeysParts): StoredKeys {
  return {
    areNeeded: () => isRequired() || ring.hasKeys(),
    ensureReadable: () => {
      ring.all()
    },
    trustedProxies,
    admit: (text, address) => {
      const entry = ring.find(text)
      if (entry === undefined) return undefined
      refuseEnded(entry, clock())
      const { id, ranges } = entry.key
      if (ranges !== undefined) {
        const from = address()
        if (from === undefined || !isInRanges(from, ranges)) throw addressRefused()
      }
      return { keyId: id }
    },
  }
}
