/** Decides what follows a failed attempt. A pure function of the verdict and of what was tried before. */

import type { AccountId } from "#core/ids.ts"
import type { NextStep, Verdict } from "#core/outcome.ts"

/** What a request has tried so far. */
export type AttemptHistory = {
  /** Requests sent upstream, this failed one included. */
  readonly dispatches: number
  /** Accounts used, in order, each once. */
  readonly accounts: readonly AccountId[]
  /** Attempts already made again on the account that failed now. */
  readonly sameAccountRetries: number
  /** The request already went without its encrypted items. */
  readonly stripped: boolean
  /** Accounts whose credential was refreshed for this request. */
  readonly refreshed: ReadonlySet<AccountId>
}

/** Bounds of one request's tries. */
export type RetryLimits = { readonly maxAccounts: number; readonly maxDispatches: number }

/** What to do next. `exclude` says whether the failed account is out for the rest of this request. */
export type RetryStep =
  | { readonly type: "stop" }
  | {
      readonly type: "again"
      /** `line`: back into line, where the account that failed comes last. */
      readonly on: "same" | "other" | "line"
      readonly refresh: boolean
      readonly strip: boolean
      readonly delayMs: number
    }

const STOP: RetryStep = { type: "stop" }

/** Returns the next step. `failed` is the account of the attempt that `verdict` judges. */
export function nextStep(verdict: Verdict, failed: AccountId, history: AttemptHistory, limits: RetryLimits): RetryStep {
  if (history.dispatches >= limits.maxDispatches) return STOP
  const wish = reduceWish(verdict.next, failed, history)
  if (wish === "stop") return STOP
  if (wish === "other-account" || wish === "requeue") {
    if (history.accounts.length >= limits.maxAccounts) return STOP
    return again({ on: wish === "requeue" ? "line" : "other" })
  }
  const delayMs = verdict.delayMs ?? 0
  return again({ on: "same", refresh: wish === "refresh-then-same", strip: wish === "strip-then-same", delayMs })
}

/** A second try of the same kind on the same account proves nothing new: it becomes a try elsewhere, or the end. */
function reduceWish(wish: NextStep, failed: AccountId, history: AttemptHistory): NextStep {
  if (wish === "strip-then-same") return history.stripped ? "stop" : wish
  if (wish === "refresh-then-same") return history.refreshed.has(failed) ? "other-account" : wish
  if (wish === "same-account") return history.sameAccountRetries > 0 ? "other-account" : wish
  return wish
}

function again(step: {
  on: "same" | "other" | "line"
  refresh?: boolean
  strip?: boolean
  delayMs?: number
}): RetryStep {
  return {
    type: "again",
    on: step.on,
    refresh: step.refresh ?? false,
    strip: step.strip ?? false,
    delayMs: step.delayMs ?? 0,
  }
}
