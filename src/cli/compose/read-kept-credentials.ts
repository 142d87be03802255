/** Opens what the gateway has kept of credentials, for commands that look beside it: nothing is written, no key made. */

import { join } from "node:path"

import { type CredentialMemory, NO_MEMORY } from "#accounts/account-from-draft.ts"
import { makeCredentialMemory } from "#accounts/credential-vault.ts"
import { findMasterKey } from "#accounts/secrets/load-master-key.ts"
import { makeSealer } from "#accounts/secrets/seal.ts"
import { KEY_FACT_NAMES, readKeyFacts } from "#accounts/secrets/sealed-rows.ts"
import type { Config } from "#config/config.ts"
import { GatewayError } from "#core/errors.ts"
import { type CredentialReader, openCredentialReader } from "#store/credential-reader.ts"
import { peekMeta } from "#store/peek-meta.ts"

import { keyPlace } from "./key-place.ts"
import { randomBytes } from "./random-bytes.ts"

/** Call `close` when done. */
export type KeptCredentials = { readonly memory: CredentialMemory; readonly close: () => void }

/** Rejects with `internal` when the database cannot be read or its key is not to be had. */
export async function readKeptCredentials(
  config: Config,
  env: Readonly<Record<string, string | undefined>>,
): Promise<KeptCredentials> {
  const path = join(config.dataDir, "core.db")
  const reader = openCredentialReader(path)
  if (reader === undefined) return { memory: NO_MEMORY, close: () => undefined }
  try {
    return { memory: await memoryOf(reader, path, config, env), close: reader.close }
  } catch (cause) {
    reader.close()
    throw cause
  }
}

async function memoryOf(
  reader: CredentialReader,
  path: string,
  config: Config,
  env: Readonly<Record<string, string | undefined>>,
): Promise<CredentialMemory> {
  if (reader.listCredentialKeys().length === 0) return NO_MEMORY
  const known = peekMeta(path, KEY_FACT_NAMES)
  const { keyId } = readKeyFacts(name => known.get(name))
  if (keyId === undefined) {
    throw new GatewayError("internal", `${path} was written by an earlier version.`, {
      hint: "Start the gateway once, which encrypts it; until then `--files-only` goes by the account files alone.",
    })
  }
  const key = await findMasterKey(keyPlace(config, env), keyId)
  return makeCredentialMemory(reader, makeSealer({ key, random: randomBytes }))
}
