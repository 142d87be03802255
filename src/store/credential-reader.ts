/** Looks into `core.db` without owning it: for commands that run beside a gateway. */

import { Database } from "bun:sqlite"
import { existsSync } from "node:fs"

import { GatewayError } from "#core/errors.ts"

import { type CredentialRows, makeCredentialRows } from "./credentials.ts"

/** The reading half of the credential rows. */
export type CredentialReader = Pick<CredentialRows, "readCredential" | "listCredentialKeys" | "findCredentials"> & {
  readonly close: () => void
}

/**
 * Opens the database for reading, without the owner lock; a gateway may write meanwhile. Undefined when there is none.
 * Throws `internal` with the file's name when it cannot be read.
 */
export function openCredentialReader(path: string): CredentialReader | undefined {
  if (!existsSync(path)) return undefined
  let database: Database | undefined
  try {
    database = new Database(path, { readonly: true, strict: true })
    const { readCredential, listCredentialKeys, findCredentials } = makeCredentialRows(database)
    const opened = database
    return { readCredential, listCredentialKeys, findCredentials, close: () => opened.close() }
  } catch (cause) {
    database?.close()
    const reason = cause instanceof Error ? cause.message : "unexpected content"
    throw new GatewayError("internal", `${path} cannot be read: ${reason}`, {
      hint: "The account files alone may be older than what the gateway refreshed; `--files-only` lists them.",
      cause,
    })
  }
}
