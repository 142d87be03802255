/** What was used within a span of time that moves on: buckets in a ring, and their sum. */

import { type Amounts, addAmounts, noAmounts } from "./amounts.ts"

/** How finely a span is cut. */
export type RingShape = { readonly bucketMs: number; readonly buckets: number }

/** Hands out a bucket as it stands, for the store. */
export type BucketVisitor = (bucket: number, amounts: Readonly<Amounts>) => void

/** One span. Adding and asking cost a few additions, however much time has passed. */
export type UsageRing = {
  readonly add: (amounts: Readonly<Amounts>, nowMs: number) => void
  /** Sum over the span that ends now. */
  readonly sum: (nowMs: number) => Readonly<Amounts>
  /** When the sum will be at most `most` of what `read` reads, if nothing is added; infinite when waiting does not help. */
  readonly fitsAtMs: (read: (amounts: Readonly<Amounts>) => number, most: number, nowMs: number) => number
  /** Puts back what the store has kept of a bucket. */
  readonly restore: (bucket: number, amounts: Readonly<Amounts>, nowMs: number) => void
  /** Visits buckets that have changed since the last time. */
  readonly takeChanged: (visit: BucketVisitor) => void
  readonly clear: () => void
}

/** Makes an empty span; the oldest bucket counts until all of it lies outside, so a span is never too short. */
export function makeUsageRing({ bucketMs, buckets }: RingShape): UsageRing {
  const size = buckets + 1
  const cells = new Map<number, Amounts>()
  const changed = new Set<number>()
  let sum = noAmounts()

  function dropOld(nowMs: number): void {
    const oldest = Math.floor(nowMs / bucketMs) - size + 1
    // Buckets are in the order of time, and a clock that was set back only delays this.
    for (const [bucket, amounts] of cells) {
      if (bucket >= oldest) return
      cells.delete(bucket)
      addAmounts(sum, amounts, -1)
    }
  }

  function put(bucket: number, amounts: Readonly<Amounts>): void {
    let cell = cells.get(bucket)
    if (cell === undefined) {
      cell = noAmounts()
      cells.set(bucket, cell)
    }
    addAmounts(cell, amounts)
    addAmounts(sum, amounts)
  }

  return {
    add: (amounts, nowMs) => {
      dropOld(nowMs)
      const bucket = Math.floor(nowMs / bucketMs)
      put(bucket, amounts)
      changed.add(bucket)
    },
    sum: nowMs => {
      dropOld(nowMs)
      return sum
    },
    fitsAtMs: (read, most, nowMs) => {
      dropOld(nowMs)
      let left = read(sum)
      if (left <= most) return nowMs
      for (const [bucket, amounts] of cells) {
        left -= read(amounts)
        if (left <= most) return (bucket + size) * bucketMs
      }
      return Number.POSITIVE_INFINITY
    },
    restore: (bucket, amounts, nowMs) => {
      if (bucket > Math.floor(nowMs / bucketMs) - size) put(bucket, amounts)
    },
    takeChanged: visit => {
      for (const bucket of changed) {
        const cell = cells.get(bucket)
        if (cell !== undefined) visit(bucket, cell)
      }
      changed.clear()
    },
    clear: () => {
      cells.clear()
      changed.clear()
      sum = noAmounts()
    },
  }
}
