/** The days side by side, and what is wanted of them. */

import type { DayRow } from "./day-row.ts"

/** One promise about a day. */
export type Target = { readonly name: string; readonly holds: (row: DayRow) => boolean }

/** What is wanted; policies that send everything to a few accounts seek their limits by their nature. */
export const TARGETS: readonly Target[] = [
  { name: "at least 99 % of the serviceable requests served", holds: row => row.servedShare >= 0.99 },
  { name: "at most 15 burst rejections by 1,000 requests", holds: row => row.burstsPer1000 <= 15 },
  { name: "at least 95 % of the cacheable tokens cached", holds: row => row.cachedShare >= 0.95 },
]

type Column = { readonly name: string; readonly text: (row: DayRow) => string }

const percent = (share: number) => `${(100 * share).toFixed(2)} %`

const COLUMNS: readonly Column[] = [
  { name: "policy", text: row => row.strategy },
  { name: "requests", text: row => row.requests.toLocaleString("en") },
  { name: "serviceable", text: row => row.serviceable.toLocaleString("en") },
  { name: "served", text: row => percent(row.servedShare) },
  { name: "bursts / 1,000", text: row => row.burstsPer1000.toFixed(2) },
  { name: "cached", text: row => percent(row.cachedShare) },
  { name: "of all input", text: row => percent(row.cachedOfInput) },
  { name: "retries / request", text: row => row.retriesPerRequest.toFixed(4) },
  { name: "moves", text: row => row.moves.toLocaleString("en") },
  { name: "wait p50", text: row => `${Math.round(row.waitP50Ms)} ms` },
  { name: "wait p99", text: row => `${Math.round(row.waitP99Ms)} ms` },
  { name: "skew", text: row => row.skew.toFixed(2) },
]

/** Renders the table in Markdown, and below it why serviceable requests were not served. */
export function renderRows(rows: readonly DayRow[]): string {
  const cells = rows.map(row => COLUMNS.map(({ text }) => text(row)))
  const widths = COLUMNS.map(({ name }, at) => Math.max(name.length, ...cells.map(row => row[at]?.length ?? 0)))
  const line = (texts: readonly string[]) =>
    `| ${texts.map((text, at) => (at === 0 ? text.padEnd(widths[at] ?? 0) : text.padStart(widths[at] ?? 0))).join(" | ")} |`
  const rule = COLUMNS.map((_, at) => (at === 0 ? "---" : "---:"))
  const failures = rows.map(({ strategy, failures: reasons, askedSpent, herd }) => {
    const told = Object.entries(reasons).map(([code, count]) => `${count} ${code}`)
    return `${strategy}: not served: ${told.join(", ") || "none"}; asked although known to be spent: ${askedSpent}; ${herd.accounts} accounts reset in one second, tried again over ${(herd.spreadMs / 1000).toFixed(1)} s`
  })
  return [line(COLUMNS.map(({ name }) => name)), line(rule), ...cells.map(line), "", ...failures].join("\n")
}
