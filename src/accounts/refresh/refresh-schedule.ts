/** When a credential is due, and how long to wait after a failure. Pure arithmetic in milliseconds. */

import { readTokenClaims } from "#accounts/jwt.ts"
import type { Credential } from "#core/account.ts"

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS

/** Margin for tokens that live less than a day. */
const SHORT_MARGIN_MS = 5 * MINUTE_MS
const LONG_MARGIN_SHARE = 0.2
const LONGEST_MARGIN_MS = DAY_MS
/** Share of the margin over which due times are spread, so that accounts signed in together do not refresh together. */
const JITTER_SHARE = 0.2
/** The Codex client renews tokens without an expiry after eight days; an operator may want it sooner. */
const UNKNOWN_LIFETIME_MS = 8 * DAY_MS

/** Length of the random part of a waiting time, as a factor between 0 (inclusive) and 1. */
export type Unit = number

function marginMs(lifetimeMs: number): number {
  if (lifetimeMs >= DAY_MS) return Math.min(lifetimeMs * LONG_MARGIN_SHARE, LONGEST_MARGIN_MS)
  // A token of a few minutes must not be due the moment it is issued.
  return Math.min(SHORT_MARGIN_MS, Math.max(0, lifetimeMs) / 2)
}

/**
 * Returns when to refresh: before expiry by the margin and, earlier still, by up to a fifth of it.
 * A token without a stated expiry is due `unknownLifetimeMs` after its last refresh, or after now.
 * Undefined: never by the clock, because there is no refresh token.
 */
export function refreshDueAtMs(
  credential: Credential,
  nowMs: number,
  jitter: Unit,
  unknownLifetimeMs = UNKNOWN_LIFETIME_MS,
): number | undefined {
  if (credential.type === "api-key" || credential.refreshToken === undefined) return undefined
  const { expiresAtMs, lastRefreshAtMs } = credential
  if (expiresAtMs === undefined) {
    return (lastRefreshAtMs ?? nowMs) + unknownLifetimeMs * (1 - 0.05 * jitter)
  }
  const margin = marginMs(expiresAtMs - issuedAtMsOf(credential, nowMs))
  return expiresAtMs - margin * (1 + JITTER_SHARE * jitter)
}

type ChatGptCredential = Extract<Credential, { type: "chatgpt" }>

function issuedAtMsOf({ accessToken, expiresAtMs = 0, lastRefreshAtMs }: ChatGptCredential, nowMs: number): number {
  // What is left of such a token's life gives the longest margin already: at start, a thousand need not be decoded.
  if (expiresAtMs - nowMs >= LONGEST_MARGIN_MS / LONG_MARGIN_SHARE) return nowMs
  // By our own clock where it is known, as the expiry is.
  return lastRefreshAtMs ?? readTokenClaims(accessToken).issuedAtMs ?? nowMs
}

/** Later than any credential expires, and small enough for differences to stay exact. */
const NEVER_MS = 1e15

/**
 * Ranks credentials that are due at once, the smallest first. What still serves is kept serving, the soonest to end first. What
 * has ended gains the pool as much whichever comes back first, and what ended long ago is likelier to be dead: the latest first.
 */
export function urgencyOf(expiresAtMs: number | undefined, nowMs: number): number {
  const leftMs = (expiresAtMs ?? NEVER_MS) - nowMs
  return leftMs > 0 ? leftMs : NEVER_MS - leftMs
}

const BACK_OFF_MS = [5000, 15_000, 45_000, 135_000, 300_000]
const SLOW_FROM_MS = 10 * MINUTE_MS
const SLOW_SPAN_MS = 20 * MINUTE_MS

/** Waiting time after the `failures`-th failure in a row: five growing steps ±30 %, then 10 to 30 minutes for ever. */
export function backOffMs(failures: number, jitter: Unit): number {
  const step = BACK_OFF_MS[failures - 1]
  if (step === undefined) return SLOW_FROM_MS + SLOW_SPAN_MS * jitter
  return step * (0.7 + 0.6 * jitter)
}

/** Waiting time after the `failures`-th lost answer in a row: 5 s, then 60 s, then as slowly as after any failure. */
export function retryLostAnswerMs(failures: number, jitter: Unit): number {
  if (failures === 1) return 5000
  return failures === 2 ? MINUTE_MS : SLOW_FROM_MS + SLOW_SPAN_MS * jitter
}

/** Waiting time after a refusal of this program: slow, since only an operator or the vendor can change it. */
export function misconfiguredBackOffMs(jitter: Unit): number {
  return SLOW_FROM_MS + SLOW_SPAN_MS * jitter
}

/** A permanent refusal counts once a second one confirms it this much later. */
export const CONFIRM_AFTER_MS = MINUTE_MS
