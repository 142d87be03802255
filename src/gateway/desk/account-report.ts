/** One account as operators see it: who it is, how it is, what it has done; no secret of it. */

import { basename } from "node:path"

import { describeAccount } from "#accounts/describe-account.ts"
import type { RefreshFailure } from "#accounts/refresh/refresh-types.ts"
import type { AccountSettings } from "#accounts/sources/account-settings.ts"
import { type Account, filePathOf } from "#core/account.ts"
import type { Block } from "#core/outcome.ts"
import type { QuotaSnapshot } from "#core/upstream.ts"
import type { QuotaWarning } from "#gateway/quota/quota-warnings.ts"
import { scopeName } from "#scheduler/blocks/blocks.ts"
import type { AccountView } from "#scheduler/types.ts"
import type { Counts } from "#telemetry/counters.ts"

import type { AssignmentReport } from "./proxy-report.ts"

/** The words for an account's state; `reason` and `until` say more. `new`: a refresh token that has not been used yet; `no-proxy`: its proxy is not there, or must not be used. */
export const ACCOUNT_STATES = [
  "ready",
  "new",
  "cooldown",
  "no-proxy",
  "paused",
  "expired",
  "uncertain",
  "needs-login",
  "suspended",
  "archived",
] as const

/** One of them. */
export type AccountState = (typeof ACCOUNT_STATES)[number]

/** An account in lists and on its own page. Times are RFC 3339. */
export type AccountReport = {
  readonly id: string
  readonly provider: string
  readonly label: string
  readonly email: string | null
  readonly plan: string | null
  readonly user_id: string | null
  readonly workspace_id: string | null
  readonly state: AccountState
  /** Why it does not serve, in one word; null when it does. */
  readonly reason: string | null
  readonly until: string | null
  readonly enabled: boolean
  readonly archived_at: string | null
  readonly note: string | null
  readonly tags: readonly string[]
  readonly source: { readonly type: "file" | "store"; readonly file: string | null }
  /** By which way it goes out. */
  readonly egress: Pick<AssignmentReport, "mode" | "proxy" | "proxy_name" | "fault">
  readonly credential: {
    readonly type: "chatgpt" | "api-key"
    readonly state: "fresh" | "due" | "expired" | "opaque"
    readonly can_refresh: boolean
    readonly generation: number
    readonly expires_at: string | null
    readonly last_refresh: string | null
    /** Why the last refresh failed; null once one has worked. */
    readonly refresh_failure: { readonly code: string; readonly retry_at: string | null } | null
  }
  /** 0–100: how well it has been doing, and the tier that follows; null in the recycle bin. */
  readonly score: number | null
  readonly tier: AccountView["tier"] | null
  /** Everything that stands against it, single models included. */
  readonly blocks: readonly BlockReport[]
  readonly in_flight: number
  readonly concurrency: number
  readonly requests: Counts | null
  readonly quota: QuotaSnapshot | null
  /** The highest quota threshold it has crossed, percent; null = none. */
  readonly quota_warning: number | null
  /** The newest change for the worse among the transitions. */
  readonly last_error: { readonly at: string; readonly what: string; readonly detail: string } | null
  readonly transitions: readonly { readonly at: string; readonly change: string; readonly detail: string }[]
}

/** A reason why an account, or one model of it, rests. Times are RFC 3339. */
export type BlockReport = {
  /** `account`, or `model gpt-5.5`. */
  readonly scope: string
  readonly cause: string
  readonly since: string
  readonly until: string
  readonly detail: string
}

/** What is known of an account in different places. */
export type AccountFactsForReport = {
  readonly account: Account
  readonly settings: AccountSettings
  readonly assignment: AssignmentReport
  /** Undefined for archived accounts, which the scheduler does not know. */
  readonly view: AccountView | undefined
  readonly quota: QuotaSnapshot | undefined
  readonly warnings: readonly QuotaWarning[]
  readonly requests: Counts | undefined
  readonly refreshFailure: RefreshFailure | undefined
}

function timeText(timeMs: number | undefined): string | null {
  return timeMs === undefined || timeMs <= 0 ? null : new Date(timeMs).toISOString()
}

function isUnused({ credential }: Account): boolean {
  return credential.type === "chatgpt" && credential.accessToken === ""
}

