/** All windows of an account in one list, those of named quotas included, each with a key of its own. */

import type { QuotaSnapshot, QuotaWindow } from "#core/upstream.ts"

/** A window and the named quota it belongs to; undefined = the main one. */
export type NamedWindow = QuotaWindow & { readonly key: string; readonly bucket: string | undefined }

/** Lists them, the main ones first. */
export function windowsOf({ windows, buckets }: QuotaSnapshot): readonly NamedWindow[] {
  return [
    ...windows.map(window => named(window, undefined)),
    ...(buckets ?? []).flatMap(({ bucket, windows: own }) => own.map(window => named(window, bucket))),
  ]
}

/** True for windows of five hours or so, false for a week and longer. */
export function isShort({ windowSec }: Pick<QuotaWindow, "windowSec">): boolean {
  return windowSec <= 24 * 3600
}

/** Sources round lengths to minutes. */
function named(window: QuotaWindow, bucket: string | undefined): NamedWindow {
  return { ...window, key: windowKey(bucket ?? "", window.windowSec), bucket }
}

/** What a window is known by; `bucket` is empty for the main quota. */
export function windowKey(bucket: string, windowSec: number): string {
  return `${bucket}/${Math.ceil(windowSec / 60)}`
}
