/** Finds the key a database was sealed with, makes the first one, and changes it so that no crash locks anybody out. */

import { GatewayError } from "#core/errors.ts"
import type { RandomBytes } from "#core/ids.ts"

import type { KeySlot, KeySlots } from "./key-slots.ts"
import { type MasterKey, makeMasterKey } from "./master-key.ts"

/** What loading needs. */
export type LoadKeyParts = {
  readonly slots: KeySlots
  /** The key the database names; undefined = it names none yet, and a key may be made. */
  readonly expectedId: string | undefined
  readonly random: RandomBytes
}

const SLOTS: readonly KeySlot[] = ["current", "next", "previous"]

/**
 * Returns the key that opens the database. A change of the key that was interrupted after the database had taken the
 * new one is finished. Throws `internal`, naming both key ids and changing nothing, when no kept key is the right one.
 */
export async function loadMasterKey(parts: LoadKeyParts): Promise<MasterKey> {
  const { slots, expectedId } = parts
  if (expectedId === undefined) return (await slots.read("current")) ?? makeFirst(parts)
  const { key, slot, current } = await findKey(slots, expectedId)
  if (slot === "next") await putInPlace({ slots, from: current, to: key })
  return key
}

async function findKey(slots: KeySlots, expectedId: string) {
  const current = await slots.read("current")
  for (const slot of SLOTS) {
    const key = slot === "current" ? current : await slots.read(slot)
    if (key?.id === expectedId) return { key, slot, current }
  }
  throw wrongKey(slots, expectedId, current?.id)
}

async function makeFirst({ slots, random }: LoadKeyParts): Promise<MasterKey> {
  const key = makeMasterKey(random)
  await slots.write("current", key)
  // What lies there now is what the next start will find.
  return (await slots.read("current")) ?? key
}

function wrongKey(slots: KeySlots, expectedId: string, givenId: string | undefined): GatewayError {
  const given = givenId === undefined ? `${slots.where} holds none` : `${slots.where} holds ${givenId}`
  return new GatewayError("internal", `core.db needs the master key ${expectedId}, and ${given}.`, {
    hint: "Nothing was changed. Put the right key back, or move core.db with its -wal and -shm files away to go on with the account files alone.",
  })
}

type KeyChange = { readonly slots: KeySlots; readonly from: MasterKey | undefined; readonly to: MasterKey }

async function putInPlace({ slots, from, to }: KeyChange): Promise<void> {
  if (from !== undefined) await slots.write("previous", from)
  await slots.write("current", to)
  await slots.remove("next")
}

/**
 * Changes the key at a writable place. In this order, each step lasting before the next begins:
 * the new key as `next`; `reseal`, one transaction, after which the database names the new key; the old key as
 * `previous`; the new key as `current`; `next` goes. At every point the key that the database names is in some slot.
 */
export async function changeMasterKey(change: KeyChange & { readonly reseal: () => void }): Promise<void> {
  await change.slots.write("next", change.to)
  change.reseal()
  await putInPlace(change)
}

/** Removes what a change of the key left behind; called once a start with `key` has succeeded. */
export async function forgetOtherKeys(slots: KeySlots, key: MasterKey): Promise<void> {
  if (!slots.isWritable) return
  // A database restored from before the change is served by the previous key, which must then stay.
  if ((await slots.read("current"))?.id !== key.id) return
  await slots.remove("next")
  await slots.remove("previous")
}
