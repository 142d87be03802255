/** Usage at the operators' desk: sums by hour or day, of keys, accounts or models. */

import { maskLabel } from "#core/account.ts"
import { SPAN_MS } from "#gateway/journal/grains.ts"
import type { RollQuery, RollSums, UsageRow } from "#store/log/roll-rows.ts"

import type { RequestDeskParts } from "./requests.ts"

/** By what, and in which spans. */
export type UsageWish = {
  readonly by: "key" | "account" | "model"
  readonly grain: "hour" | "day"
  /** Default: a day of hours, 30 days of days. */
  readonly sinceMs?: number | undefined
  readonly untilMs?: number | undefined
  /** One key, account or model only. */
  readonly only?: string | undefined
}

/** One sum. */
export type UsageSum = {
  readonly from: string
  /** Key id, account id or upstream model; empty = nobody's, as of requests that were refused before they had one. */
  readonly name: string
  /** Of an account that is known, masked. */
  readonly label: string | null
  readonly requests: number
  readonly errors: number
  readonly cancelled: number
  readonly retries: number
  readonly input_tokens: number
  readonly cached_tokens: number
  readonly output_tokens: number
  readonly reasoning_tokens: number
  /** On average over the requests that got so far; null without any. */
  readonly first_byte_ms: number | null
  readonly total_ms: number
}

/** The report. `from` and `to` are the borders that were used, whole spans of UTC. */
export type UsageReport = {
  readonly by: UsageWish["by"]
  readonly grain: UsageWish["grain"]
  readonly from: string
  readonly to: string
  readonly usage: readonly UsageSum[]
}

/** Which sums answer which question: models by day are put together from hours, which are kept for longer than a year. */
const SOURCES = {
  key: { hour: ["hour", "key"], day: ["day", "key"] },
  account: { hour: ["hour", "account"], day: ["day", "account"] },
  model: { hour: ["hour", "all"], day: ["hour", "all"] },
} as const satisfies Record<UsageWish["by"], Record<UsageWish["grain"], readonly [string, string]>>

const DEFAULT_SPANS = { hour: 24, day: 30 } as const

/** Makes the function that reports. Throws `internal` while there is no log. */
export function makeUsageDesk(parts: RequestDeskParts): (wish: UsageWish) => UsageReport {
  return wish => {
    const query = queryOf(wish, parts.clock())
    const rows = parts.journal.read(log => log.readUsage(query))
    const known = wish.by === "account" ? parts.accounts() : undefined
    const accounts = known === undefined ? [] : [...known.accounts(), ...known.archived()]
    const labels = new Map<string, string>(accounts.map(({ id, label }) => [id, maskLabel(label)]))
    return {
      by: wish.by,
      grain: wish.grain,
      from: timeText(query.sinceMs),
      to: timeText(query.untilMs),
      usage: rows.map(row => sumOf(row, labels.get(row.name) ?? null)),
    }
  }
}

function queryOf({ by, grain, sinceMs, untilMs, only }: UsageWish, nowMs: number): RollQuery {
  const spanMs = SPAN_MS[grain]
  const [storedGrain, dimension] = SOURCES[by][grain]
  const endMs = Math.ceil(((untilMs ?? nowMs) + 1) / spanMs) * spanMs
  return {
    grain: storedGrain,
    dimension,
    sinceMs: sinceMs === undefined ? endMs - DEFAULT_SPANS[grain] * spanMs : Math.floor(sinceMs / spanMs) * spanMs,
    untilMs: endMs,
    spanMs,
    by: by === "model" ? "model" : "name",
    only,
  }
}

function sumOf({ name, fromMs, ...sums }: UsageRow, label: string | null): UsageSum {
  const mean = (total: number, count: number) => (count === 0 ? null : Math.round(total / count))
  return {
    from: timeText(fromMs),
    name,
    label,
    requests: sums.requests,
    errors: sums.errors,
    cancelled: sums.cancelled,
    retries: sums.retries,
    ...tokensOf(sums),
    first_byte_ms: mean(sums.firstByteMs, sums.firstBytes),
    total_ms: mean(sums.totalMs, sums.requests) ?? 0,
  }
}

function tokensOf({ inputTokens, cachedTokens, outputTokens, reasoningTokens }: RollSums) {
  return {
    input_tokens: inputTokens,
    cached_tokens: cachedTokens,
    output_tokens: outputTokens,
    reasoning_tokens: reasoningTokens,
  }
}

function timeText(atMs: number): string {
  return new Date(atMs).toISOString()
}
