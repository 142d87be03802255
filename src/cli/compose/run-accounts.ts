/** Brings the accounts to life and tells whoever keeps accounts of every change. */

import {
  type AccountPool,
  type AccountPoolEvent,
  type AccountPoolParts,
  makeAccountPool,
} from "#accounts/account-pool.ts"
import type { Sealer } from "#accounts/secrets/seal.ts"
import type { Config } from "#config/config.ts"
import type { Account } from "#core/account.ts"
import { systemClock, systemTimers } from "#core/clock.ts"
import type { AccountId } from "#core/ids.ts"
import type { SendUpstream } from "#core/upstream.ts"
import type { Store } from "#store/store.ts"
import type { Log } from "#telemetry/log.ts"

import { logAccountEvent } from "./log-accounts.ts"
import { namedFiles, openSources } from "./name-sources.ts"
import { randomBytes } from "./random-bytes.ts"

/** Whoever keeps accounts: told of every change. */
export type AccountListener = {
  /** New, or changed in its file: whoever did that has a reason to try it again. */
  readonly put: (account: Account) => void
  /** Refreshed: nothing but the credential is new. */
  readonly renewed: (account: Account) => void
  /** An exchange of the account's refresh token has no known end. */
  readonly doubted: (id: AccountId) => void
  readonly removed: (id: AccountId) => void
  /** Its access token has run out, and another program has to renew it. */
  readonly expired: (id: AccountId) => void
  /** Refreshing has shown for good that a human must sign in, or that the account was closed. */
  readonly lost: (id: AccountId, effect: "needs-login" | "suspend", detail: string) => void
}

/** What the accounts need. */
export type RunAccountsParts = {
  readonly config: Config
  /** Where an account's token may stand. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly store: Store
  readonly sealer: Sealer
  /** Jars that go along when an account gets another id. */
  readonly cookies: AccountPoolParts["cookies"]
  readonly send: SendUpstream
  readonly log: Log
  readonly listener: AccountListener
  /** For a command that only looks or orders: nothing is refreshed unless somebody asks, and no login is taken over. */
  readonly isIdle: boolean
}

/** The sign-in service sees at most this many exchanges of one gateway at a time, whatever the configuration says. */
const MAX_EXCHANGES = 4

/**
 * Puts the accounts together, and opens the sources that the configuration names beside `auth-dir`; no account is read before
 * `start`. Rejects with `internal` for a source that can never be used.
 */
export async function runAccounts(parts: RunAccountsParts): Promise<AccountPool> {
  const { config, env, store, sealer, send, log, listener } = parts
  return makeAccountPool({
    authDir: config.authDir,
    sources: parts.isIdle ? namedFiles(config) : await openSources(config, { env, keychain: Bun.secrets }, log),
    dataDir: config.dataDir,
    rows: store,
    sealer,
    cookies: parts.cookies,
    send,
    clock: systemClock,
    timers: systemTimers,
    random: randomBytes,
    endpoint: { url: `${config.oauth.issuer}/oauth/token`, clientId: config.oauth.clientId },
    unknownLifetimeMs: config.refreshIntervalMs,
    isPlanning: !parts.isIdle,
    refreshConcurrency: Math.min(config.refreshConcurrency, MAX_EXCHANGES),
    emit: event => {
      pass(event, listener)
      logAccountEvent(event, log)
    },
  })
}

function pass(event: AccountPoolEvent, listener: AccountListener): void {
  if (event.type === "account-added" || event.type === "account-changed") listener.put(event.account)
  else if (event.type === "credential-renewed") listener.renewed(event.account)
  else if (event.type === "credential-uncertain") listener.doubted(event.accountId)
  else if (event.type === "account-removed") listener.removed(event.account.id)
  else if (event.type === "login-expired") listener.expired(event.account.id)
  else if (event.type === "account-effect") {
    const effect = event.effect.type
    if (effect !== "needs-login" && effect !== "suspend") return
    const detail = event.afterLostAnswer ? `${event.detail}, after an answer that was lost` : event.detail
    listener.lost(event.accountId, effect, detail)
  }
}
