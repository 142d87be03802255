/** Finished requests and usage at the operators' desk. Times are RFC 3339. */

import type { AccountPool } from "#accounts/account-pool.ts"
import { maskLabel } from "#core/account.ts"
import type { Clock } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"
import { IDS_A_MS, timeOf } from "#gateway/journal/entry.ts"
import type { Journal } from "#gateway/journal/journal.ts"
import type { AttemptRow, RequestRow } from "#store/log/request-rows.ts"

import { findTargets } from "./targets.ts"

/** A request as operators see it. */
export type RequestReport = {
  readonly id: string
  readonly ended_at: string
  readonly key: string
  readonly account: string | null
  /** Masked; null when the account is gone. */
  readonly account_label: string | null
  readonly protocol: string
  readonly lane: string
  /** As the client wrote it, and as it went upstream. */
  readonly model: string
  readonly upstream_model: string | null
  readonly warnings: readonly string[]
  readonly status: number
  readonly error: { readonly kind: string; readonly code: string | null } | null
  readonly attempts: number
  readonly first_byte_ms: number | null
  readonly total_ms: number
  readonly input_tokens: number
  readonly cached_tokens: number
  readonly output_tokens: number
  readonly reasoning_tokens: number
}

/** A page, the newest request first; `next` asks for the page after it. */
export type RequestPage = { readonly requests: readonly RequestReport[]; readonly next: string | null }

/** One attempt that failed. */
export type AttemptReport = {
  readonly n: number
  readonly account: string
  readonly started_at: string
  readonly total_ms: number
  readonly error_kind: string
  readonly error_code: string | null
  readonly upstream_status: number | null
  /** What it meant for the account, and for the next try. */
  readonly effect: string
  readonly next: string
}

/** A request with all that is kept of it. */
export type RequestDetail = RequestReport & {
  readonly failed_attempts: readonly AttemptReport[]
  /** Null = it went well, or `log.detail-days` have passed. */
  readonly error_detail: unknown
  /** Why its accounts were chosen, or nobody was. Empty = `log.explain` did not ask for it. */
  readonly decisions: readonly unknown[]
}

/** Which requests to show. */
export type RequestWish = {
  readonly key?: string | undefined
  /** An account's id, or any name of one that is known. */
  readonly account?: string | undefined
  readonly model?: string | undefined
  readonly failed?: boolean | undefined
  readonly sinceMs?: number | undefined
  /** `next` of the page before. */
  readonly before?: string | undefined
  readonly limit: number
}

/** What operators can see of requests. */
export type RequestDesk = {
  readonly list: (wish: RequestWish) => RequestPage
  /** Throws `not-found`. */
  readonly show: (id: string) => RequestDetail
}

/** What it is read from. */
export type RequestDeskParts = {
  readonly clock: Clock
  readonly accounts: () => AccountPool
  readonly journal: Pick<Journal, "read">
}

/** Rows among which a request is looked for, from the time in its id on. */
const MAX_SEARCHED_ROWS = 100_000

/** Makes the desk's part. */
export function makeRequestDesk(parts: RequestDeskParts): RequestDesk {
  const { journal } = parts
  return {
    list: ({ key, account, model, failed, sinceMs, before, limit }) => {
      const rows = journal.read(log =>
        log.listRequests({
          keyId: key,
          accountId: account === undefined ? undefined : accountIdOf(account, parts),
          model,
          failed,
          sinceId: sinceMs === undefined ? undefined : sinceMs * IDS_A_MS,
          beforeId: before === undefined ? undefined : readCursor(before),
          limit,
        }),
      )
      const labels = labelsOf(parts)
      const last = rows.at(-1)
      const isFull = rows.length === limit && last !== undefined
      return { requests: rows.map(row => reportOf(row, labels)), next: isFull ? String(last.id) : null }
    },
    show: id => {
      const fromMs = startOf(id)
      return journal.read(log => {
        const row = log.findRequest(id, { fromId: fromMs * IDS_A_MS, maxRows: MAX_SEARCHED_ROWS })
        if (row === undefined) throw unknownRequest(id)
        const detail = log.detailOf(row.id)
        return {
          ...reportOf(row, labelsOf(parts)),
          failed_attempts: log.attemptsOf(row.id).map(attemptOf),
          error_detail: parsed(detail?.errorJson ?? null),
          decisions: listed(parsed(detail?.decisionsJson ?? null)),
        }
      })
    },
  }
}

/** A deleted account is still known by its id. */
function accountIdOf(name: string, { accounts }: RequestDeskParts): string {
  if (/^acc_[0-9a-f]+$/.test(name)) return name
  return findTargets([name], accounts())[0]?.id ?? name
}

function readCursor(text: string): number {
  const id = Number(text)
  if (Number.isSafeInteger(id) && id > 0) return id
  throw new GatewayError("invalid-request", "`before`: expected the `next` of a page.", { code: "invalid_cursor" })
}

/** Ids of requests begin with the time they came. Throws `not-found` for what is no such id. */
function startOf(id: string): number {
  const digits = /^req_([0-9a-f]{12})[0-9a-f]{12}$/.exec(id)?.[1]
  if (digits === undefined) throw unknownRequest(id)
  return Number.parseInt(digits, 16)
}

function unknownRequest(id: string): GatewayError {
  const name = /^[\w-]{1,60}$/.test(id) ? id : "of that name"
  return new GatewayError("not-found", `There is no request ${name} in the log.`, {
    code: "request_not_found",
    hint: "Clients have the id in `x-request-id`. Rows are kept for `log.request-days`; `sluice requests list` shows the newest.",
  })
}

function labelsOf({ accounts }: RequestDeskParts): ReadonlyMap<string, string> {
  const known = accounts()
  return new Map([...known.accounts(), ...known.archived()].map(({ id, label }) => [id, maskLabel(label)]))
}

function reportOf(row: RequestRow, labels: ReadonlyMap<string, string>): RequestReport {
  return {
    id: row.requestId,
    ended_at: timeText(timeOf(row.id)),
    key: row.keyId,
    account: row.accountId,
    account_label: row.accountId === null ? null : (labels.get(row.accountId) ?? null),
    protocol: row.protocol,
    lane: row.lane,
    model: row.model,
    upstream_model: row.upstreamModel,
    warnings: row.warnings?.split(" ") ?? [],
    status: row.status,
    error: row.errorKind === null ? null : { kind: row.errorKind, code: row.errorCode },
    attempts: row.attempts,
    first_byte_ms: row.firstByteMs,
    total_ms: row.totalMs,
    input_tokens: row.inputTokens,
    cached_tokens: row.cachedTokens,
    output_tokens: row.outputTokens,
    reasoning_tokens: row.reasoningTokens,
  }
}

function attemptOf({ n, accountId, startedAtMs, totalMs, ...row }: AttemptRow): AttemptReport {
  return {
    n,
    account: accountId,
    started_at: timeText(startedAtMs),
    total_ms: totalMs,
    error_kind: row.errorKind,
    error_code: row.errorCode,
    upstream_status: row.upstreamStatus,
    effect: row.effect,
    next: row.next,
  }
}

function parsed(json: string | null): unknown {
  return json === null ? null : JSON.parse(json)
}

function listed(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function timeText(atMs: number): string {
  return new Date(atMs).toISOString()
}
