/** Client keys in the words of james-6-23/codex2api, on the routes that are ours as well. */

import { type Json, type JsonObject, objectAt } from "#core/json.ts"
import type { KeyReport } from "#gateway/desk/key-report.ts"

/** Its names of limits inside `limits`, and where ours are. */
const CAPS = {
  cost_limit_5h: ["5h", "cost_usd"],
  cost_limit_7d: ["7d", "cost_usd"],
  cost_limit_30d: ["30d", "cost_usd"],
  token_limit_5h: ["5h", "tokens"],
  token_limit_7d: ["7d", "tokens"],
  token_limit_30d: ["30d", "tokens"],
} as const

/** Its other members of `limits`: rates, and rights that stand beside the limits with us. */
const OTHERS = ["max_concurrency", "model_allow", "model_deny", "plan_allow"] as const

type Limits = Record<string, Json>

/** True for an order that speaks of keys as that system does. */
function isForeign(order: JsonObject): boolean {
  const limits = objectAt(order, "limits") ?? {}
  return "quota_limit" in order || [...Object.keys(CAPS), ...OTHERS].some(name => name in limits)
}

/**
 * Puts an order into our words; one that is in ours already is returned as it is. `before` are the limits of the key that is
 * changed. 0 means "no limit" there. What has no words here stays, so that it is refused instead of forgotten.
 */
export function orderOfCodex2api(order: JsonObject, before: KeyReport["limits"]): JsonObject {
  if (!isForeign(order)) return order
  const { quota_limit: quota, limits: theirs, allowed_group_ids: groups, ...rest } = order
  const given = objectAt(order, "limits")
  // Limits are JSON on both sides.
  const limits: Limits = given === undefined ? { ...(before as JsonObject | null) } : limitsOf(given)
  if (quota !== undefined) cap(limits, "total", "cost_usd", quota)
  return {
    ...rest,
    limits,
    ...(theirs !== undefined && given === undefined && { limits: theirs }),
    ...(given !== undefined && rulesOf(given)),
    ...(Array.isArray(groups) && groups.length > 0 && { allowed_group_ids: groups }),
  }
}

function limitsOf(theirs: JsonObject): Limits {
  const limits: Limits = {}
  for (const [name, value] of Object.entries(theirs)) {
    if (name === "model_allow" || name === "model_deny" || name === "plan_allow") continue
    const place = Object.hasOwn(CAPS, name) ? CAPS[name as keyof typeof CAPS] : undefined
    if (place !== undefined) cap(limits, place[0], place[1], value)
    else if (value !== 0) limits[name === "max_concurrency" ? "concurrency" : name] = value
  }
  return limits
}

function cap(limits: Limits, window: string, quantity: string, most: Json): void {
  const { [quantity]: _before, ...others } = objectAt(limits, window) ?? {}
  const caps: JsonObject = most === 0 || most === null ? others : { ...others, [quantity]: most }
  if (Object.keys(caps).length === 0) delete limits[window]
  else limits[window] = caps
}

/** Where both lists of models are given, that system goes by the first alone. */
function rulesOf({ model_allow: allow, model_deny: deny, plan_allow: plans }: JsonObject): JsonObject {
  const isAllowing = Array.isArray(allow) && allow.length > 0
  return {
    ...(allow !== undefined && isAllowing && { models: { allow } }),
    ...(deny !== undefined && !isAllowing && { models: { deny } }),
    ...(plans !== undefined && { plans: { allow: plans } }),
  }
}

/** A key as its list shows it; ids are ours, texts and not numbers. */
export function codex2apiKey(report: KeyReport): object {
  const { id, name, prefix, limits, models, plans, usage } = report
  const caps = Object.entries(CAPS).flatMap(([theirs, [window, quantity]]) => {
    const most = limits?.[window]?.[quantity]
    return most === undefined ? [] : [[theirs, most] as const]
  })
  return {
    id,
    name,
    key: `${prefix}…`,
    quota_limit: limits?.total?.cost_usd ?? 0,
    quota_used: usage.total.cost_usd,
    total_used: usage.total.cost_usd,
    expires_at: report.expires_at,
    allowed_group_ids: [],
    limits: {
      ...Object.fromEntries(caps),
      ...(models?.allow !== undefined && { model_allow: models.allow }),
      ...(models?.deny !== undefined && { model_deny: models.deny }),
      ...(plans?.allow !== undefined && { plan_allow: plans.allow }),
      ...(limits?.rpm !== undefined && { rpm: limits.rpm }),
      ...(limits?.rpd !== undefined && { rpd: limits.rpd }),
      ...(limits?.concurrency !== undefined && { max_concurrency: limits.concurrency }),
    },
    created_at: report.created_at,
  }
}
