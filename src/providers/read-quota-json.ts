/** Reads quota from the usage endpoint's body and from the quota events inside a stream. */

import { arrayAt, isJsonObject, type JsonObject, numberAt, objectAt, stringAt } from "#core/json.ts"
import type { QuotaBucket, QuotaSnapshot, QuotaWindow } from "#core/upstream.ts"

import { isSpent, makeSnapshot, makeWindow } from "./quota-window.ts"
import { type HeaderLookup, readQuotaHeaders } from "./read-quota-headers.ts"

/** Name of the quota that counts everything without one of its own. */
const MAIN_LIMIT = "codex"

/**
 * Reads the answer of the usage endpoint; undefined when it is something else.
 * Source: https://github.com/openai/codex/tree/main/codex-rs/codex-backend-openapi-models/src/models
 */
export function readUsageBody(json: unknown, nowMs: number): QuotaSnapshot | undefined {
  if (!isJsonObject(json)) return undefined
  const limit = objectAt(json, "rate_limit")
  const reachedType = objectAt(json, "rate_limit_reached_type")
  const spendControl = objectAt(json, "spend_control")
  const resets = objectAt(json, "rate_limit_reset_credits")
  return makeSnapshot({
    observedAtMs: nowMs,
    planType: stringAt(json, "plan_type"),
    windows: limit === undefined ? [] : readWindows(limit, nowMs),
    buckets: [
      ...(arrayAt(json, "additional_rate_limits") ?? []).flatMap(entry => readBucket(entry, nowMs)),
      ...readReviewBucket(objectAt(json, "code_review_rate_limit"), nowMs),
    ],
    isWhole: limit !== undefined,
    credits: readCredits(json),
    resetCredits: resets === undefined ? undefined : numberAt(resets, "available_count"),
    reachedBySource:
      limit?.["limit_reached"] === true || reachedType !== undefined || spendControl?.["reached"] === true,
  })
}

/** Events that bring headers which the reply itself did not have. */
const METADATA_EVENTS: ReadonlySet<string> = new Set(["response.metadata", "codex.response.metadata"])

/**
 * Reads a `codex.rate_limits` event, or the quota headers inside an event of metadata; undefined for anything else. The
 * event of a named quota fills a bucket.
 */
export function readRateLimitEvent(json: unknown, nowMs: number): QuotaSnapshot | undefined {
  if (!isJsonObject(json)) return undefined
  const type = stringAt(json, "type")
  if (type !== undefined && METADATA_EVENTS.has(type)) return readQuotaHeaders(headersIn(json), nowMs)
  return type === "codex.rate_limits" ? readLimits(json, nowMs) : undefined
}

function headersIn(json: JsonObject): HeaderLookup {
  const values = new Map<string, string>()
  for (const [name, value] of Object.entries(objectAt(json, "headers") ?? {})) {
    const first = Array.isArray(value) ? value[0] : value
    if (["string", "number", "boolean"].includes(typeof first)) values.set(name.toLowerCase(), String(first))
  }
  return { get: name => values.get(name) ?? null, keys: () => values.keys() }
}

function readLimits(json: JsonObject, nowMs: number): QuotaSnapshot | undefined {
  const limit = objectAt(json, "rate_limits") ?? {}
  const name = stringAt(json, "metered_limit_name") ?? stringAt(json, "limit_name") ?? MAIN_LIMIT
  const windows = readWindows(limit, nowMs)
  const isMain = name === MAIN_LIMIT
  const reached = limit["limit_reached"] === true
  return makeSnapshot({
    observedAtMs: nowMs,
    planType: stringAt(json, "plan_type"),
    windows: isMain ? windows : [],
    buckets: [
      ...(isMain ? [] : [{ bucket: name, windows, limitReached: reached || isSpent(windows) }]),
      ...readReviewBucket(objectAt(json, "code_review_rate_limits"), nowMs),
    ],
    credits: readCredits(json),
    reachedBySource: isMain && reached,
  })
}

function readReviewBucket(limit: JsonObject | undefined, nowMs: number): readonly QuotaBucket[] {
  if (limit === undefined) return []
  const windows = readWindows(limit, nowMs)
  return [{ bucket: "code_review", windows, limitReached: limit["limit_reached"] === true || isSpent(windows) }]
}

function readBucket(entry: unknown, nowMs: number): readonly QuotaBucket[] {
  if (!isJsonObject(entry)) return []
  const limit = objectAt(entry, "rate_limit")
  const name = stringAt(entry, "limit_name")
  const bucket = stringAt(entry, "metered_feature") ?? name
  if (limit === undefined || bucket === undefined) return []
  const windows = readWindows(limit, nowMs)
  const limitReached = limit["limit_reached"] === true || isSpent(windows)
  return [{ bucket, windows, limitReached, ...(name !== undefined && { name }) }]
}

/** The endpoint says `primary_window` and seconds, the event `primary` and minutes. */
function readWindows(limit: JsonObject, nowMs: number): readonly QuotaWindow[] {
  return ["primary", "secondary"].flatMap(slot => {
    const raw = objectAt(limit, `${slot}_window`) ?? objectAt(limit, slot)
    const window = raw === undefined ? undefined : readWindow(raw, nowMs)
    return window === undefined ? [] : [window]
  })
}

function readWindow(raw: JsonObject, nowMs: number): QuotaWindow | undefined {
  const minutes = numberAt(raw, "window_minutes")
  return makeWindow(
    {
      usedPercent: numberAt(raw, "used_percent"),
      windowSec: numberAt(raw, "limit_window_seconds") ?? (minutes === undefined ? undefined : minutes * 60),
      resetsAtSec: numberAt(raw, "reset_at"),
      resetsInSec: numberAt(raw, "reset_after_seconds"),
    },
    nowMs,
  )
}

function readCredits(json: JsonObject): QuotaSnapshot["credits"] {
  const credits = objectAt(json, "credits")
  if (credits === undefined) return undefined
  const balance = stringAt(credits, "balance") ?? numberAt(credits, "balance")?.toString()
  return {
    hasCredits: credits["has_credits"] === true,
    unlimited: credits["unlimited"] === true,
    ...(balance !== undefined && { balance }),
  }
}
