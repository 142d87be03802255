/** The accounts in use: keeps scheduler, credentials and quota of each in step. */

import type { Account } from "#core/account.ts"
import type { Clock } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"
import type { AccountId, ProviderId } from "#core/ids.ts"
import type { QuotaSnapshot, UpstreamTarget } from "#core/upstream.ts"
import { applyQuota } from "#gateway/quota/apply-quota.ts"
import { mergeQuota, quotaAt } from "#gateway/quota/merge-quota.ts"
import type { TurnPool } from "#gateway/turn/turn-parts.ts"
import type { Provider } from "#providers/provider.ts"
import type { Scheduler } from "#scheduler/scheduler.ts"
import type { EgressFault, Lifecycle } from "#scheduler/types.ts"

/** The pool as commands, operators' routes and turns see it. */
export type Pool = TurnPool & {
  /** Adds an account or takes over what changed about it. */
  readonly put: (account: Account) => void
  /** Takes over a refreshed credential and leaves the account's lifecycle to what else is known of it. */
  readonly renew: (account: Account) => void
  /** Nobody knows whether the account's refresh token is used up. It serves on while its access token holds. */
  readonly doubt: (id: AccountId) => void
  /** The doubt ended without a new credential: the account needs a sign-in. */
  readonly endDoubt: (id: AccountId) => void
  readonly isDoubted: (id: AccountId) => boolean
  readonly remove: (id: AccountId) => void
  readonly accounts: () => readonly Account[]
  readonly quotaOf: (id: AccountId) => QuotaSnapshot | undefined
  /** Takes over what was known before a restart, unless something was said since. Blocks are kept by themselves. */
  readonly restoreQuota: (id: AccountId, quota: QuotaSnapshot) => void
}

/** What the pool needs. */
export type PoolParts = {
  readonly clock: Clock
  /** A number in [0, 1). */
  readonly random: () => number
  readonly scheduler: Scheduler
  readonly providers: Readonly<Record<ProviderId, Provider>>
  /** The operator's base URL for ChatGPT accounts. */
  readonly baseUrl: string
  /** Refreshes unless the account has another token than the refused one; rejects when it cannot be refreshed. */
  readonly refresh: (account: Account, refusedToken: string | undefined) => Promise<unknown>
  /** Told what is known of an account's quota whenever something was said of it, and when it is gone. */
  readonly watch: {
    readonly heard: (account: Account, quota: QuotaSnapshot) => void
    readonly forget: (id: AccountId) => void
  }
  /** Accounts whose quota reads as spent are not asked. */
  readonly skipsExhausted: () => boolean
  readonly modelsChanged: (account: Account, etag: string) => void
  /** What stands against a way out that an account names; default: nothing. */
  readonly egressFault?: (name: string) => EgressFault | undefined
}

/** Makes an empty pool. */
export function makePool(parts: PoolParts): Pool {
  const accounts = new Map<AccountId, Account>()
  const quotas = new Map<AccountId, QuotaSnapshot>()
  const doubted = new Set<AccountId>()
  const providerOf = (account: Account) => parts.providers[account.provider]
  const stateOf = (account: Account) => {
    const state = credentialState(account, parts.clock())
    return state === "expired" && doubted.has(account.id) ? "uncertain" : state
  }

  return {
    put: account => {
      const known = accounts.get(account.id)
      accounts.set(account.id, account)
      // Rewriting a file after a refresh shows up as a change of it; nothing has changed then.
      const isSame = known !== undefined && isSameSignIn(known, account)
      shutWay(account, parts)
      if (isSame && Bun.deepEquals(known.tags, account.tags) && known.egress === account.egress) return
      if (!isSame) doubted.delete(account.id)
      if (known !== undefined) forgetRefusals(known, account, parts)
      const lifecycle = lifecycleOf(account, isSame, parts)
      parts.scheduler.upsert({ ...standingFactsOf(account), lifecycle, credential: stateOf(account) })
    },
    renew: account => {
      accounts.set(account.id, account)
      doubted.delete(account.id)
      proveCredential(account, parts)
    },
    doubt: id => {
      const account = accounts.get(id)
      if (account === undefined) return
      doubted.add(id)
      const state = stateOf(account)
      if (state === "uncertain") parts.scheduler.setCredential(id, state)
    },
    endDoubt: id => void doubted.delete(id),
    isDoubted: id => doubted.has(id),
    remove: id => {
      accounts.delete(id)
      quotas.delete(id)
      doubted.delete(id)
      parts.watch.forget(id)
      parts.scheduler.remove(id)
    },
    accounts: () => [...accounts.values()],
    quotaOf: id => {
      const quota = quotas.get(id)
      return quota === undefined ? undefined : quotaAt(quota, parts.clock())
    },
    restoreQuota: (id, quota) => {
      if (!accounts.has(id) || quotas.has(id)) return
      quotas.set(id, quota)
      parts.scheduler.setQuota(id, quota)
    },
    target: id => {
      const account = accounts.get(id)
      return account === undefined ? undefined : targetOf(account, providerOf(account), parts.baseUrl)
    },
    refreshNow: async (id, refusedToken) => {
      const account = accounts.get(id)
      if (account === undefined) throw new GatewayError("no-account", "The account was removed.")
      await parts.refresh(account, refusedToken)
    },
    expiredAccount: () => {
      const nowMs = parts.clock()
      const expired = [...accounts.values()].filter(account => isRenewable(account, nowMs))
      // Not always the first: one that cannot be renewed must not stand in the way of the others.
      return expired[Math.floor(parts.random() * expired.length)]?.id
    },
    observeQuota: (id, snapshot, askedAtMs) =>
      observe({ account: accounts.get(id), id, snapshot, askedAtMs, quotas }, parts),
    observeModelsEtag: (id, etag) => {
      const account = accounts.get(id)
      if (account !== undefined) parts.modelsChanged(account, etag)
    },
  }
}

