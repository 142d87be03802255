/** Mends of the faults of quota and rate limits, 1 to 15. */

import type { Mend } from "./mend.ts"

/** Each taken out by itself brings its fault back. */
export const QUOTA_MENDS: readonly Mend[] = [
  {
    fault: 10,
    file: "src/scheduler/blocks/causes.ts",
    find: "    unstatedMs: [5 * MINUTE_MS, 15 * MINUTE_MS, 60 * MINUTE_MS],\n",
    replace: "",
    test: "test/unit/scheduler/blocks/unstated-quota.test.ts",
  },
]
