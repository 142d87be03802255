/** Proxies as lines and rows for a terminal. */

import { formatTable } from "#cli/accounts/table.ts"
import { maskLabel } from "#core/account.ts"
import type { AssignReport } from "#gateway/desk/assign.ts"
import type { AssignmentReport, ProxyReport } from "#gateway/desk/proxy-report.ts"

const HEAD = ["ID", "NAME", "ADDRESS", "REGION", "STATE", "EXIT", "LATENCY", "ACCOUNTS"]

function stateText({ enabled, state, fault, failure }: ProxyReport): string {
  if (fault === "proxy-unusable") return "unusable"
  if (!enabled) return "disabled"
  return failure === null ? state : `${state} (${failure})`
}

function exitText({ exit_address: exit, shares_exit_with: others }: ProxyReport): string {
  if (exit === null) return "-"
  return others.length === 0 ? exit : `${exit}, as ${others.join(", ")}`
}

/** The proxies as a table. */
export function proxyTable(proxies: readonly ProxyReport[]): string {
  const rows = proxies.map(proxy => [
    proxy.id,
    proxy.name,
    proxy.url ?? "-",
    proxy.region ?? "-",
    stateText(proxy),
    exitText(proxy),
    proxy.latency_ms === null ? "-" : `${proxy.latency_ms} ms`,
    String(proxy.accounts),
  ])
  return formatTable([HEAD, ...rows])
}

/** One proxy in a line, after something was done with it. */
export function proxyLine(proxy: ProxyReport): string {
  return `${proxy.id} ${proxy.name}: ${stateText(proxy)}\n`
}

/** One proxy after a check. */
export function checkLine(proxy: ProxyReport): string {
  const { name, url, failure, latency_ms: latency } = proxy
  const at = `${name} (${url ?? "unreadable"})`
  if (failure !== null) return `fails  ${at}: ${failure}\n`
  const exit = proxy.exit_address === null ? "" : `, exit address ${exitText(proxy)}`
  return `works  ${at}: ${latency ?? 0} ms${exit}\n`
}

/** How accounts go out, as a table; labels are masked. */
export function assignmentTable(assignments: readonly AssignmentReport[]): string {
  const rows = assignments.map(({ account, label, plan, mode, proxy, proxy_name, fault }) => [
    account,
    maskLabel(label),
    plan ?? "-",
    mode,
    proxy_name ?? proxy ?? "-",
    fault ?? "",
  ])
  return formatTable([["ACCOUNT", "LABEL", "PLAN", "MODE", "PROXY", ""], ...rows])
}

/** What an assignment changes, a line an account. */
export function changesText({ changes, unchanged, dry_run }: AssignReport): string {
  const lines = changes.map(({ account, label, from, to }) => `${account} ${maskLabel(label)}: ${from} -> ${to}\n`)
  const what = dry_run ? "would change" : "changed"
  return `${lines.join("")}${changes.length} ${what}, ${unchanged} as before\n`
}