/** What the old credential was refused for says nothing about a new one. */
function forgetRefusals(known: Account, account: Account, { scheduler }: PoolParts): void {
  if (secretOf(known) !== secretOf(account)) scheduler.clearBlocks(account.id, { cause: "credential" })
}

/** Another tag or way out is no new sign-in: what refusals have shown of the account stands. */
function lifecycleOf(account: Account, isSame: boolean, { scheduler }: PoolParts): Lifecycle {
  const present = isSame ? scheduler.lifecycleOf(account.id) : undefined
  return present ?? (account.disabled ? "paused" : "enabled")
}

/** A refresh proves the credential, and so ends a missing login; it proves nothing about a closed account. */
function proveCredential(account: Account, { scheduler, clock }: PoolParts): void {
  if (scheduler.lifecycleOf(account.id) === "needs-login") scheduler.setLifecycle(account.id, "enabled")
  scheduler.clearBlocks(account.id, { cause: "credential" })
  scheduler.setCredential(account.id, credentialState(account, clock()))
}

/** Before the account may be picked: a way that is not there, or must not be used, is shut. */
function shutWay({ egress }: Account, { scheduler, egressFault }: PoolParts): void {
  if (egress !== undefined) scheduler.setEgress(egress, egressFault?.(egress))
}

type Observation = {
  readonly account: Account | undefined
  readonly id: AccountId
  readonly snapshot: QuotaSnapshot
  readonly askedAtMs: number
  readonly quotas: Map<AccountId, QuotaSnapshot>
}

/** Takes over what was said, and tells everyone who goes by it. */
function observe({ account, id, snapshot, askedAtMs, quotas }: Observation, parts: PoolParts): void {
  const merged = mergeQuota(quotas.get(id), snapshot)
  quotas.set(id, merged)
  parts.scheduler.setQuota(id, merged)
  applyQuota(id, { said: snapshot, merged, askedAtMs }, parts)
  if (account !== undefined) parts.watch.heard(account, quotaAt(merged, parts.clock()))
}

/** What the scheduler is told of an account besides its state. */
function standingFactsOf({ id, provider, plan, egress, tags }: Account) {
  return {
    id,
    provider,
    ...(plan !== undefined && { plan }),
    ...(egress !== undefined && { egress }),
    ...(tags !== undefined && { tags }),
  }
}

function isSameSignIn(before: Account, after: Account): boolean {
  if (before.disabled !== after.disabled || before.plan !== after.plan) return false
  return secretOf(before) === secretOf(after)
}

function secretOf({ credential }: Account): string {
  return credential.type === "api-key" ? credential.apiKey : credential.accessToken
}

/** Where requests of an account go: only ChatGPT accounts follow the configured base URL. */
function targetOf(account: Account, provider: Provider, baseUrl: string): UpstreamTarget {
  return { account, baseUrl: provider.baseUrlOf(account, account.provider === "codex" ? baseUrl : undefined) }
}

function credentialState(account: Account, nowMs: number): "fresh" | "due" | "expired" {
  const { credential } = account
  if (credential.type === "api-key" || credential.expiresAtMs === undefined) return "fresh"
  return credential.expiresAtMs > nowMs ? "fresh" : "expired"
}

function isRenewable({ disabled, credential }: Account, nowMs: number): boolean {
  if (disabled || credential.type === "api-key" || credential.refreshToken === undefined) return false
  return credential.expiresAtMs !== undefined && credential.expiresAtMs <= nowMs
}
