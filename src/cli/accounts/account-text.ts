/** An account as lines and rows for a terminal; names are masked, because terminals are shown to others. */

import { maskLabel } from "#core/account.ts"
import type { QuotaSnapshot } from "#core/upstream.ts"
import type { AccountReport } from "#gateway/desk/account-report.ts"

import { relativeTime } from "./relative-time.ts"
import { formatTable } from "./table.ts"

/** The report with label and e-mail masked. */
export function masked(report: AccountReport): AccountReport {
  const { label, email } = report
  return { ...report, label: maskLabel(label), email: email === null ? null : maskLabel(email) }
}

function whenText(time: string, nowMs: number): string {
  return relativeTime(Math.floor((Date.parse(time) - nowMs) / 1000))
}

function expiryText({ credential }: AccountReport, nowMs: number): string {
  if (credential.type === "api-key") return "-"
  return credential.expires_at === null ? "unknown" : whenText(credential.expires_at, nowMs)
}

function stateText({ state, reason, until, credential, quota_warning: warning }: AccountReport, nowMs: number): string {
  const isBound = credential.type === "chatgpt" && !credential.can_refresh
  const low = warning === null ? "" : `, over ${warning} % used`
  const why = reason === null || reason === state ? "" : ` (${reason})`
  const ends = until === null ? "" : ` ${whenText(until, nowMs)}`
  return `${state}${why}${ends}${isBound ? ", no refresh" : ""}${low}`
}

function refreshText({ credential }: AccountReport, nowMs: number): string {
  const { last_refresh: last } = credential
  return last === null ? "-" : relativeTime(Math.min(-1, Math.floor((Date.parse(last) - nowMs) / 1000)))
}

function placeText({ source }: AccountReport): string {
  return source.type === "file" ? (source.file ?? "a file") : "database"
}

/** `direct`, the proxy's name, or `pool` with the name of the proxy it has. */
function wayText({ egress }: Pick<AccountReport, "egress">): string {
  const { mode, proxy, proxy_name: name, fault } = egress
  if (mode === "inherit" || mode === "direct") return mode
  const shown = name ?? proxy ?? "none yet"
  return `${mode === "pool" ? "pool: " : ""}${shown}${fault === null ? "" : ` (${fault})`}`
}

function windowText(window: QuotaSnapshot["windows"][number], nowMs: number): string {
  const { usedPercent, windowSec, resetsAtSec } = window
  const span = relativeTime(windowSec).replace("in ", "")
  const reset = resetsAtSec === undefined ? "" : `, resets ${relativeTime(Math.floor(resetsAtSec - nowMs / 1000))}`
  return `${span}: ${Math.round(usedPercent)} % used${reset}`
}

/** How much of its quota an account has used, a piece a window. */
export function quotaText(quota: QuotaSnapshot, nowMs: number): string {
  const { windows, resetCredits = 0 } = quota
  const banked = resetCredits === 0 ? [] : [`${resetCredits} reset ${resetCredits === 1 ? "credit" : "credits"}`]
  return [...windows.map(window => windowText(window, nowMs)), ...banked].join("; ")
}

const COLUMNS = {
  id: ({ id }) => id,
  label: ({ label }) => label,
  plan: ({ plan }) => plan ?? "-",
  kind: ({ credential }) => (credential.type === "api-key" ? "api key" : "sign-in"),
  state: stateText,
  expires: expiryText,
  refreshed: refreshText,
  where: placeText,
  tags: ({ tags }) => tags.join(", "),
} as const satisfies Record<string, (report: AccountReport, nowMs: number) => string>

type Column = keyof typeof COLUMNS

/** The accounts as a table; tags only where there are any. */
export function accountTable(reports: readonly AccountReport[], nowMs: number): string {
  const hasTags = reports.some(report => report.tags.length > 0)
  // The keys of a constant table.
  const names = (Object.keys(COLUMNS) as Column[]).filter(name => name !== "tags" || hasTags)
  const rows = reports.map(report => names.map(name => COLUMNS[name](report, nowMs)))
  return formatTable([names.map(name => name.toUpperCase()), ...rows])
}

/** One account, a line a fact; what is not known is left out. */
export function accountBlock(report: AccountReport, nowMs: number): string {
  const { credential, quota, requests, last_error: error } = report
  const failure = credential.refresh_failure
  const facts: readonly (readonly [string, string | null])[] = [
    ["id", report.id],
    ["label", report.label],
    ["e-mail", report.email],
    ["plan", report.plan],
    ["kind", COLUMNS.kind(report)],
    ["state", stateText(report, nowMs)],
    ["expires", expiryText(report, nowMs)],
    ["refreshed", refreshText(report, nowMs)],
    ["refresh failed", failure === null ? null : failure.code],
    ["where", placeText(report)],
    ["way out", report.egress.mode === "inherit" ? null : wayText(report)],
    ["tags", report.tags.length === 0 ? null : report.tags.join(", ")],
    ["note", report.note],
    ["archived", report.archived_at === null ? null : whenText(report.archived_at, nowMs)],
    ["quota", quota === null || quota.windows.length === 0 ? null : quotaText(quota, nowMs)],
    ["requests", requests === null ? null : `${requests.requests}, ${requests.errors} of them failed`],
    ["last trouble", error === null ? null : `${error.what}: ${error.detail}, ${whenText(error.at, nowMs)}`],
  ]
  return formatTable(facts.flatMap(([name, value]) => (value === null ? [] : [[name, value]])))
}
