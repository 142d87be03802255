/** Joins what different sources say of an account's quota: each window keeps its freshest word. */

import type { QuotaBucket, QuotaSnapshot, QuotaWindow } from "#core/upstream.ts"

/**
 * Returns what is known once `said` has been heard. Windows are told apart by length; an older word never replaces a
 * fresher one of the same window, and only a source that names every window makes another one disappear.
 */
export function mergeQuota(known: QuotaSnapshot | undefined, said: QuotaSnapshot): QuotaSnapshot {
  if (known === undefined) {
    const { isWhole: _, ...first } = said
    return { ...first, windows: first.windows.toSorted(byLength) }
  }
  const observedAtMs = Math.max(known.observedAtMs, said.observedAtMs)
  const isNewer = said.observedAtMs >= known.observedAtMs
  const [older, newer] = isNewer ? [known, said] : [said, known]
  const speaks = speaksOfMain(newer)
  const planType = newer.planType ?? older.planType
  const credits = newer.credits ?? older.credits
  const resetCredits = newer.resetCredits ?? older.resetCredits
  const buckets = mergeBuckets(known, said)
  return {
    observedAtMs,
    windows: stamped(mergeWindows(dated(known, known.windows), dated(said, said.windows), said), observedAtMs),
    limitReached: speaks ? newer.limitReached : older.limitReached,
    ...(planType !== undefined && { planType }),
    ...(buckets.length > 0 && { buckets: stamped(buckets, observedAtMs) }),
    ...(credits !== undefined && { credits }),
    ...(resetCredits !== undefined && { resetCredits }),
  }
}

/** True for a snapshot that says something of the quota which counts everything, and not only of a named one. */
export function speaksOfMain({ windows, limitReached, isWhole }: QuotaSnapshot): boolean {
  return windows.length > 0 || limitReached || isWhole === true
}

/** The snapshot as it reads at `nowMs`: a window whose reset has passed is empty again. */
export function quotaAt(quota: QuotaSnapshot, nowMs: number): QuotaSnapshot {
  const isOver = ({ resetsAtSec }: QuotaWindow) => resetsAtSec !== undefined && resetsAtSec * 1000 <= nowMs
  const parts = [quota, ...(quota.buckets ?? [])]
  if (!parts.some(({ windows }) => windows.some(isOver))) return quota
  const emptied = <Part extends Pick<QuotaBucket, "windows" | "limitReached">>(part: Part): Part => {
    if (!part.windows.some(isOver)) return part
    const windows = part.windows.map(window => (isOver(window) ? { ...window, usedPercent: 0 } : window))
    return { ...part, windows, limitReached: part.limitReached && windows.some(window => window.usedPercent >= 100) }
  }
  const { buckets } = quota
  return { ...emptied(quota), ...(buckets !== undefined && { buckets: buckets.map(emptied) }) }
}

type Dated = { readonly observedAtMs: number }

function byLength(one: QuotaWindow, other: QuotaWindow): number {
  return one.windowSec - other.windowSec
}

/** The usage endpoint counts seconds, headers count minutes that are rounded up. */
function keyOf({ windowSec }: QuotaWindow): number {
  return Math.ceil(windowSec / 60)
}

function dated<Item extends { readonly observedAtMs?: number }>(
  source: Dated,
  items: readonly Item[],
): readonly (Item & Dated)[] {
  return items.map(item => ({ ...item, observedAtMs: item.observedAtMs ?? source.observedAtMs }))
}

/** Leaves the time out where it is that of the whole. */
function stamped<Item extends Dated>(items: readonly Item[], observedAtMs: number): Omit<Item, "observedAtMs">[] {
  return items.map(item => {
    const { observedAtMs: atMs, ...rest } = item
    return atMs === observedAtMs ? rest : item
  })
}

type DatedWindow = QuotaWindow & Dated

function mergeWindows(
  known: readonly DatedWindow[],
  said: readonly DatedWindow[],
  source: Pick<QuotaSnapshot, "isWhole" | "observedAtMs">,
): readonly DatedWindow[] {
  const merged = new Map<number, DatedWindow>()
  for (const window of known) {
    const isGone = source.isWhole === true && window.observedAtMs <= source.observedAtMs
    if (!isGone) merged.set(keyOf(window), window)
  }
  for (const window of said) {
    const other = merged.get(keyOf(window))
    // Two windows of one length in one source: the tighter one counts.
    const isTwin = other !== undefined && said.includes(other)
    if (isTwin ? window.usedPercent > other.usedPercent : (other?.observedAtMs ?? 0) <= window.observedAtMs) {
      merged.set(keyOf(window), window)
    }
  }
  return [...merged.values()].sort(byLength)
}

type DatedBucket = QuotaBucket & Dated

/** Sources name a quota by its id, some of them by its display name only. */
function isSame(a: QuotaBucket, b: QuotaBucket): boolean {
  return a.bucket === b.bucket || a.name === b.bucket || a.bucket === b.name
}

function mergeBuckets(known: QuotaSnapshot, said: QuotaSnapshot): readonly DatedBucket[] {
  const before = dated(known, known.buckets ?? [])
  const added = dated(said, said.buckets ?? [])
  const kept = before.filter(one => !added.some(other => isSame(one, other)))
  const isGone = (one: DatedBucket) => said.isWhole === true && one.observedAtMs <= said.observedAtMs
  return [
    ...kept.filter(one => !isGone(one)),
    ...added.map(one => {
      const other = before.find(candidate => isSame(candidate, one))
      return other === undefined ? one : mergeBucket(other, one, said)
    }),
  ]
}

function mergeBucket(known: DatedBucket, said: DatedBucket, source: QuotaSnapshot): DatedBucket {
  const newer = said.observedAtMs >= known.observedAtMs ? said : known
  const name = said.name ?? known.name
  const windows = mergeWindows(dated(known, known.windows), dated(said, said.windows), source)
  return {
    bucket: known.bucket,
    limitReached: newer.limitReached,
    observedAtMs: newer.observedAtMs,
    windows: stamped(windows, newer.observedAtMs),
    ...(name !== undefined && { name }),
  }
}
