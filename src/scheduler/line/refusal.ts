/** Says no in a way that tells the client when to come back and the operator what to do. */

import { GatewayError } from "#core/errors.ts"
import type { Wanted } from "#scheduler/pick/signature.ts"
import type { UnavailableReason } from "#scheduler/types.ts"

import type { Outlook } from "./outlook.ts"

/** What a refusal is made from. */
export type RefusalFacts = {
  readonly wanted: Wanted
  readonly outlook: Outlook
  readonly nowMs: number
}

const REASON_WORDS = {
  paused: "paused",
  "needs-login": "needing a new sign-in",
  suspended: "suspended by the upstream",
  "credential-expired": "with an expired credential",
  "credential-uncertain": "with an unfinished token refresh",
  quota: "out of quota",
  burst: "resting after a burst",
  overload: "resting from an overloaded upstream",
  "server-error": "resting from upstream errors",
  network: "resting from network failures",
  proxy: "resting from failures of their proxy",
  "proxy-missing": "assigned to a proxy that does not exist",
  "proxy-disabled": "assigned to a proxy that is disabled",
  "proxy-unusable": "assigned to a proxy whose address cannot be used",
  "proxy-down": "assigned to a proxy that does not answer",
  credential: "with a refused credential",
  health: "resting after failed health checks",
  forbidden: "refused by the upstream",
  billing: "with a billing problem",
  "model-unsupported": "not offering the model",
  challenge: "stopped by a challenge page",
  workspace: "of a workspace that is said to be closed",
} as const satisfies Record<UnavailableReason, string>

/** Accounts that wait for their operator stay so until that person acts, whatever the others rest for. */
const SIGN_IN_AGAIN = "`sluice login` signs an account in again; until then it serves nothing."

/** Returns the refusal when nobody can serve: `model-not-found`, `quota-exhausted` or `no-account`. */
export function refusalFor(facts: RefusalFacts): GatewayError {
  const { outlook, nowMs, wanted } = facts
  if (outlook.candidates === 0 && wanted.tags !== undefined && wanted.tags.length > 0) return nobodyTagged(wanted.tags)
  if (outlook.candidates === 0 && wanted.scope !== undefined) return nobodyInScope()
  if (outlook.candidates === 0) {
    return new GatewayError("no-account", "No account is configured.", {
      code: "no_account",
      hint: "`sluice login` signs an account in; or put account files into the folder `auth-dir` names.",
    })
  }
  if (outlook.serving === 0) return noSuchModel(facts)
  if (Number.isFinite(outlook.quotaEndMs) && !Number.isFinite(outlook.passingEndMs)) return outOfQuota(facts)
  const passing = Number.isFinite(outlook.passingEndMs)
  const reasons = reasonsText(outlook)
  const message =
    reasons === ""
      ? "Every account that can serve this request was tried already."
      : `No account is usable right now: ${reasons}.`
  return new GatewayError("no-account", message, {
    code: "no_account",
    // Without a known end only the operator can help, and a number would be a promise.
    ...(passing && { retryAfterMs: Math.max(1_000, outlook.passingEndMs - nowMs) }),
    hint: outlook.reasons.has("needs-login")
      ? SIGN_IN_AGAIN
      : "`sluice accounts` shows each account's state and what changed it.",
  })
}

/** The refusal while the upstream fails for everybody and only the odd request finds out whether it still does. */
export function outageRefusal(waitMs: number): GatewayError {
  return new GatewayError("no-account", "The upstream fails on every account; trying again shortly.", {
    code: "upstream_outage",
    retryAfterMs: Math.max(1_000, waitMs),
    hint: "Many accounts failed alike within a minute. Their states are left alone until one request succeeds.",
  })
}

/**
 * The refusal of those who waited for a free slot until their deadline, and of those for whom the line is too long.
 * `random` is in [0, 1) and spreads the clients that come back.
 */
export function busyRefusal(what: "waited" | "queue-full", random: () => number): GatewayError {
  const message =
    what === "waited"
      ? "Every account stayed busy; none became free in time."
      : "Too many requests are waiting already."
  return new GatewayError("no-account", message, {
    code: "accounts_busy",
    retryAfterMs: Math.round(1_000 + random() * 4_000),
    hint: "Add accounts, or raise `account-concurrency` or `queue.timeout`.",
  })
}

/** The refusal of a request that only one account may serve: it cannot, or not in time. */
export function onlyRefusal(): GatewayError {
  return new GatewayError("no-account", "The one account that may serve this request is not usable right now.", {
    code: "no_account",
    hint: "`sluice accounts` shows each account's state and what changed it.",
  })
}

function nobodyInScope(): GatewayError {
  return new GatewayError("no-account", "No account is set aside for this API key.", {
    code: "no_account",
    hint: "`sluice keys show` lists the key's tags and plans of accounts; no account fits them.",
  })
}

function nobodyTagged(tags: readonly string[]): GatewayError {
  return new GatewayError("no-account", "No account is set aside for this request.", {
    code: "no_account",
    hint: `No account carries ${tags.map(tag => `\`${tag}\``).join(" and ")}: give one these tags under \`scheduler.tags\`.`,
  })
}

function noSuchModel({ wanted }: RefusalFacts): GatewayError {
  return new GatewayError("model-not-found", `The model \`${wanted.model}\` is not served by any account.`, {
    code: "model_not_found",
    param: "model",
  })
}

function outOfQuota({ outlook, nowMs }: RefusalFacts): GatewayError {
  const { quotaEndMs } = outlook
  return new GatewayError("quota-exhausted", `The usage limit has been reached: ${reasonsText(outlook)}.`, {
    code: "usage_limit_reached",
    retryAfterMs: Math.max(1_000, quotaEndMs - nowMs),
    upstream: { type: "usage_limit_reached", code: "usage_limit_reached", resetsAtSec: Math.ceil(quotaEndMs / 1000) },
    hint: "Wait for the reset, or add accounts.",
  })
}

/** "3 accounts out of quota, 1 account paused"; "" when nothing stands against any. */
function reasonsText(outlook: Outlook): string {
  const parts = [...outlook.reasons].map(
    ([reason, count]) => `${count} ${count === 1 ? "account" : "accounts"} ${REASON_WORDS[reason]}`,
  )
  return parts.join(", ")
}
