/** Mends of faults 38 to 48: streams and retries. */

import type { Mend } from "./mend.ts"

const PHASES = "test/faults/retry-phases.test.ts"
const STREAM = "test/unit/gateway/answer/stream-answer.test.ts"

/** One mend a fault. */
export const STREAM_MENDS: readonly Mend[] = [
  {
    fault: 38,
    file: "src/gateway/answer/stream-answer.ts",
    find: "    this.#send(controller, (this.#running?.pipe ?? openFailurePipe()).fail(error), this.#parts.clock())\n",
    replace: "",
    test: PHASES,
  },
  {
    fault: 39,
    file: "src/gateway/answer/stream-answer.ts",
    find: "if (nowMs - this.#lastSentMs >= limits.clientKeepaliveMs) {",
    replace: "if (nowMs < this.#lastSentMs) {",
    test: STREAM,
  },
  {
    fault: 40,
    file: "src/http/listen.ts",
    find: "        server.timeout(request, 0)\n",
    replace: "",
    test: "test/faults/silence.test.ts",
  },
  {
    fault: 41,
    file: "src/gateway/turn/network-verdict.ts",
    find: 'return { ...verdict, error: late, next: "stop" }',
    replace: "return { ...verdict, error: late }",
    test: PHASES,
  },
  {
    fault: 42,
    file: "src/protocols/openai-responses/probe.ts",
    find: 'return { type: "failure", failure: readFailureEvent(event) }',
    replace: "return OUTPUT",
    test: PHASES,
  },
  {
    fault: 43,
    file: "src/gateway/calls/client-waits.ts",
    find: 'else client.addEventListener("abort", end, { once: true })',
    replace: "",
    test: PHASES,
  },
  {
    fault: 44,
    file: "src/gateway/answer/stream-answer.ts",
    find: "if (nowMs - this.#lastPullMs < STALLED_CLIENT_MS) return",
    replace: "if (nowMs > this.#lastPullMs) return",
    test: STREAM,
  },
  {
    fault: 45,
    file: "src/transport/request-ceiling.ts",
    find: "{ ...definedOf(parts.env), ...variablesFor(wanted) }",
    replace: '{ ...definedOf(parts.env), [GUARD_VARIABLE]: "1" }',
    test: "test/faults/many-streams.test.ts",
  },
  {
    fault: 46,
    file: "src/gateway/turn/turn.ts",
    find: "if (!result.empty || tries.retriedEmpty",
    replace: "if (result.turn !== undefined || tries.retriedEmpty",
    test: PHASES,
  },
  {
    fault: 47,
    file: "src/gateway/turn/final-error.ts",
    find: 'if (error.kind !== "rate-limited" && error.kind !== "quota-exhausted") return error',
    replace: 'if (error.kind !== "quota-exhausted") return error',
    test: PHASES,
  },
  {
    fault: 48,
    file: "src/gateway/turn/retry-budget.ts",
    find: "      if (retries.total(sec) >= Math.max(FLOOR, SHARE * requests.total(sec))) return false\n",
    replace: "",
    test: PHASES,
  },
]
