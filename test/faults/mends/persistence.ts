/** The mends of what is kept on the disk: faults 61 to 68. */

import type { Mend } from "./mend.ts"

/** One a fault. */
export const PERSISTENCE_MENDS: readonly Mend[] = [
  {
    // The rows that a kill has kept out of the sums are never added.
    fault: 61,
    file: "src/gateway/journal/journal.ts",
    find: "    log.addRolls(missing.rows(), last.id)\n",
    replace: "",
    test: "test/unit/gateway/journal/journal.test.ts",
  },
  {
    // One row that cannot be stored keeps its batch from the disk for good.
    fault: 62,
    file: "src/gateway/journal/write-isolated.ts",
    find: "    if (parts.isEnvironment(error)) throw error\n",
    replace: "    throw error\n",
    test: "test/unit/gateway/journal/journal.test.ts",
  },
  {
    // A damaged log stays in the way.
    fault: 63,
    file: "src/store/log/log-database.ts",
    find: "    if (!isUnusable(error)) throw error\n",
    replace: "    throw error\n",
    test: "test/unit/gateway/journal/journal.test.ts",
  },
  {
    // An empty file, and a lost one, are taken for a new database.
    fault: 64,
    file: "src/store/core-database.ts",
    find: "  refuseLostFile(path)\n",
    replace: "",
    test: "test/unit/store/store.test.ts",
  },
  {
    // The write-ahead log grows for as long as somebody reads.
    fault: 65,
    file: "src/gateway/journal/backlog.ts",
    find: "  return log.walBytes() > MAX_WAL_BYTES && !log.checkpoint()\n",
    replace: "  return log === undefined\n",
    test: "test/unit/gateway/journal/journal.test.ts",
  },
  {
    // An import holds the event loop from its first entry to its last.
    fault: 66,
    file: "src/accounts/intake/import-plan.ts",
    find: "      if (parts.clock() < sliceEndsAtMs) continue\n",
    replace: "      if (parts.clock() < Number.MAX_SAFE_INTEGER) continue\n",
    test: "test/unit/gateway/desk/intake.test.ts",
  },
  {
    // A migration is written statement by statement.
    fault: 67,
    file: "src/store/migrations.ts",
    find: "    database.transaction(() => {\n",
    replace: "    ;(() => {\n",
    test: "test/unit/store/store.test.ts",
  },
  {
    // Whatever key lies there is tried on the database.
    fault: 68,
    file: "src/accounts/secrets/load-master-key.ts",
    find: "  throw wrongKey(slots, expectedId, current?.id)\n",
    replace:
      '  if (current === undefined) throw wrongKey(slots, expectedId, undefined)\n  return { key: current, slot: "current" as const, current }\n',
    test: "test/unit/cli/open-store.test.ts",
  },
]
