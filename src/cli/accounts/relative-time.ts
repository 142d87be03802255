/** Spans of time as people say them. */

const UNITS: readonly (readonly [seconds: number, unit: string])[] = [
  [86_400, "d"],
  [3600, "h"],
  [60, "min"],
  [1, "s"],
]

/** A span in its largest unit: `in 3 h`, `2 d ago`. */
export function relativeTime(seconds: number): string {
  const size = Math.abs(seconds)
  const [length, unit] = UNITS.find(([one]) => size >= one) ?? [1, "s"]
  const text = `${Math.floor(size / length)} ${unit}`
  return seconds < 0 ? `${text} ago` : `in ${text}`
}
