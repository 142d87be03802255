/** Where credentials survive: the vault over the store's rows, and the commit with its emergency journal. */

import type { Sealer } from "#accounts/secrets/seal.ts"
import type { Clock, Timers } from "#core/clock.ts"

import { makeCredentialWriter } from "./account-file.ts"
import { type CommitEvent, type CredentialCommit, makeCredentialCommit } from "./credential-commit.ts"
import { type CredentialVault, makeCredentialVault, type VaultRows } from "./credential-vault.ts"
import { openJournalIn } from "./emergency-journal.ts"

/** What they are made of. */
export type DurableCredentialsParts = {
  /** Exists already and belongs to this process; the emergency journal lies in it. */
  readonly dataDir: string
  readonly rows: VaultRows
  /** Seals what the store and the journal keep. */
  readonly sealer: Sealer
  readonly clock: Clock
  readonly timers: Timers
  readonly emit: (event: CommitEvent) => void
}

/** Both, and their end. */
export type DurableCredentials = {
  readonly vault: CredentialVault
  readonly commit: CredentialCommit
  /** Stores what is held, then closes the journal. */
  readonly close: () => Promise<void>
}

/** Makes them; the journal's file is made when it is needed. */
export function makeDurableCredentials(parts: DurableCredentialsParts): DurableCredentials {
  const { dataDir, timers, emit } = parts
  const vault = makeCredentialVault(parts)
  const journal = openJournalIn(dataDir)
  const commit = makeCredentialCommit({ vault, writeFile: makeCredentialWriter(), journal, timers, emit })
  return {
    vault,
    commit,
    close: async () => {
      await commit.close()
      journal.close()
    },
  }
}
