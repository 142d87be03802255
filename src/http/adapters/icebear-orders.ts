/** What the routes of icebear0828/codex-proxy order at our desk, and what they answer. */

import { GatewayError } from "#core/errors.ts"
import { arrayAt, isJsonObject } from "#core/json.ts"
import type { AccountReport } from "#gateway/desk/account-report.ts"
import type { Desk } from "#gateway/desk/desk.ts"
import type { TestReport } from "#gateway/desk/orders.ts"
import type { AdminParts } from "#http/admin/admin-route.ts"

import { icebearAccount, icebearQuota, icebearStatus } from "./icebear-account.ts"

/** What a probe of one account came to. */
type Probe = {
  readonly id: string
  readonly email: string | null
  readonly previousStatus: string
  readonly result: "alive" | "dead" | "skipped"
  readonly error?: string
  readonly durationMs?: number
}

const NO_PROGRESS = () => {}

function everyone(desk: Desk): readonly AccountReport[] {
  return [...desk.list(), ...desk.list({ isArchived: true })]
}

/** Finds an account by its id. Throws `not-found` in that system's words. */
export function findOne(desk: Desk, id: string): AccountReport {
  const found = everyone(desk).find(one => one.id === id)
  if (found !== undefined) return found
  throw new GatewayError("not-found", "Account not found", { code: "account_not_found" })
}

/** The accounts of these ids, and the ids that are none's. */
export function partition(desk: Desk, ids: readonly string[]) {
  const present = new Map(everyone(desk).map(one => [one.id, one]))
  const wanted = [...new Set(ids)]
  const found = wanted.map(id => present.get(id)).filter(one => one !== undefined)
  return { found, known: found.map(one => one.id), notFound: wanted.filter(id => !present.has(id)) }
}

function probe(
  { id, email }: AccountReport,
  previousStatus: string,
  rest: Pick<Probe, "result" | "error" | "durationMs">,
) {
  return { id, email, previousStatus, ...rest } satisfies Probe
}

/** Refreshes one account, which is how that system probes it. */
export async function refreshOne(desk: Desk, id: string): Promise<Probe> {
  const account = findOne(desk, id)
  const before = icebearStatus(account)
  if (!account.credential.can_refresh) return probe(account, before, { result: "skipped", error: "no refresh token" })
  const [refreshed] = await desk.refresh([account.id], NO_PROGRESS)
  if (refreshed?.status === "failed")
    return probe(account, before, { result: "dead", error: refreshed.error ?? "failed" })
  return probe(account, before, { result: "alive" })
}

function countResults(results: readonly Probe[]) {
  const count = (result: Probe["result"]) => results.filter(one => one.result === result).length
  return { total: results.length, alive: count("alive"), dead: count("dead"), skipped: count("skipped") }
}

function probeOf(account: AccountReport, report: TestReport | undefined): Probe {
  const previous = icebearStatus(account)
  if (report === undefined) return probe(account, previous, { result: "skipped", error: "disabled" })
  const { status, latency_ms: durationMs, error = "failed" } = report
  if (status === "failed") return probe(account, previous, { result: "dead", error, durationMs })
  if (status === "ok") return probe(account, previous, { result: "alive", durationMs })
  return probe(account, previous, { result: "skipped", error: "there is nothing to ask it", durationMs })
}

/** Asks accounts for their quota: unlike a refresh, that uses no token up. Without ids, all that serve. */
export async function checkHealth(desk: Desk, ids: readonly string[] | undefined): Promise<object> {
  const { found, notFound } = partition(desk, ids ?? desk.list().map(one => one.id))
  const asked = found.filter(one => one.enabled && one.archived_at === null).map(one => one.id)
  const tested = await desk.test(asked, NO_PROGRESS)
  const reports = new Map(tested.map(one => [String(one.account), one]))
  const results: readonly Probe[] = [
    ...found.map(account => probeOf(account, reports.get(account.id))),
    ...notFound.map(
      id => ({ id, email: null, previousStatus: "unknown", result: "skipped", error: "not found" }) as const,
    ),
  ]
  return { summary: countResults(results), results }
}

