/** Whether a bench runs in earnest, or only to show that it runs: `./dev bench --smoke`. */

/** The flag was given. */
const IS_SMOKE = process.argv.includes("--smoke")

/** Picks a size: the first in earnest, the second in a smoke run, whose figures mean nothing. */
export function sized(earnest: number, smoke: number): number {
  return IS_SMOKE ? smoke : earnest
}
