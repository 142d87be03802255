/** The secret that goes into the hashes of client keys: sealed in the store like every other secret. */

import type { Sealer } from "#accounts/secrets/seal.ts"
import { openSecret, sealRow } from "#accounts/secrets/sealed-rows.ts"
import type { Clock } from "#core/clock.ts"
import type { RandomBytes } from "#core/ids.ts"
import type { SealedValueRows } from "#store/sealed-values.ts"

import { PEPPER_BYTES } from "./key-secret.ts"

/** What the secret is read with. */
export type PepperParts = {
  readonly rows: Pick<SealedValueRows, "listSealedValues" | "writeSealedValues">
  readonly sealer: Sealer
  readonly clock: Clock
  readonly random: RandomBytes
}

const NAME = "client-key-pepper"
const PLACE = { table: "sealed_values", accountId: NAME, previousSecretJson: null } as const

/** Reads it; undefined when none was made yet. Throws what the store throws, or `internal` for another master key. */
export function readPepper({ rows, sealer }: PepperParts): Uint8Array | undefined {
  const row = rows.listSealedValues(NAME).find(({ name }) => name === NAME)
  return row === undefined
    ? undefined
    : Buffer.from(openSecret({ ...PLACE, secretJson: row.secretJson }, sealer), "base64url")
}

/** Makes it; on the disk when this returns. */
export function makePepper({ rows, sealer, clock, random }: PepperParts): Uint8Array {
  const pepper = random(new Uint8Array(PEPPER_BYTES))
  const clear = { ...PLACE, secretJson: Buffer.from(pepper).toString("base64url") }
  rows.writeSealedValues([{ name: NAME, secretJson: sealRow(clear, sealer).secretJson, updatedAtMs: clock() }])
  return pepper
}
