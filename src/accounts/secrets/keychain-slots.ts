/** Keeps the master key in the keychain of the operating system. */

import { GatewayError } from "#core/errors.ts"

import type { KeySlot, KeySlots } from "./key-slots.ts"
import { parseMasterKey, writeMasterKey } from "./master-key.ts"

type Entry = { readonly service: string; readonly name: string }

/** What is needed of a keychain; `Bun.secrets` fits. */
export type Keychain = {
  readonly get: (entry: Entry) => Promise<string | null>
  readonly set: (entry: Entry & { readonly value: string }) => Promise<void>
  readonly delete: (entry: Entry) => Promise<boolean>
}

const SERVICE = "sluice"

/** The keychain's own message names the entry or the missing service, never the value. */
async function guard<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : "unexpected error"
    throw new GatewayError("internal", `The keychain cannot be used: ${reason}.`, {
      hint: "Unlock it for this user, or keep the key elsewhere: `master-key-source: file`.",
      cause,
    })
  }
}

/** Keeps the key of one data directory; each directory has entries of its own. */
export function keychainKeySlots(keychain: Keychain, dataDir: string): KeySlots {
  const entryOf = (slot: KeySlot): Entry => ({
    service: SERVICE,
    name: `master-key${slot === "current" ? "" : `-${slot}`} ${dataDir}`,
  })
  const where = `keychain entry "${entryOf("current").name}"`
  return {
    source: "keychain",
    where,
    isWritable: true,
    read: async slot => {
      const text = await guard(keychain.get(entryOf(slot)))
      return text === null ? undefined : parseMasterKey(text, where)
    },
    write: (slot, key) => guard(keychain.set({ ...entryOf(slot), value: writeMasterKey(key) })),
    remove: async slot => {
      await guard(keychain.delete(entryOf(slot)))
    },
  }
}
