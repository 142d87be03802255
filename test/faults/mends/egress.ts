/** Mends of the faults of ways out, 72 to 76. */

import type { Mend } from "./mend.ts"

/** Each taken out by itself brings its fault back. */
export const EGRESS_MENDS: readonly Mend[] = [
  {
    // A name without a way behind it takes the standard one.
    fault: 72,
    file: "src/transport/routed-sender.ts",
    find: "      const way = wayOf(request.egress)\n      return way.gate.pass(request, signal)",
    replace: "      return (byName.get(request.egress)?.gate.pass ?? main.send)(request, signal)",
    test: "test/faults/proxies.test.ts",
  },
  {
    // A choice nobody can read counts as none.
    fault: 72,
    file: "src/accounts/sources/egress-choice.ts",
    find: "  return UNREADABLE\n}",
    replace: "  return undefined\n}",
    test: "test/faults/proxies.test.ts",
  },
  {
    fault: 73,
    file: "src/transport/way-out.ts",
    find: "headers: { ...egress.headers }, respectNoProxy: false }",
    replace: "headers: { ...egress.headers }, respectNoProxy: true }",
    test: "test/faults/proxies.test.ts",
  },
  {
    fault: 74,
    file: "src/gateway/egress/proxy-address.ts",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: source text.
    find: "`${encodeURIComponent(user)}:${encodeURIComponent(password)}@`",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: source text.
    replace: "`${user}:${password}@`",
    test: "test/faults/proxies.test.ts",
  },
  {
    // What was chosen for an account is not kept.
    fault: 75,
    file: "src/gateway/egress/pool-members.ts",
    find: "present !== undefined && staying.has(present) ? present : ",
    replace: "",
    test: "test/unit/gateway/egress/choose-proxy.test.ts",
  },
  {
    // The account pays for its proxy.
    fault: 76,
    file: "src/scheduler/health/read-report.ts",
    find: "  proxy: NOTHING,",
    replace: '  proxy: { health: "timeout", shared: "timeout", tooMany: false },',
    test: "test/faults/proxies.test.ts",
  },
  {
    // A probe that the proxy has stopped counts against the account.
    fault: 76,
    file: "src/gateway/pool/health-check.ts",
    find: "if (reports[index]?.proxy_failed !== true) note(",
    replace: "note(",
    test: "test/unit/gateway/pool/health-check.test.ts",
  },
  {
    // Each account behind a dead proxy has to find out by itself.
    fault: 76,
    file: "src/scheduler/blocks/causes.ts",
    find: "ladder: { firstStep: 1, memoryMs: MINUTE_MS, maxMs: MINUTE_MS },\n  },\n  credential",
    replace: "ladder: FAILURE_LADDER,\n  },\n  credential",
    test: "test/faults/proxies.test.ts",
  },
]
