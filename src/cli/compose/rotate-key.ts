/** Changes the master key of a data directory that no gateway uses. */

import { makeCredentialVault } from "#accounts/credentials/credential-vault.ts"
import { openJournalIn } from "#accounts/credentials/emergency-journal.ts"
import { recoverJournal } from "#accounts/credentials/recover-journal.ts"
import { type KeySlots, readKeyFile, writeKeyFile } from "#accounts/secrets/key-slots.ts"
import { changeMasterKey } from "#accounts/secrets/load-master-key.ts"
import { type MasterKey, makeMasterKey } from "#accounts/secrets/master-key.ts"
import { makeSealer } from "#accounts/secrets/seal.ts"
import { resealAllRows } from "#accounts/secrets/sealed-rows.ts"
import { systemClock } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"

import { type OpenedStore, openStore } from "./open-store.ts"
import { randomBytes } from "./random-bytes.ts"

/** What a change needs. */
export type RotateKeyParts = {
  readonly dataDir: string
  readonly slots: KeySlots
  /** File with the new key; made when it does not exist. Needed where the place of the key is not ours to write. */
  readonly newKeyFile: string | undefined
}

/** What was changed. */
export type KeyRotation = { readonly fromId: string; readonly toId: string; readonly credentials: number }

/** Seals everything with a new key. Rejects with `internal` when the directory is in use or the old key is not right. */
export async function rotateKey(parts: RotateKeyParts): Promise<KeyRotation> {
  const { dataDir, slots, newKeyFile } = parts
  if (!slots.isWritable && newKeyFile === undefined) {
    throw new GatewayError("invalid-request", `The key comes from ${slots.where}, which this command cannot change.`, {
      hint: "Name a file with --new-key-file; the new key is put there, and you set the variable to it afterwards.",
    })
  }
  const opened = await openStore(dataDir, slots)
  try {
    emptyJournal(dataDir, opened)
    const to = newKey(newKeyFile)
    if (to.id === opened.key.id) {
      throw new GatewayError("invalid-request", `The new key is the key in use, ${to.id}.`, {
        hint: "Name a file that does not exist yet; a new key is then made in it.",
      })
    }
    return await sealAnew(opened, to, slots)
  } finally {
    opened.store.close()
  }
}

/** Its lines are sealed with the old key, so they go where everything is sealed anew. */
function emptyJournal(dataDir: string, { store, sealer }: OpenedStore): void {
  const journal = openJournalIn(dataDir)
  try {
    recoverJournal(journal, makeCredentialVault({ rows: store, clock: systemClock, sealer }))
  } finally {
    journal.close()
  }
}

/** On the disk before anything is sealed with it. */
function newKey(file: string | undefined): MasterKey {
  if (file === undefined) return makeMasterKey(randomBytes)
  const present = readKeyFile(file)
  if (present !== undefined) return present
  const made = makeMasterKey(randomBytes)
  writeKeyFile(file, made)
  return made
}

async function sealAnew({ store, sealer, key }: OpenedStore, to: MasterKey, slots: KeySlots): Promise<KeyRotation> {
  let credentials = 0
  const reseal = () => {
    credentials = resealAllRows(store, sealer, makeSealer({ key: to, random: randomBytes }))
  }
  if (slots.isWritable) await changeMasterKey({ slots, from: key, to, reseal })
  else reseal()
  return { fromId: key.id, toId: to.id, credentials }
}
