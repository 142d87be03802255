/** How much memory a JSON value takes, roughly. */

import type { Json } from "#core/json.ts"

/** What an object, a member or a number costs besides its text. */
const OVERHEAD_BYTES = 16
/** Engines keep Latin text in one byte a character, other text in two; the larger is counted. */
const BYTES_PER_CHARACTER = 2

/** Returns an upper estimate in bytes without writing the value out. */
export function jsonSizeBytes(value: Json): number {
  if (typeof value === "string") return OVERHEAD_BYTES + value.length * BYTES_PER_CHARACTER
  if (typeof value !== "object" || value === null) return OVERHEAD_BYTES
  let bytes = OVERHEAD_BYTES
  if (Array.isArray(value)) {
    for (const entry of value) bytes += jsonSizeBytes(entry)
    return bytes
  }
  for (const [key, entry] of Object.entries(value)) bytes += key.length + jsonSizeBytes(entry)
  return bytes
}
