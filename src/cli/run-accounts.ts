/** Brings the accounts to life: directory, refresher and durable credentials, each told what the others learn. */

import { join } from "node:path"

import { type DirectoryEvent, makeAccountDirectory } from "#accounts/account-directory.ts"
import { makeCredentialWriter } from "#accounts/account-file.ts"
import { type CommitEvent, makeCredentialCommit } from "#accounts/credential-commit.ts"
import { makeCredentialVault } from "#accounts/credential-vault.ts"
import { openEmergencyJournal } from "#accounts/emergency-journal.ts"
import type { Refresher, RefresherEvent } from "#accounts/refresh-types.ts"
import { makeRefresher } from "#accounts/refresher.ts"
import type { Config } from "#config/config.ts"
import { type Account, maskLabel } from "#core/account.ts"
import type { Clock, Timers } from "#core/clock.ts"
import type { AccountId, RandomBytes } from "#core/ids.ts"
import type { SendUpstream } from "#core/upstream.ts"
import type { Store } from "#store/store.ts"
import type { Log } from "#telemetry/log.ts"

/** Whoever keeps accounts: told of every change. */
export type AccountListener = {
  /** New, changed, or with a new credential. */
  readonly put: (account: Account) => void
  readonly removed: (id: AccountId) => void
  /** Refreshing has shown for good that a human must sign in, or that the account was closed. */
  readonly lost: (id: AccountId, effect: "needs-login" | "suspend", detail: string) => void
}

/** What the accounts need. */
export type RunAccountsParts = {
  readonly config: Config
  readonly store: Store
  readonly send: SendUpstream
  readonly clock: Clock
  readonly timers: Timers
  readonly random: RandomBytes
  readonly log: Log
  readonly listener: AccountListener
}

/** The running accounts. */
export type RunningAccounts = {
  readonly refresher: Refresher
  /** Loads every file, then follows changes. */
  readonly start: () => Promise<void>
  /** Waits for exchanges that run, so that no successor is lost. */
  readonly stop: () => Promise<void>
}

/** Puts the parts together; nothing is read before `start`. */
export function runAccounts(parts: RunAccountsParts): RunningAccounts {
  const { config, store, clock, timers, log, listener } = parts
  const vault = makeCredentialVault({ rows: store, clock })
  const commit = makeCredentialCommit({
    vault,
    writeFile: makeCredentialWriter(),
    journal: openEmergencyJournal(join(config.dataDir, "emergency.journal")),
    timers,
    emit: event => onCommit(event),
  })
  const directory = makeAccountDirectory({
    path: config.authDir,
    timers,
    memory: vault,
    emit: event => onDirectory(event),
  })
  const refresher = makeRefresher({
    send: parts.send,
    endpoint: { url: `${config.oauth.issuer}/oauth/token`, clientId: config.oauth.clientId },
    clock,
    timers,
    random: parts.random,
    commit: commit.commit,
    reload: directory.reload,
    intents: vault,
    emit: event => onRefresher(event),
    maxRunning: Math.min(config.refreshConcurrency, MAX_EXCHANGES),
  })

  function onDirectory(event: DirectoryEvent): void {
    if (event.type === "account-added" || event.type === "account-changed") {
      listener.put(refresher.put(event.account))
    } else if (event.type === "account-removed") {
      refresher.remove(event.account.id)
      listener.removed(event.account.id)
    } else if (event.type === "file-behind") {
      void commit.repairFile(event.account, event.staleFingerprint)
    }
    logDirectory(event, log)
  }

  function onRefresher(event: RefresherEvent): void {
    if (event.type === "credential-changed") listener.put(event.account)
    else if (event.type === "account-effect" && isLoss(event.effect.type)) {
      listener.lost(event.accountId, event.effect.type, event.detail)
    }
    logRefresher(event, log)
  }

  function onCommit(event: CommitEvent): void {
    if (event.type === "commit-recovered") refresher.resume()
    logCommit(event, log)
  }

  return {
    refresher,
    start: async () => {
      const recovered = commit.recover()
      if (recovered > 0) log.warn({ credentials: recovered }, "credentials recovered from the emergency journal")
      vault.wipeOld()
      await directory.start()
    },
    stop: async () => {
      directory.close()
      await refresher.close()
      await commit.close()
    },
  }
}

/** The sign-in service sees at most this many exchanges of one gateway at a time, whatever the configuration says. */
const MAX_EXCHANGES = 4

function isLoss(type: string): type is "needs-login" | "suspend" {
  return type === "needs-login" || type === "suspend"
}

function logDirectory(event: DirectoryEvent, log: Log): void {
  switch (event.type) {
    case "account-added":
    case "account-changed":
    case "account-removed":
      log.debug({ account: event.account.id, label: maskLabel(event.account.label) }, event.type)
      return
    case "file-broken":
      log.warn({ path: event.path, reasons: event.reasons }, "account file cannot be used")
      return
    case "file-repaired":
      log.info({ path: event.path }, "account file is readable again")
      return
    case "account-duplicated":
      log.warn({ account: event.accountId, path: event.path, servedFrom: event.servedFrom }, "account is in two files")
      return
    case "file-behind":
      log.info({ account: event.account.id, path: event.account.source.path }, "account file holds an older token")
      return
    case "directory-missing":
      log.warn({ path: event.path, hint: event.hint }, "account folder does not exist")
      return
    case "directory-failed":
      log.warn({ path: event.path, reason: event.error.message }, "account folder cannot be listed")
  }
}

function logRefresher(event: RefresherEvent, log: Log): void {
  switch (event.type) {
    case "credential-changed":
      log.info({ account: event.account.id, label: maskLabel(event.account.label) }, "access token refreshed")
      return
    case "account-effect":
      log.warn({ account: event.accountId, code: event.detail, hint: "Sign in again." }, "account cannot be refreshed")
      return
    case "refresh-failed":
      log.warn({ account: event.accountId, class: event.failure.class, code: event.failure.code }, "refresh failed")
      return
    case "refresh-crashed":
      log.error({ reason: event.error.message, cause: String(event.error.cause) }, "refresh crashed")
  }
}

function logCommit(event: CommitEvent, log: Log): void {
  switch (event.type) {
    case "commit-failed":
      log.error(
        { account: event.accountId, journalled: event.journalled, reason: event.reason },
        "a rotated credential could not be stored; it is kept in memory and refreshing stands still",
      )
      return
    case "commit-recovered":
      log.info({}, "all credentials are stored again")
      return
    case "file-not-written":
      log.warn(
        { path: event.path, reason: event.reason },
        "account file could not be rewritten; the database has the token",
      )
  }
}
