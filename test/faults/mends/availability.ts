/** Mends of the faults of availability, 16 to 24. */

import type { Mend } from "./mend.ts"

/** Each taken out by itself brings its fault back. */
export const AVAILABILITY_MENDS: readonly Mend[] = [
  {
    fault: 16,
    file: "src/scheduler/blocks/evidence.ts",
    find: 'rulesOf(cause).transport && scope.type !== "egress" && isLastFor(pool, member, report.model)',
    replace: "false",
    test: "test/unit/scheduler/blocks/numbered-faults.test.ts",
  },
  {
    fault: 16,
    file: "src/gateway/turn/lease-turn.ts",
    find: 'return refusal.kind === "no-account" || isPassing ? (lastError ?? refusal) : refusal',
    replace: 'return refusal.kind === "no-account" ? (lastError ?? refusal) : refusal',
    test: "test/faults/availability.test.ts",
  },
  {
    fault: 17,
    file: "src/providers/failure-outcomes.ts",
    find: 'hint: "The upstream does not know the address: check the base URL.",\n    effect: NO_EFFECT,',
    replace: 'hint: "The upstream does not know the address: check the base URL.",\n    effect: { type: "suspend" },',
    test: "test/faults/healing.test.ts",
  },
  {
    fault: 18,
    file: "src/gateway/pool/health-check.ts",
    find: 'if (report?.status !== "failed" || report.upstream_status !== undefined) {',
    replace: 'if (report?.status !== "failed") {',
    test: "test/faults/availability.test.ts",
  },
  {
    fault: 19,
    file: "src/providers/failure-outcomes.ts",
    find: 'effect: { type: "block", scope: "egress", cause: "challenge", length: 10 * SECOND_MS },',
    replace: 'effect: { type: "block", scope: "account", cause: "challenge", length: 10 * SECOND_MS },',
    test: "test/faults/availability.test.ts",
  },
  {
    fault: 19,
    file: "src/gateway/turn/dispatch.ts",
    find: ' || headers.get("content-type")?.startsWith("text/html") === true',
    replace: "",
    test: "test/faults/availability.test.ts",
  },
  {
    fault: 20,
    file: "src/providers/failure-outcomes.ts",
    find: 'effect: { ...REST, cause: "overload" },',
    replace: 'effect: { ...REST, cause: "burst" },',
    test: "test/faults/availability.test.ts",
  },
  {
    fault: 21,
    file: "src/providers/failure-outcomes.ts",
    find: 'effect: { type: "block", scope: "model", cause: "model-unsupported", length: 10 * MINUTE_MS },',
    replace: 'effect: { type: "block", scope: "account", cause: "model-unsupported", length: 12 * HOUR_MS },',
    test: "test/faults/availability.test.ts",
  },
  {
    fault: 22,
    file: "src/providers/failure-outcomes.ts",
    find: 'code: "context_length_exceeded",\n    effect: NO_EFFECT,\n    next: "stop",',
    replace: 'code: "context_length_exceeded",\n    effect: NO_EFFECT,\n    next: "other-account",',
    test: "test/faults/retry-matrix.test.ts",
  },
  {
    fault: 23,
    file: "src/scheduler/scheduler.ts",
    find: "if (isNews) parts.suspended?.(id, report.detail)",
    replace: "if (isNews) parts.suspended?.(id, report.model)",
    test: "test/faults/availability.test.ts",
  },
  {
    fault: 24,
    file: "src/scheduler/blocks/clearing.ts",
    find: "  if (options.cause === undefined) forgetLessons(member, parts)\n",
    replace: "",
    test: "test/unit/scheduler/blocks/numbered-faults.test.ts",
  },
  {
    fault: 24,
    file: "src/gateway/desk/orders.ts",
    find: "      scheduler.clearBlocks(id)\n",
    replace: '      scheduler.clearBlocks(id, { cause: "quota" })\n',
    test: "test/faults/availability.test.ts",
  },
]
