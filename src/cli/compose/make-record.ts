/** What happens with every settled request: it is counted, becomes one log line, and is kept. */

import type { Tenure } from "#cli/takeover/tenure.ts"
import type { Config } from "#config/config.ts"
import type { AccountId } from "#core/ids.ts"
import type { Outcome } from "#core/outcome.ts"
import type { Journal } from "#gateway/journal/journal.ts"
import { type Counters, makeCounters } from "#telemetry/counters.ts"
import type { Log } from "#telemetry/log.ts"
import { makeRequestLine } from "#telemetry/request-line.ts"

import { buildJournal } from "./build-journal.ts"

/** Counters, the request log, and the function that feeds them and the log. */
export type Recorder = {
  readonly counters: Counters
  readonly journal: Journal
  readonly record: (outcome: Outcome) => void
}

/** What recording needs. */
export type RecordParts = {
  readonly config: () => Config
  readonly log: Log
  /** Gives an account's e-mail or file name, which the line masks. */
  readonly labelOf: (account: AccountId) => string | undefined
  readonly tenure: Tenure
}

/** Makes all of it. */
export function makeRecord({ config, log, labelOf, tenure }: RecordParts): Recorder {
  const counters = makeCounters()
  const journal = buildJournal(config, log)
  const writeLine = makeRequestLine({ log, labelOf })
  return {
    counters,
    journal,
    record: outcome => {
      counters.recordOutcome(outcome)
      writeLine(outcome)
      if (tenure.phase() === "ours") journal.record(outcome)
      else tenure.tell({ type: "outcome", outcome })
    },
  }
}
