/** Mends of the faults of availability, 16 to 24. */

import type { Mend } from "./mend.ts"

/** Each taken out by itself brings its fault back. */
export const AVAILABILITY_MENDS: readonly Mend[] = [
  {
    fault: 22,
    file: "src/providers/failure-outcomes.ts",
    find: 'code: "context_length_exceeded",\n    effect: NO_EFFECT,\n    next: "stop",',
    replace: 'code: "context_length_exceeded",\n    effect: NO_EFFECT,\n    next: "other-account",',
    test: "test/faults/retry-matrix.test.ts",
  },
]
