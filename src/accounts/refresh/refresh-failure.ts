/** What a failed exchange changes about an account: pure decisions from the answer and the account's line. */

import type { AccountEffect } from "#core/outcome.ts"

import { isReusedCode } from "./refresh-codes.ts"
import type { RefreshEntry } from "./refresh-entries.ts"
import {
  backOffMs,
  CONFIRM_AFTER_MS,
  misconfiguredBackOffMs,
  retryLostAnswerMs,
  type Unit,
} from "./refresh-schedule.ts"
import type { RefreshAnswer } from "./refresh-token.ts"
import type { RefreshFailure } from "./refresh-types.ts"

/** An answer without tokens. */
export type FailedAnswer = Extract<RefreshAnswer, { type: "failed" }>

/** The line's new state, the failure to tell, and the account's consequence if there is one. */
export type FailureDecision = {
  readonly change: Partial<RefreshEntry>
  readonly failure: RefreshFailure
  readonly effect?: AccountEffect
}

/** Requests may try again after this long although the plan says later: an outage can be over sooner. */
const DEMAND_GAP_MS = 15_000

function planned(answer: FailedAnswer, retryAtMs: number, change: Partial<RefreshEntry>): FailureDecision {
  const failure: RefreshFailure = { class: answer.class, code: answer.code, confirmed: false, retryAtMs }
  return { change: { notBeforeMs: retryAtMs, ...change, dueAtMs: retryAtMs, lastFailure: failure }, failure }
}

function finished(answer: FailedAnswer, effect: AccountEffect): FailureDecision {
  const failure: RefreshFailure = { class: answer.class, code: answer.code, confirmed: true }
  const change = { dueAtMs: undefined, notBeforeMs: Number.POSITIVE_INFINITY, lastFailure: failure }
  return { change, failure, effect }
}

/**
 * A refusal counts once it was repeated a minute later: token endpoints have refused good tokens during outages. The
 * exception is a reused token after a lost answer, which is explained: we used it and never saw the successor.
 */
function decideRefusal(entry: RefreshEntry, answer: FailedAnswer, nowMs: number): FailureDecision {
  const effect: AccountEffect = { type: answer.class === "suspended" ? "suspend" : "needs-login" }
  if (entry.lostAnswers > 0 && isReusedCode(answer.code)) return finished(answer, effect)
  const refusedAtMs = entry.refusedAtMs ?? nowMs
  if (nowMs - refusedAtMs >= CONFIRM_AFTER_MS) return finished(answer, effect)
  return planned(answer, refusedAtMs + CONFIRM_AFTER_MS, { refusedAtMs })
}

/** Decides what one failed exchange means for one account. `jitter` is a fresh random share. */
export function decideFailure(
  entry: RefreshEntry,
  answer: FailedAnswer,
  { nowMs, jitter }: { readonly nowMs: number; readonly jitter: Unit },
): FailureDecision {
  switch (answer.class) {
    case "permanent":
    case "suspended":
      return decideRefusal(entry, answer, nowMs)
    case "configuration":
      return planned(answer, nowMs + misconfiguredBackOffMs(jitter), { failures: entry.failures + 1 })
    case "transient": {
      const failures = entry.failures + 1
      const retryAtMs = nowMs + backOffMs(failures, jitter)
      return planned(answer, retryAtMs, { failures, notBeforeMs: Math.min(retryAtMs, nowMs + DEMAND_GAP_MS) })
    }
    case "ambiguous": {
      const lostAnswers = entry.lostAnswers + 1
      return planned(answer, nowMs + retryLostAnswerMs(lostAnswers, jitter), { lostAnswers })
    }
  }
}
