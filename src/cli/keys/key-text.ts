/** Client keys as text for people. */

import { relativeTime } from "#cli/accounts/relative-time.ts"
import { formatTable } from "#cli/accounts/table.ts"
import type { KeyReport, LimitReport } from "#gateway/desk/key-report.ts"
import type { NameRule } from "#gateway/keys/key-policy.ts"

/** A line a key. */
export function keyTable(keys: readonly KeyReport[], nowMs: number): string {
  const rows = keys.map(key => [
    key.id,
    key.prefix,
    key.name,
    key.owner ?? "-",
    key.state,
    sinceNow(key.expires_at, nowMs),
    sinceNow(key.last_used_at, nowMs),
    String(key.usage.total.requests),
    String(key.usage.total.tokens),
    `$${key.usage.total.cost_usd.toFixed(2)}`,
  ])
  const head = ["ID", "PREFIX", "NAME", "OWNER", "STATE", "EXPIRES", "USED", "REQUESTS", "TOKENS", "COST"]
  return formatTable([head, ...rows])
}

/** All that is known of one key. */
export function keyBlock(key: KeyReport, nowMs: number): string {
  const { usage } = key
  const lines: readonly (readonly [string, string])[] = [
    ["id", key.id],
    ["key", `${key.prefix}…`],
    ["name", key.name],
    ["owner", key.owner ?? "-"],
    ["note", key.note ?? "-"],
    ["state", key.state],
    ["expires", expiryText(key, nowMs)],
    ["last used", sinceNow(key.last_used_at, nowMs)],
    ["models", ruleText(key.models)],
    ["tags", ruleText(key.tags)],
    ["plans", ruleText(key.plans)],
    ["addresses", key.addresses === null ? "any" : key.addresses.join(", ")],
    ["under way", `${key.running} running, ${key.waiting} waiting`],
    ["today", amountsText(usage.day)],
    ["in all", amountsText(usage.total)],
    ...(usage.estimated_requests > 0 ? [["estimated", `${usage.estimated_requests} requests`] as const] : []),
    ...key.standing.map(limit => [limit.limit, limitText(limit)] as const),
  ]
  return formatTable(lines.map(([name, text]) => [`${name}:`, text]))
}

/** A line a limit, of all keys. */
export function limitTable(keys: readonly KeyReport[]): string {
  const rows = keys.flatMap(key =>
    key.standing.length === 0
      ? [[key.name, key.id, "-", "no limits"]]
      : key.standing.map(limit => [key.name, key.id, limit.limit, limitText(limit)]),
  )
  return formatTable([["NAME", "ID", "LIMIT", "USED"], ...rows])
}

function limitText({ limit, used, held, max }: LimitReport): string {
  const isCost = limit.endsWith("cost_usd")
  const say = (amount: number) => (isCost ? `$${amount.toFixed(4)}` : String(amount))
  const percent = Math.floor((used / max) * 100)
  return `${say(used)} of ${say(max)} (${percent} %)${held > 0 ? `, ${say(held)} held` : ""}`
}

function amountsText({ requests, input_tokens, output_tokens, cost_usd }: KeyReport["usage"]["total"]): string {
  return `${requests} requests, ${input_tokens} tokens in, ${output_tokens} out, $${cost_usd.toFixed(4)}`
}

function ruleText(rule: NameRule | null | undefined): string {
  const { allow = [], deny = [] } = rule ?? {}
  const allowed = allow.length === 0 ? "any" : allow.join(", ")
  return deny.length === 0 ? allowed : `${allowed} but ${deny.join(", ")}`
}

function expiryText(key: KeyReport, nowMs: number): string {
  const afterUse = key.expires_after_first_use_sec
  if (afterUse !== null && key.first_used_at === null) {
    return `${relativeTime(afterUse).replace("in ", "")} after its first use`
  }
  return key.expires_at === null ? "never" : `${key.expires_at} (${sinceNow(key.expires_at, nowMs)})`
}

function sinceNow(time: string | null, nowMs: number): string {
  return time === null ? "never" : relativeTime((Date.parse(time) - nowMs) / 1000)
}
