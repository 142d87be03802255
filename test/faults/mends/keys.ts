/** What mends the faults of client keys. */

import type { Mend } from "./mend.ts"

/** Faults 69 to 71. */
export const KEYS_MENDS: readonly Mend[] = [
  {
    // The rate would be looked at and never used up.
    fault: 69,
    file: "src/gateway/keys/check-limits.ts",
    find: "meter.requestRate.take(1, limits.rpm, nowMs)",
    replace: "meter.requestRate.take(0, limits.rpm, nowMs)",
    test: "test/unit/gateway/keys/limits.test.ts",
  },
  {
    // Check, then act: what others hold would not count.
    fault: 70,
    file: "src/gateway/keys/check-limits.ts",
    find: "const used = charged + amountOf(meter.reserved(), quantity)",
    replace: "const used = charged",
    test: "test/unit/gateway/keys/limits.test.ts",
  },
  {
    // A store that cannot be read would look like one without keys.
    fault: 71,
    file: "src/gateway/keys/key-ring.ts",
    find: "if (ring === undefined) throw storeUnavailable(failure)",
    replace:
      "if (ring === undefined) return { byHash: new Map(), byId: new Map(), damagedByHash: new Map(), hash: undefined }",
    test: "test/unit/gateway/keys/key-ring.test.ts",
  },
]
