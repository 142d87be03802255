/** What happens with every settled request: it is counted, and it becomes one log line. */

import type { AccountId } from "#core/ids.ts"
import type { Outcome } from "#core/outcome.ts"
import { type Counters, makeCounters } from "#telemetry/counters.ts"
import type { Log } from "#telemetry/log.ts"
import { makeRequestLine } from "#telemetry/request-line.ts"

/** Counters, and the function that feeds them and the log. */
export type Recorder = { readonly counters: Counters; readonly record: (outcome: Outcome) => void }

/** Makes both. `labelOf` gives an account's e-mail or file name, which the line masks. */
export function makeRecord(log: Log, labelOf: (account: AccountId) => string | undefined): Recorder {
  const counters = makeCounters()
  const writeLine = makeRequestLine({ log, labelOf })
  return {
    counters,
    record: outcome => {
      counters.recordOutcome(outcome)
      writeLine(outcome)
    },
  }
}
