/** Mends of faults 25 to 37: token refreshes. */

import type { Mend } from "./mend.ts"

const REFRESHER = "test/unit/accounts/refresh/refresher.test.ts"
const FAULTS = "test/unit/accounts/refresh/refresh-faults.test.ts"

/** One mend a fault. */
export const REFRESH_MENDS: readonly Mend[] = [
  {
    fault: 25,
    file: "src/accounts/refresh/refresher.ts",
    find: "const present = state.flights.get(fingerprint)\n  if (present",
    replace: "const present = undefined as Flight | undefined\n  if (present",
    test: REFRESHER,
  },
  {
    fault: 26,
    file: "src/accounts/refresh/refresh-flight.ts",
    find: "    parts.intents.begin(account, fingerprint)\n",
    replace: "",
    test: "test/faults/refresh.test.ts",
  },
  {
    fault: 27,
    file: "src/accounts/refresh/refresh-flight.ts",
    find: 'if ((await commit(rotations)) === "held") onHeld()',
    replace: "await commit(rotations)",
    test: REFRESHER,
  },
  {
    fault: 28,
    file: "src/accounts/refresh/refresh-flight.ts",
    find: "const CALL_TIMEOUT_MS = 30_000",
    replace: "const CALL_TIMEOUT_MS = 100",
    test: "test/faults/lifecycle.test.ts",
  },
  {
    fault: 29,
    file: "src/accounts/refresh/refresh-token.ts",
    find: "return status === 408 || status === 425 || status === 429 || status >= 500",
    replace: "return status >= 600",
    test: FAULTS,
  },
  {
    fault: 30,
    file: "src/accounts/refresh/refresh-flight.ts",
    find: "if (isRefusal(answer) && (await adoptNewer(parts, account, fingerprint))) {",
    replace: "if (isRefusal(answer) && fingerprint === account.id) {",
    test: REFRESHER,
  },
  {
    fault: 31,
    file: "src/accounts/refresh/refresh-failure.ts",
    find: "  if (nowMs - refusedAtMs >= CONFIRM_AFTER_MS) return finished(answer, effect)\n",
    replace: "",
    test: FAULTS,
  },
  {
    fault: 32,
    file: "src/store/owner-lock.ts",
    find: '    database.run("begin exclusive")\n',
    replace: "",
    test: "test/faults/lifecycle.test.ts",
  },
  {
    fault: 33,
    file: "src/accounts/refresh/refresh-entries.ts",
    find: "filter(entry => entry.fingerprint === fingerprint)",
    replace: "filter(entry => entry.fingerprint === fingerprint).slice(0, 1)",
    test: REFRESHER,
  },
  {
    fault: 34,
    file: "src/accounts/refresh/refresh-flight.ts",
    find: "return settleFailure(parts, fingerprint, STORAGE_FAILED)",
    replace: 'return { type: "failed", failure: failureOf("storage") }',
    test: FAULTS,
  },
  {
    fault: 35,
    file: "src/accounts/refresh/refresh-planner.ts",
    find: "Math.min(timeMs, nowMs + LONGEST_SLEEP_MS)",
    replace: "timeMs",
    test: REFRESHER,
  },
  {
    fault: 36,
    file: "src/scheduler/members/member.ts",
    find: 'if (facts.credential === "expired") return "credential-expired"',
    replace: 'if (facts.credential === "due") return "credential-expired"',
    test: "test/faults/retry-phases.test.ts",
  },
  {
    fault: 37,
    file: "src/accounts/refresh/refresh-queue.ts",
    find: "nextBackgroundAtMs = clock() + backgroundGapMs",
    replace: "nextBackgroundAtMs = clock()",
    test: "test/unit/accounts/refresh/refresh-queue.test.ts",
  },
]
