/** How deep a JSON value may be nested. */

import type { Json } from "#core/json.ts"

/** No real body comes near; some ten thousand levels exhaust the stack of whatever walks or writes the value. */
const MAX_NESTING_LEVELS = 1000

/** True for a value that is nested too deep to be handled. */
export function isTooDeep(value: Json): boolean {
  return isDeeperThan(value, MAX_NESTING_LEVELS)
}

function isDeeperThan(value: Json, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false
  if (levels === 0) return true
  for (const member of Object.values(value)) {
    if (isDeeperThan(member, levels - 1)) return true
  }
  return false
}
