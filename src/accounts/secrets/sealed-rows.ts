/** Stored secrets under a key: which fields are sealed, what names the key, and how everything changes to another. */

import { GatewayError } from "#core/errors.ts"

import { isSealed, type Sealer, type SealPlace } from "./seal.ts"

/** The part of a stored row that is sealed. */
export type SecretFields = {
  /** Default `credentials`. */
  readonly table?: "credentials" | "sealed_values"
  /** The row's key: an account's id, or the name of a sealed value. */
  readonly accountId: string
  readonly secretJson: string
  readonly previousSecretJson: string | null
}

/** Named values that say which key a database was sealed with. */
export type KeyFacts = { readonly keyId: string | undefined; readonly probe: string | undefined }

/** What is needed of the store; its own functions fit. */
export type SecretStore<Row extends SecretFields> = {
  readonly readMeta: (key: string) => string | undefined
  readonly listSecrets: () => readonly Row[]
  readonly listClearSecrets: () => readonly Row[]
  /** One durable transaction; replaced text does not stay behind in the file. */
  readonly replaceSecrets: (rows: readonly Row[], meta: Readonly<Record<string, string>>) => void
}

const KEY_ID = "master-key-id"
const PROBE = "master-key-probe"
/** The values a key check reads. */
export const KEY_FACT_NAMES: readonly string[] = [KEY_ID, PROBE]

const PROBE_TEXT = "sluice"
const PROBE_PLACE: SealPlace = { table: "meta", accountId: "", field: PROBE }

function placeOf(row: SecretFields, field: "secret_json" | "previous_secret_json"): SealPlace {
  return { table: row.table ?? "credentials", accountId: row.accountId, field }
}

/** Seals both fields of a row whose fields are in clear. */
export function sealRow<Row extends SecretFields>(row: Row, sealer: Sealer): Row {
  const { secretJson, previousSecretJson } = row
  return {
    ...row,
    secretJson: sealer.seal(secretJson, placeOf(row, "secret_json")),
    previousSecretJson:
      previousSecretJson === null ? null : sealer.seal(previousSecretJson, placeOf(row, "previous_secret_json")),
  }
}

/** Returns the newest secret of a row in clear. Throws `internal` unless the sealer's key sealed it for this row. */
export function openSecret(row: SecretFields, sealer: Sealer): string {
  return sealer.open(row.secretJson, placeOf(row, "secret_json"))
}

/** Opens what is sealed in a row, takes what is not (an earlier version wrote it), and seals both with `to`. */
export function resealRow<Row extends SecretFields>(row: Row, from: Sealer, to: Sealer): Row {
  const { secretJson, previousSecretJson } = row
  const clear = (text: string, place: SealPlace) => (isSealed(text) ? from.open(text, place) : text)
  return sealRow(
    {
      ...row,
      secretJson: clear(secretJson, placeOf(row, "secret_json")),
      previousSecretJson:
        previousSecretJson === null ? null : clear(previousSecretJson, placeOf(row, "previous_secret_json")),
    },
    to,
  )
}

/** Reads which key a database names. */
export function readKeyFacts(readMeta: (key: string) => string | undefined): KeyFacts {
  return { keyId: readMeta(KEY_ID), probe: readMeta(PROBE) }
}

/** Throws `internal` unless the sealer's key is the one that `facts` were written with; writes nothing. */
export function checkKey(sealer: Sealer, { keyId, probe }: KeyFacts): void {
  if (keyId === undefined) return
  if (probe !== undefined && sealer.open(probe, PROBE_PLACE) === PROBE_TEXT) return
  throw new GatewayError("internal", `core.db names the master key ${keyId} and holds nothing to check it with.`, {
    hint: "Restore the data directory from a backup, or move core.db away to go on with the account files alone.",
  })
}

function factsOf(sealer: Sealer): Readonly<Record<string, string>> {
  return { [KEY_ID]: sealer.keyId, [PROBE]: sealer.seal(PROBE_TEXT, PROBE_PLACE) }
}

/** Seals what an earlier version wrote in clear, and names the key if nothing does yet. Returns how many rows changed. */
export function sealClearRows<Row extends SecretFields>(store: SecretStore<Row>, sealer: Sealer): number {
  const clear = store.listClearSecrets()
  const isNamed = readKeyFacts(store.readMeta).keyId !== undefined
  if (clear.length === 0 && isNamed) return 0
  store.replaceSecrets(
    clear.map(row => resealRow(row, sealer, sealer)),
    isNamed ? {} : factsOf(sealer),
  )
  return clear.length
}

/** Seals every row with another key, and names that key, all or nothing. Returns how many rows there are. */
export function resealAllRows<Row extends SecretFields>(store: SecretStore<Row>, from: Sealer, to: Sealer): number {
  const rows = store.listSecrets().map(row => resealRow(row, from, to))
  store.replaceSecrets(rows, factsOf(to))
  return rows.length
}
