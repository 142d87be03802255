/** Requests and usage as text for terminals. */

import { formatTable } from "#cli/accounts/table.ts"
import type { RequestDetail, RequestReport } from "#gateway/desk/requests.ts"
import type { UsageReport, UsageSum } from "#gateway/desk/usage.ts"

/** Candidates and exclusions shown of a decision; `--json` has them all. */
const SHOWN = 8

/** One line a request. */
export function requestTable(requests: readonly RequestReport[]): string {
  const head = ["TIME", "ID", "STATUS", "KEY", "ACCOUNT", "MODEL", "TRIES", "FIRST", "TOTAL", "IN", "CACHED", "OUT"]
  return formatTable([head, ...requests.map(rowOf)])
}

function rowOf(one: RequestReport): readonly string[] {
  return [
    one.ended_at.slice(0, 19).replace("T", " "),
    one.id,
    one.error === null ? String(one.status) : `${one.status} ${one.error.code ?? one.error.kind}`,
    one.key,
    one.account_label ?? one.account ?? "-",
    one.upstream_model ?? one.model,
    String(one.attempts),
    one.first_byte_ms === null ? "-" : `${one.first_byte_ms} ms`,
    `${one.total_ms} ms`,
    String(one.input_tokens),
    String(one.cached_tokens),
    String(one.output_tokens),
  ]
}

/** Everything that is kept of one request. */
export function requestBlock(one: RequestDetail): string {
  const facts: readonly (readonly [string, string])[] = [
    ["request", one.id],
    ["ended", one.ended_at],
    ["key", one.key],
    ["account", one.account === null ? "none" : `${one.account} ${one.account_label ?? ""}`.trim()],
    ["model", `${one.model} → ${one.upstream_model ?? "not known"}`],
    ["protocol", `${one.protocol}, ${one.lane}`],
    [
      "status",
      one.error === null ? String(one.status) : `${one.status} ${one.error.kind} ${one.error.code ?? ""}`.trim(),
    ],
    ["times", `first byte ${one.first_byte_ms ?? "-"} ms, total ${one.total_ms} ms`],
    [
      "tokens",
      `in ${one.input_tokens} (${one.cached_tokens} cached), out ${one.output_tokens} (${one.reasoning_tokens} reasoning)`,
    ],
    ["attempts", String(one.attempts)],
    ...(one.warnings.length === 0 ? [] : [["warnings", one.warnings.join(", ")] as const]),
  ]
  const attempts = one.failed_attempts.map(
    ({ n, account, total_ms, error_kind, error_code, upstream_status, effect, next }) =>
      `  ${n}. ${account}: ${error_kind} ${error_code ?? ""} ${upstream_status ?? ""} after ${total_ms} ms; account: ${effect}; then: ${next}\n`,
  )
  const failed = attempts.length === 0 ? "" : `failed attempts\n${attempts.join("")}`
  return `${formatTable(facts)}${failed}${one.decisions.map(decisionText).join("")}`
}

/** The part of the scheduler's explanation that is shown; decisions of other versions may lack any of it. */
type Decision = {
  readonly decision?: string
  readonly account?: string
  readonly by?: string
  readonly code?: string
  readonly strategy?: string
  readonly candidates?: readonly Readonly<Record<string, unknown>>[]
  readonly exclusions?: readonly { readonly account?: string; readonly reason?: string }[]
  readonly counts?: { readonly exclusions?: Readonly<Record<string, number>> }
}

function decisionText(value: unknown): string {
  // Plain JSON that this or another version has written; every member is looked for.
  const { decision, account, by, code, strategy, candidates = [], exclusions = [], counts } = value as Decision
  const chosen = [decision, account, by === undefined ? undefined : `by ${by}`, code, strategy]
    .filter(Boolean)
    .join(" ")
  const table = candidates
    .slice(0, SHOWN)
    .map(one => [`    ${one["account"]}`, `${one["tier"]} ${one["score"]}`, `load ${one["load"]}/${one["cap"]}`])
  const left = Object.entries(counts?.exclusions ?? {}).map(([reason, count]) => `${count} ${reason}`)
  const names = exclusions.slice(0, SHOWN).map(one => `${one.account} (${one.reason})`)
  return [
    `why: ${chosen}\n`,
    table.length === 0 ? "" : `  candidates\n${formatTable(table)}`,
    left.length === 0 ? "" : `  left out: ${left.join(", ")}\n`,
    names.length === 0 ? "" : `    ${names.join(", ")}\n`,
  ].join("")
}

/** One line a sum, and their total. */
export function usageTable({ by, usage }: UsageReport): string {
  const head = ["FROM", by.toUpperCase(), "REQUESTS", "ERRORS", "RETRIES", "IN", "CACHED", "OUT", "REASONING", "MEAN"]
  const total = (name: "requests" | "errors" | "retries" | "input_tokens" | "cached_tokens" | "output_tokens") =>
    String(usage.reduce((sum, one) => sum + one[name], 0))
  const reasoning = usage.reduce((sum, one) => sum + one.reasoning_tokens, 0)
  const foot = [
    "total",
    "",
    total("requests"),
    total("errors"),
    total("retries"),
    total("input_tokens"),
    total("cached_tokens"),
    total("output_tokens"),
    String(reasoning),
    "",
  ]
  return formatTable([head, ...usage.map(usageRow), foot])
}

function usageRow(one: UsageSum): readonly string[] {
  return [
    one.from.slice(0, 16).replace("T", " "),
    one.label ?? (one.name === "" ? "-" : one.name),
    String(one.requests),
    String(one.errors),
    String(one.retries),
    String(one.input_tokens),
    String(one.cached_tokens),
    String(one.output_tokens),
    String(one.reasoning_tokens),
    `${one.total_ms} ms`,
  ]
}
