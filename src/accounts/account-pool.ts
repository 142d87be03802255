/** All accounts of the gateway: their sources, the refresher and the durable commit, wired together. */

import { filePathOf } from "#core/account.ts"
import type { Clock, Timers } from "#core/clock.ts"
import type { RandomBytes } from "#core/ids.ts"
import type { SendUpstream } from "#core/upstream.ts"

import type { CredentialMemory } from "./account-from-draft.ts"
import type { CommitEvent, CredentialCommit } from "./credentials/credential-commit.ts"
import { type DurableCredentialsParts, makeDurableCredentials } from "./credentials/durable-credentials.ts"
import type { NamedSource } from "./elsewhere/named-source.ts"
import { OPENAI_TOKEN_ENDPOINT, type TokenEndpoint } from "./refresh/refresh-token.ts"
import type { Refresher, RefresherEvent } from "./refresh/refresh-types.ts"
import { makeRefresher } from "./refresh/refresher.ts"
import {
  type AccountSources,
  type AccountSourcesParts,
  makeAccountSources,
  type SourceEvent,
  type SourceRows,
} from "./sources/account-sources.ts"

/** Everything the accounts tell. */
export type AccountPoolEvent = Exclude<SourceEvent, { type: "file-behind" }> | RefresherEvent | CommitEvent

/** What the pool is made of. */
export type AccountPoolParts = Pick<DurableCredentialsParts, "dataDir" | "sealer"> & {
  readonly authDir: string
  /** Accounts from elsewhere than `authDir`. */
  readonly sources?: readonly NamedSource[]
  readonly rows: DurableCredentialsParts["rows"] & SourceRows
  /** Jars that go along when an account gets another id. */
  readonly cookies?: AccountSourcesParts["cookies"]
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
  /** False: nothing is refreshed unless somebody asks; default true. */
  readonly isPlanning?: boolean
}

/** The accounts at work. */
export type AccountPool = Pick<
  Refresher,
  "accounts" | "get" | "lastFailure" | "refresh" | "refreshAll" | "pause" | "unpause"
> &
  Pick<AccountSources, "rescan" | "put" | "remove" | "changeSettings" | "settingsOf" | "archived" | "trouble"> & {
    /** What the store remembers of credentials, for those who compare. */
    readonly memory: CredentialMemory
    /** Recovers what an earlier run could not store, loads all accounts, then follows their files and refreshes. */
    readonly start: () => Promise<void>
    /** Waits for exchanges that run, stores what is held, stops watching. */
    readonly close: () => Promise<void>
  }

type Wiring = {
  readonly refresher: Refresher
  readonly commit: CredentialCommit
  readonly emit: (event: AccountPoolEvent) => void
}

function onSourceEvent({ refresher, commit, emit }: Wiring, event: SourceEvent): void {
  switch (event.type) {
    case "account-added":
      emit({ ...event, account: refresher.put(event.account) })
      if (!refresher.isUncertain(event.account.id)) return
      emit({ type: "credential-uncertain", accountId: event.account.id, origin: "earlier-run" })
      return
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
    case "stored-account-failed":
    case "login-expired":
    case "source-missing":
      emit(event)
      return
  }
}

/** A login that two programs share is lost by the one that refreshes later: ours gets a token line of its own at once. */
function refreshTakenOver(refresher: Refresher, named: readonly NamedSource[]): void {
  const paths = new Set(named.filter(source => source.isTakenOver === true).map(source => source.path))
  if (paths.size === 0) return
  for (const account of refresher.accounts()) {
    // Never rejects, reports by event; whoever needs the account meanwhile joins the exchange.
    if (paths.has(filePathOf(account) ?? "")) void refresher.refresh(account.id, { lane: "operator" })
  }
}

/** Makes the pool; nothing is read before `start`. */
export function makeAccountPool(parts: AccountPoolParts): AccountPool {
  const { emit, endpoint = OPENAI_TOKEN_ENDPOINT, refreshConcurrency, sources: named = [] } = parts
  const durable = makeDurableCredentials({
    ...parts,
    emit: event => {
      emit(event)
      if (event.type === "commit-recovered") refresher.resume()
    },
  })
  const { vault, commit } = durable
  const sources = makeAccountSources({
    ...parts,
    named,
    vault,
    live: id => refresher.get(id),
    emit: event => onSourceEvent({ refresher, commit, emit }, event),
  })
  const refresher = makeRefresher({
    ...parts,
    endpoint,
    ...(refreshConcurrency === undefined ? {} : { maxRunning: refreshConcurrency }),
    commit: commit.commit,
    reload: sources.reload,
    intents: vault,
    emit: event => {
      emit(event)
      if (event.type === "credential-renewed") sources.renewed(event.account)
    },
  })
  const { rescan, put, remove, changeSettings, settingsOf, archived, trouble } = sources
  return {
    rescan,
    put,
    remove,
    changeSettings,
    settingsOf,
    archived,
    trouble,
    memory: vault,
    accounts: refresher.accounts,
    get: refresher.get,
    lastFailure: refresher.lastFailure,
    refresh: refresher.refresh,
    refreshAll: refresher.refreshAll,
    pause: refresher.pause,
    unpause: refresher.unpause,
    start: async () => {
      commit.recover()
      vault.wipeOld()
      await sources.start()
      refreshTakenOver(refresher, named)
    },
    close: async () => {
      sources.close()
      await refresher.close()
      await durable.close()
    },
  }
}
