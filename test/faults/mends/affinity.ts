/** Mends of faults 52 to 60: conversations and their accounts. */

import type { Mend } from "./mend.ts"

const AFFINITY = "test/faults/affinity.test.ts"
const LEASE_HOME = "test/unit/gateway/turn/lease-home.test.ts"

/** One mend a fault. */
export const AFFINITY_MENDS: readonly Mend[] = [
  {
    fault: 52,
    file: "src/gateway/turn/lease-home.ts",
    find: 'return hold === "soft" ? Math.min(SOFT_WAIT_MS, queueTimeoutMs) : queueTimeoutMs',
    replace: "return 0",
    test: LEASE_HOME,
  },
  {
    fault: 53,
    file: "src/gateway/affinity/trace.ts",
    find: "  for (const [text, maker] of reasoning) if (maker !== account) foreign.add(text)\n",
    replace: "",
    test: AFFINITY,
  },
  {
    fault: 54,
    file: "src/providers/failure-signals.ts",
    find: "(encrypted|function output) content .{0,200}could not be (verified|decrypted|decoded|parsed)",
    replace: "no upstream has ever said this",
    test: "test/faults/retry-phases.test.ts",
  },
  {
    fault: 55,
    file: "src/gateway/turn/prepare-turn.ts",
    find: "conversationKey(conversationSeed(request, plan.slug), keyId)",
    replace: 'conversationKey(conversationSeed(request, plan.slug), "")',
    test: "test/faults/healing.test.ts",
  },
  {
    fault: 56,
    file: "src/gateway/affinity/slab-lru.ts",
    find: "  setLarge(slab, slot, USED_AT_MS, nowMs)\n",
    replace: "",
    test: AFFINITY,
  },
  {
    fault: 57,
    file: "src/gateway/affinity/affinity.ts",
    find: "const MAX_CONVERSATIONS = 100_000",
    replace: "const MAX_CONVERSATIONS = 10_000_000",
    test: AFFINITY,
  },
  {
    fault: 58,
    file: "src/gateway/turn/lease-home.ts",
    find: "tries.excluded.has(home.account) ? undefined : await obtain(home",
    replace: "await obtain(home",
    test: LEASE_HOME,
  },
  {
    fault: 59,
    file: "src/scheduler/line/choice.ts",
    find: "  if (prefer !== undefined) {",
    replace: "  if (prefer !== undefined && demand.model === prefer) {",
    test: "test/unit/scheduler/soft-ceiling.test.ts",
  },
  {
    fault: 60,
    file: "src/gateway/turn/lease-home.ts",
    find: 'const faster = hold === "soft" ? leaseFaster(account, wanting) : undefined',
    replace: "const faster = undefined",
    test: "test/faults/slow-account.test.ts",
  },
]
