/** The machine's source of randomness. */

import type { RandomBytes } from "#core/ids.ts"

/** Fills and returns the array it is given. */
export const randomBytes: RandomBytes = bytes => crypto.getRandomValues(bytes)
