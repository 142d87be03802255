/** Finds what a mistyped model name may have meant. */

import { editDistance } from "#config/edit-distance.ts"

/** Names further away than this share of their length are no typing errors. */
const MAX_DISTANCE_SHARE = 0.6

/** Returns up to `count` known names, the most similar first; empty when nothing comes close. */
export function nearestNames(name: string, known: readonly string[], count = 3): readonly string[] {
  const wanted = name.slice(0, 64).toLowerCase()
  return known
    .map(candidate => ({ candidate, distance: editDistance(wanted, candidate.toLowerCase()) }))
    .filter(({ candidate, distance }) => distance <= Math.max(wanted.length, candidate.length) * MAX_DISTANCE_SHARE)
    .sort((left, right) => left.distance - right.distance)
    .slice(0, count)
    .map(({ candidate }) => candidate)
}
