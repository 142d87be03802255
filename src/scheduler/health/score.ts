/** The health score: a baseline of 100 and terms that fade. */

import type { QuotaStanding } from "#scheduler/members/quota-standing.ts"

import { type HealthFailure, type History, successRate } from "./history.ts"

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/** What an account is judged by. */
export type HealthFacts = {
  readonly history: History
  readonly plan: string | undefined
  readonly quota: QuotaStanding
}

/** One part of a score. */
export type HealthTerm = { readonly name: string; readonly value: number }

/** How long a failure is remembered. */
export const FADE_MS = {
  auth: 24 * HOUR_MS,
  "rate-limit": HOUR_MS,
  timeout: 15 * MINUTE_MS,
  server: 15 * MINUTE_MS,
  other: 15 * MINUTE_MS,
} as const satisfies Record<HealthFailure, number>

const BASELINE = 100

/** Served requests after which an account has proven itself. */
const PROVEN_AFTER = 10

type Term = { readonly name: string; readonly value: (facts: HealthFacts, nowMs: number) => number }

/** Every term. Names are shown to operators. */
const TERMS: readonly Term[] = [
  { name: "refused-credential", value: fading("auth", -50) },
  { name: "rate-limited", value: fading("rate-limit", -22) },
  { name: "timeout", value: fading("timeout", -18) },
  { name: "server-error", value: fading("server", -12) },
  {
    name: "failure-streak",
    value: ({ history }, nowMs) => (isOver(history, nowMs) ? 0 : Math.max(-24, -6 * history.failureStreak)),
  },
  {
    name: "success-streak",
    value: facts => (isPaidAndLimited(facts) ? 0 : Math.min(12, 2 * facts.history.successStreak)),
  },
  { name: "proven", value: facts => (isPaidAndLimited(facts) || facts.history.served <= PROVEN_AFTER ? 0 : 20) },
  {
    name: "success-rate",
    value: ({ history }, nowMs) => (isOver(history, nowMs) ? 0 : rateTerm(successRate(history))),
  },
  { name: "free-plan-usage", value: facts => (isFree(facts) ? usageTerm(facts.quota.longUsedPercent) : 0) },
  { name: "latency", value: ({ history }) => latencyTerm(history.latencyMs ?? 0) },
]

/** Returns the sum of baseline and terms, which may lie outside 0–100. */
export function scoreOf(facts: HealthFacts, nowMs: number): number {
  let score = BASELINE
  for (const term of TERMS) score += term.value(facts, nowMs)
  return score
}

/** Returns the baseline and every term that is not 0, rounded for display. */
export function termsOf(facts: HealthFacts, nowMs: number): readonly HealthTerm[] {
  const terms = TERMS.map(({ name, value }) => ({ name, value: Math.round(value(facts, nowMs) * 10) / 10 }))
  return [{ name: "baseline", value: BASELINE }, ...terms.filter(({ value }) => value !== 0)]
}

/** Cuts a score to what people expect of one. */
export function shownScore(score: number): number {
  return Math.round(Math.min(100, Math.max(0, score)))
}

/** True for plans that cost nothing. */
export function isFree({ plan }: HealthFacts): boolean {
  return plan === "free"
}

/** The short window of a paid account is spent. */
export function isPaidAndLimited(facts: HealthFacts): boolean {
  return facts.quota.shortSpent && !isFree(facts)
}

/** When the last failure has faded, milliseconds since the epoch; −Infinity without one. */
export function fadedAtMs({ failedAtMs }: History): number {
  let endMs = Number.NEGATIVE_INFINITY
  for (const failure of FAILURES) endMs = Math.max(endMs, failedAtMs[failure] + FADE_MS[failure])
  return endMs
}

const FAILURES: readonly HealthFailure[] = ["auth", "rate-limit", "timeout", "server", "other"]

/**
 * The newest attempt failed and that has faded: an account that gets no requests because it failed could otherwise never
 * show that it works again.
 */
function isOver({ newest, failedAtMs }: History, nowMs: number): boolean {
  return newest !== undefined && nowMs - failedAtMs[newest] >= FADE_MS[newest]
}

function fading(failure: HealthFailure, full: number): Term["value"] {
  const fadeMs = FADE_MS[failure]
  return ({ history }, nowMs) => {
    const leftMs = history.failedAtMs[failure] + fadeMs - nowMs
    return leftMs <= 0 ? 0 : full * Math.min(1, leftMs / fadeMs)
  }
}

function rateTerm(rate: number): number {
  if (rate >= 0.75) return 0
  return rate < 0.5 ? -15 : -8
}

function usageTerm(usedPercent: number): number {
  if (usedPercent < 70) return 0
  if (usedPercent < 85) return -8
  if (usedPercent < 95) return -18
  return usedPercent < 100 ? -30 : -40
}

function latencyTerm(latencyMs: number): number {
  if (latencyMs < 5_000) return 0
  if (latencyMs < 10_000) return -4
  return latencyMs < 20_000 ? -8 : -15
}
