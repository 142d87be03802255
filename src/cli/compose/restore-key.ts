/** Whether a backup can be opened here. */

import type { KeySlot, KeySlots } from "#accounts/secrets/key-slots.ts"
import type { MasterKey } from "#accounts/secrets/master-key.ts"
import { makeSealer } from "#accounts/secrets/seal.ts"
import { checkKey, KEY_FACT_NAMES, type KeyFacts, readKeyFacts } from "#accounts/secrets/sealed-rows.ts"
import { GatewayError } from "#core/errors.ts"
import { peekMeta } from "#store/peek-meta.ts"

import { randomBytes } from "./random-bytes.ts"

const SLOTS: readonly KeySlot[] = ["current", "next", "previous"]
/** Reads which key a database was sealed with; not a byte of it changes. */
export function keyFactsOf(path: string): KeyFacts {
  const known = peekMeta(path, KEY_FACT_NAMES)
  return readKeyFacts(name => known.get(name))
}

/** Throws `internal` when no key here opens it. Reads keys only: the next start does what a start does with them. */
export async function refuseWrongKey(facts: KeyFacts, slots: Pick<KeySlots, "read" | "where">): Promise<void> {
  if (facts.keyId === undefined) return
  const keys: (MasterKey | undefined)[] = []
  for (const slot of SLOTS) keys.push(await slots.read(slot))
  const key = keys.find(one => one?.id === facts.keyId)
  if (key !== undefined) {
    checkKey(makeSealer({ key, random: randomBytes }), facts)
    return
  }
  const held = keys[0] === undefined ? "none" : keys[0].id
  throw new GatewayError(
    "internal",
    `The backup needs the master key ${facts.keyId}, and ${slots.where} holds ${held}.`,
    {
      code: "wrong_master_key",
      hint: "Nothing was changed. Put the key of the backup's time there, and try again.",
    },
  )
}