/** Asks one account for its quota. Throws in that system's words when it cannot be asked. */
export async function quotaOf(desk: Desk, id: string): Promise<Response> {
  const account = findOne(desk, id)
  const status = icebearStatus(account)
  if (status === "disabled") {
    return Response.json({ error: `Account is ${status}, cannot query quota` }, { status: 409 })
  }
  const [report] = await desk.test([account.id], NO_PROGRESS)
  if (report?.status === "ok" && report.quota !== undefined) {
    return Response.json({ quota: icebearQuota(report.quota, account.plan), raw: null })
  }
  const detail = report?.error ?? "this account has no quota to ask for"
  return Response.json({ error: "Failed to fetch quota from Codex API", detail }, { status: 502 })
}

/** Its names of formats, and ours; `minimal` and `full` are cut from the same text. */
const EXPORTS: Readonly<Record<string, string>> = {
  full: "icebear",
  minimal: "icebear",
  sub2api: "sub2api",
  cpa: "flat",
  cockpit_tools: "flat",
}

function withoutAccessToken(text: string): object {
  const document: unknown = JSON.parse(text)
  const accounts = isJsonObject(document) ? (arrayAt(document, "accounts") ?? []) : []
  const minimal = accounts.flatMap(one => {
    if (!isJsonObject(one) || typeof one["refreshToken"] !== "string") return []
    const { refreshToken, label } = one
    return [{ refreshToken, ...(typeof label === "string" && { label }) }]
  })
  return { accounts: minimal }
}

/** Every account with its tokens, or those named in `ids`. Throws `invalid-request` for an unknown format. */
export function exportAccounts(desk: Desk, { searchParams }: URL): Response {
  const name = searchParams.get("format") ?? "full"
  const format = Object.hasOwn(EXPORTS, name) ? EXPORTS[name] : undefined
  if (format === undefined) {
    const hint = `Known are ${Object.keys(EXPORTS).join(", ")}; \`/api/admin/accounts/export\` has more.`
    throw new GatewayError("invalid-request", "Unsupported export format", { code: "unknown_format", hint })
  }
  const ids = searchParams
    .get("ids")
    ?.split(",")
    .filter(id => id !== "")
  const { text } = desk.exportText(ids ?? "all", format)
  const headers = { "content-type": "application/json", "cache-control": "no-store" }
  return name === "minimal" ? Response.json(withoutAccessToken(text), { headers }) : new Response(text, { headers })
}

/** An account's first refresh may tell whose it is, and gives it another id a moment later. */
async function afterRefresh({ desk, timers }: AdminParts, id: string): Promise<AccountReport | undefined> {
  const before = desk.list().find(one => one.id === id)
  await new Promise<void>(resolve => {
    timers.after(1, resolve)
  })
  const accounts = desk.list()
  return (
    accounts.find(one => one.id === id) ??
    accounts.find(one => one.user_id === before?.user_id && one.workspace_id === before?.workspace_id)
  )
}

/** Adds one account; a bare refresh token is exchanged at once, so that the answer can say whether it is good. */
export async function addOne(
  parts: AdminParts,
  order: { readonly token?: string; readonly refreshToken?: string | null },
): Promise<object> {
  const { desk } = parts
  const [token, refreshToken] = [order.token?.trim() || undefined, order.refreshToken?.trim() || undefined]
  if (token === undefined && refreshToken === undefined) {
    throw new GatewayError("invalid-request", "Either token or refreshToken is required", { code: "missing_token" })
  }
  const sources = [{ name: "request body", text: JSON.stringify({ accounts: [{ token, refreshToken }] }) }]
  const { results } = await desk.importTexts({ sources, format: "icebear", signal: new AbortController().signal })
  const id = results[0]?.account_id
  if (id === undefined || results[0]?.outcome === "refused") {
    throw new GatewayError("invalid-request", results[0]?.reason ?? "The token is not readable.", { code: "bad_token" })
  }
  if (token === undefined) {
    const [refreshed] = await desk.refresh([id], NO_PROGRESS)
    if (refreshed?.status === "failed") {
      throw new GatewayError(
        "upstream-unavailable",
        `Refresh token exchange failed: ${refreshed.error ?? "no reason"}`,
        {
          code: "refresh_failed",
          hint: `The account is kept as ${id}; delete it, or sign it in again.`,
        },
      )
    }
  }
  const account = await afterRefresh(parts, id)
  return { success: true, account: account === undefined ? { id } : icebearAccount(account, "plain") }
}
