/** Points in time as account files write them: RFC 3339 text, seconds or milliseconds; read and written back alike. */

import type { Json } from "#core/json.ts"

/** Numbers above this are milliseconds: as seconds they would lie beyond the year 5000. */
const LARGEST_SECONDS = 1e11

function fromNumber(value: number): number | undefined {
  if (!Number.isFinite(value) || value <= 0) return undefined
  return value > LARGEST_SECONDS ? value : value * 1000
}

/** Returns milliseconds since the epoch, or undefined for anything that is not a time. */
export function readFileTime(value: Json | undefined): number | undefined {
  if (typeof value === "number") return fromNumber(value)
  if (typeof value !== "string") return undefined
  const text = value.trim()
  if (/^\d+(\.\d+)?$/.test(text)) return fromNumber(Number(text))
  const parsed = Date.parse(text)
  return Number.isNaN(parsed) ? undefined : parsed
}

/** Returns `timeMs` in the notation of the value it replaces; RFC 3339 where there was none. */
export function writeFileTime(timeMs: number, replaced: Json | undefined): Json {
  if (typeof replaced === "number") return replaced > LARGEST_SECONDS ? timeMs : Math.floor(timeMs / 1000)
  if (typeof replaced === "string" && /^\d+$/.test(replaced.trim())) {
    return String(writeFileTime(timeMs, Number(replaced)))
  }
  return new Date(timeMs).toISOString()
}
