/** All accounts of the gateway: the directory, the refresher and the durable commit, wired together. */

import type { Clock, Timers } from "#core/clock.ts"
import type { RandomBytes } from "#core/ids.ts"
import type { SendUpstream } from "#core/upstream.ts"

import {
  type AccountDirectory,
  type AccountDirectoryParts,
  type DirectoryEvent,
  makeAccountDirectory,
} from "./account-directory.ts"
import { makeCredentialWriter } from "./account-file.ts"
import { type CommitEvent, type CredentialCommit, makeCredentialCommit } from "./credential-commit.ts"
import { type CredentialVault, makeCredentialVault, type VaultRows } from "./credential-vault.ts"
import { type EmergencyJournal, openJournalIn } from "./emergency-journal.ts"
import { OPENAI_TOKEN_ENDPOINT, type TokenEndpoint } from "./refresh-token.ts"
import type { Refresher, RefresherEvent } from "./refresh-types.ts"
import { makeRefresher } from "./refresher.ts"
import type { Sealer } from "./secrets/seal.ts"

/** Everything the accounts tell. */
export type AccountPoolEvent = Exclude<DirectoryEvent, { type: "file-behind" }> | RefresherEvent | CommitEvent

/** What the pool is made of. */
export type AccountPoolParts = {
  readonly authDir: string
  /** Accounts beside those in `authDir`. */
  readonly sources?: NonNullable<AccountDirectoryParts["sources"]>
  /** Exists already and belongs to this process; the emergency journal lies in it. */
  readonly dataDir: string
  readonly rows: VaultRows
  /** Seals what the store and the journal keep. */
  readonly sealer: Sealer
  readonly send: SendUpstream
  readonly clock: Clock
  readonly timers: Timers
  readonly random: RandomBytes
  readonly emit: (event: AccountPoolEvent) => void
  /** Default: the vendor's. */
  readonly endpoint?: TokenEndpoint
  /** Age at which a token without a stated expiry is refreshed; default 8 days. */
  readonly unknownLifetimeMs?: number
  /** Exchanges at a time; default 4. */
  readonly refreshConcurrency?: number
}

/** The accounts at work. */
export type AccountPool = Pick<Refresher, "accounts" | "get" | "refresh" | "refreshAll"> & {
  /** Recovers what an earlier run could not store, loads all files, then follows them and refreshes. */
  readonly start: () => Promise<void>
  /** Looks at the directory now. */
  readonly rescan: () => Promise<void>
  /** Waits for exchanges that run, stores what is held, stops watching. */
  readonly close: () => Promise<void>
}

type Wiring = {
  readonly refresher: Refresher
  readonly commit: CredentialCommit
  readonly emit: (event: AccountPoolEvent) => void
}

function onDirectoryEvent({ refresher, commit, emit }: Wiring, event: DirectoryEvent): void {
  switch (event.type) {
    case "account-added":
    case "account-changed":
      emit({ ...event, account: refresher.put(event.account) })
      return
    case "account-removed":
      refresher.remove(event.account.id)
      emit(event)
      return
    case "file-behind":
      // Never rejects, reports by event.
      void commit.repairFile(event.account, event.staleFingerprint)
      return
    case "account-duplicated":
    case "directory-failed":
    case "directory-missing":
    case "file-broken":
    case "file-repaired":
    case "login-expired":
    case "source-missing":
      emit(event)
      return
  }
}

function makeCommit(
  { timers, emit }: AccountPoolParts,
  vault: CredentialVault,
  journal: EmergencyJournal,
  onRecovered: () => void,
): CredentialCommit {
  return makeCredentialCommit({
    vault,
    writeFile: makeCredentialWriter(),
    journal,
    timers,
    emit: event => {
      emit(event)
      if (event.type === "commit-recovered") onRecovered()
    },
  })
}

/** A login that two programs share is lost by the one that refreshes later: ours gets a token line of its own at once. */
function refreshTakenOver(refresher: Refresher, sources: NonNullable<AccountPoolParts["sources"]>): void {
  const paths = new Set(sources.filter(source => source.isTakenOver === true).map(source => source.path))
  for (const { id, source } of refresher.accounts()) {
    // Never rejects, reports by event; whoever needs the account meanwhile joins the exchange.
    if (paths.has(source.path)) void refresher.refresh(id, { lane: "operator" })
  }
}

/** Makes the pool; nothing is read before `start`. */
export function makeAccountPool(parts: AccountPoolParts): AccountPool {
  const { authDir, dataDir, rows, clock, timers, emit, endpoint = OPENAI_TOKEN_ENDPOINT, refreshConcurrency } = parts
  const sources = parts.sources ?? []
  const vault = makeCredentialVault({ rows, clock, sealer: parts.sealer })
  const journal = openJournalIn(dataDir)
  const commit = makeCommit(parts, vault, journal, () => refresher.resume())
  const directory: AccountDirectory = makeAccountDirectory({
    path: authDir,
    sources,
    clock,
    timers,
    memory: vault,
    emit: event => onDirectoryEvent({ refresher, commit, emit }, event),
  })
  const refresher = makeRefresher({
    ...parts,
    endpoint,
    ...(refreshConcurrency === undefined ? {} : { maxRunning: refreshConcurrency }),
    commit: commit.commit,
    reload: directory.reload,
    intents: vault,
    emit,
  })
  return {
    accounts: refresher.accounts,
    get: refresher.get,
    refresh: refresher.refresh,
    refreshAll: refresher.refreshAll,
    start: async () => {
      commit.recover()
      vault.wipeOld()
      await directory.start()
      refreshTakenOver(refresher, sources)
    },
    rescan: directory.rescan,
    close: async () => {
      directory.close()
      await refresher.close()
      await commit.close()
      journal.close()
    },
  }
}
