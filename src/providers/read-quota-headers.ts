/** Reads the quota that the Codex backend states in the headers of every answer. */

import type { QuotaBucket, QuotaSnapshot, QuotaWindow } from "#core/upstream.ts"

import { isSpent, makeSnapshot, makeWindow } from "./quota-window.ts"

/** The family that counts all models but those with a quota of their own. */
const MAIN_FAMILY = "codex"

/** What is read of headers; events bring them as JSON. */
export type HeaderLookup = { readonly get: (name: string) => string | null; readonly keys: () => Iterable<string> }

const SLOTS = ["primary", "secondary"] as const

/**
 * Returns what the headers say, or undefined when they say nothing. A slot with 0 minutes or an empty reset is absent;
 * booleans arrive as `True` and `False`. `x-codex-bengalfox-…` is the bucket `codex_bengalfox`.
 */
export function readQuotaHeaders(headers: HeaderLookup, nowMs: number): QuotaSnapshot | undefined {
  const windows = readFamily(headers, MAIN_FAMILY, nowMs)
  const buckets = readBuckets(headers, nowMs)
  const reached =
    textOf(headers, "x-codex-rate-limit-reached-type") === undefined ? undefined : reachedOf(headers, buckets)
  return makeSnapshot({
    observedAtMs: nowMs,
    planType: textOf(headers, "x-codex-plan-type"),
    windows,
    buckets: buckets.map(bucket => (bucket.bucket === reached ? { ...bucket, limitReached: true } : bucket)),
    credits: readCredits(headers),
    reachedBySource: reached === MAIN_FAMILY,
  })
}

/** Which quota a refusal speaks of: one header says that a limit is reached, another one which. */
function reachedOf(headers: HeaderLookup, buckets: readonly QuotaBucket[]): string {
  const active = textOf(headers, "x-codex-active-limit")
  return buckets.find(({ bucket }) => bucket === active)?.bucket ?? MAIN_FAMILY
}

function readFamily(headers: HeaderLookup, family: string, nowMs: number): readonly QuotaWindow[] {
  return SLOTS.map(slot => {
    const minutes = numberOf(headers, `x-${family}-${slot}-window-minutes`)
    return makeWindow(
      {
        usedPercent: numberOf(headers, `x-${family}-${slot}-used-percent`),
        windowSec: minutes === undefined ? undefined : minutes * 60,
        resetsAtSec: numberOf(headers, `x-${family}-${slot}-reset-at`),
        resetsInSec: numberOf(headers, `x-${family}-${slot}-reset-after-seconds`),
      },
      nowMs,
    )
  }).filter(window => window !== undefined)
}

function readBuckets(headers: HeaderLookup, nowMs: number): readonly QuotaBucket[] {
  const families = new Set<string>()
  for (const name of headers.keys()) {
    const family = /^x-(.+)-(primary|secondary)-used-percent$/.exec(name)?.[1]
    if (family !== undefined && family !== MAIN_FAMILY) families.add(family)
  }
  return [...families].flatMap(family => {
    const windows = readFamily(headers, family, nowMs)
    if (windows.length === 0) return []
    const name = textOf(headers, `x-${family}-limit-name`)
    return [
      {
        bucket: bucketOf(family),
        windows,
        limitReached: isSpent(windows),
        ...(name !== undefined && { name }),
      },
    ]
  })
}

/** Code reviews are counted under one name, whichever of its two families states them. */
function bucketOf(family: string): string {
  const bucket = family.replaceAll("-", "_")
  return bucket === "codex_code_review" ? "code_review" : bucket
}

function readCredits(headers: HeaderLookup): QuotaSnapshot["credits"] {
  const hasCredits = booleanOf(headers, "x-codex-credits-has-credits")
  const unlimited = booleanOf(headers, "x-codex-credits-unlimited")
  if (hasCredits === undefined && unlimited === undefined) return undefined
  const balance = textOf(headers, "x-codex-credits-balance")
  return {
    hasCredits: hasCredits ?? false,
    unlimited: unlimited ?? false,
    ...(balance !== undefined && { balance }),
  }
}

function textOf(headers: HeaderLookup, name: string): string | undefined {
  const value = headers.get(name)?.trim()
  return value === undefined || value === "" || /^(none|null)$/i.test(value) ? undefined : value
}

function numberOf(headers: HeaderLookup, name: string): number | undefined {
  const text = textOf(headers, name)
  if (text === undefined) return undefined
  const value = Number(text)
  return Number.isFinite(value) ? value : undefined
}

function booleanOf(headers: HeaderLookup, name: string): boolean | undefined {
  const text = textOf(headers, name)
  return text === undefined ? undefined : /^(true|1|yes)$/i.test(text)
}