/** A proxy that does not answer is waited for; these wait for an operator. */
const NEEDS_PROXY: ReadonlySet<string> = new Set(["proxy-missing", "proxy-disabled", "proxy-unusable"])

/** The scheduler's axes in one word. */
function stateOf({ account, settings, view }: AccountFactsForReport): AccountState {
  if (settings.archivedAtMs !== undefined || view === undefined) return "archived"
  if (view.lifecycle !== "enabled") return view.lifecycle
  if (view.credential === "expired" && isUnused(account)) return "new"
  if (view.credential === "expired" || view.credential === "uncertain") return view.credential
  if (view.available) return "ready"
  return view.reason !== undefined && NEEDS_PROXY.has(view.reason) ? "no-proxy" : "cooldown"
}

function reasonOf(facts: AccountFactsForReport): string | null {
  return stateOf(facts) === "new" ? null : (facts.view?.reason ?? null)
}

function untilOf(view: AccountView | undefined): string | null {
  const ends = view?.blocks.filter(block => block.scope.type === "account").map(block => block.untilMs) ?? []
  return timeText(Math.max(0, ...ends))
}

function reportBlock({ scope, cause, sinceMs, untilMs, detail }: Block): BlockReport {
  const since = new Date(sinceMs).toISOString()
  return { scope: scopeName(scope), cause, since, until: new Date(untilMs).toISOString(), detail }
}

/** The scheduler's words for changes for the worse. */
const BAD_NEWS: ReadonlySet<string> = new Set([
  "blocked",
  "block restored",
  "failure noted",
  "kept as the last account",
  "needs-login",
  "suspended",
  "credential expired",
  "credential uncertain",
])

function lastErrorOf(view: AccountView | undefined): AccountReport["last_error"] {
  const found = view?.transitions.findLast(({ change }) => BAD_NEWS.has(change))
  return found === undefined
    ? null
    : { at: new Date(found.atMs).toISOString(), what: found.change, detail: found.detail }
}

function reportCredential(
  { account, refreshFailure }: AccountFactsForReport,
  nowMs: number,
): AccountReport["credential"] {
  const { credential } = account
  const { state, canRefresh, lastRefresh = null } = describeAccount(account, nowMs).credential
  return {
    type: credential.type,
    state,
    can_refresh: canRefresh,
    generation: credential.generation,
    expires_at: credential.type === "chatgpt" ? timeText(credential.expiresAtMs) : null,
    last_refresh: lastRefresh,
    refresh_failure:
      refreshFailure === undefined ? null : { code: refreshFailure.code, retry_at: timeText(refreshFailure.retryAtMs) },
  }
}

function highestOf(warnings: readonly QuotaWarning[]): number | null {
  return warnings.length === 0 ? null : Math.max(...warnings.map(({ threshold }) => threshold))
}

function egressOf({ mode, proxy, proxy_name, fault }: AssignmentReport): AccountReport["egress"] {
  return { mode, proxy, proxy_name, fault }
}

/** Describes an account at the time `nowMs`. */
export function reportAccount(facts: AccountFactsForReport, nowMs: number): AccountReport {
  const { account, settings, view, quota, requests, warnings } = facts
  const path = filePathOf(account)
  return {
    id: account.id,
    provider: account.provider,
    label: account.label,
    email: account.email ?? null,
    plan: view?.plan ?? account.plan ?? null,
    user_id: account.userId ?? null,
    workspace_id: account.workspaceId ?? null,
    state: stateOf(facts),
    reason: reasonOf(facts),
    until: untilOf(view),
    enabled: !account.disabled,
    archived_at: timeText(settings.archivedAtMs),
    note: account.note ?? null,
    tags: account.tags ?? [],
    source: { type: account.source.type, file: path === undefined ? null : basename(path) },
    egress: egressOf(facts.assignment),
    credential: reportCredential(facts, nowMs),
    score: view?.score ?? null,
    tier: view?.tier ?? null,
    blocks: (view?.blocks ?? []).map(reportBlock),
    in_flight: view?.load ?? 0,
    concurrency: view?.cap ?? 0,
    requests: requests ?? null,
    quota: quota ?? null,
    quota_warning: highestOf(warnings),
    last_error: lastErrorOf(view),
    transitions: (view?.transitions ?? []).map(({ atMs, ...rest }) => ({ at: new Date(atMs).toISOString(), ...rest })),
  }
}
