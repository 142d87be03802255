/** Everything that changes what is thought of an account: attempts, looks at its quota, the word of the operator. */

import type { Clock } from "#core/clock.ts"
import type { BlockCause } from "#core/outcome.ts"
import type { QuotaSnapshot } from "#core/upstream.ts"

import { clearOnRequest, readSuccess, undoShared } from "./blocks/clearing.ts"
import { readFailedAttempt } from "./blocks/evidence.ts"
import { type Breaker, makeBreaker, type SharedFailure } from "./health/breaker.ts"
import { forgetFailure, type HealthFailure } from "./health/history.ts"
import { type Member, note } from "./members/member.ts"
import { bandOf, headroomOf, isNearlySpent, isOverCeiling, readStanding } from "./members/quota-standing.ts"
import type { Pool } from "./pool.ts"
import type { AttemptReport, AttemptSuccess, ClearOptions, CredentialState, Lifecycle } from "./types.ts"

/** One axis with its new value. */
export type ChangedAxis = { readonly lifecycle: Lifecycle } | { readonly credential: CredentialState }

/** The judge. After each call the pool is consistent. */
export type Judge = {
  /** An open breaker, for display. */
  readonly breaker: Breaker["state"]
  /** 0 = a request may go; otherwise milliseconds until one may. */
  readonly admit: () => number
  readonly report: (member: Member, report: AttemptReport) => void
  readonly succeeded: (member: Member, success: AttemptSuccess) => void
  readonly answered: (startedAtMs: number) => void
  readonly clear: (member: Member, options: ClearOptions) => void
  readonly setAxis: (member: Member, axis: ChangedAxis) => void
  readonly setQuota: (member: Member, snapshot: QuotaSnapshot) => void
}

/** Parts of the judge; `random` is in [0, 1). */
export type JudgeParts = {
  readonly pool: Pool
  readonly clock: Clock
  readonly random: () => number
  /** Told, in a sentence, that many accounts fail alike. */
  readonly alarm: (text: string) => void
}

type Traces = { readonly causes: readonly BlockCause[]; readonly health?: HealthFailure }

/** What a failure that many accounts share leaves behind on each: blocks, and a mark in its history. */
const TRACES = {
  auth: { causes: ["credential"], health: "auth" },
  refused: { causes: ["forbidden", "billing"], health: "other" },
  "rate-limit": { causes: ["burst"], health: "rate-limit" },
  timeout: { causes: ["network"], health: "timeout" },
  server: { causes: ["overload", "server-error"], health: "server" },
  "sealed-content": { causes: [] },
} as const satisfies Record<SharedFailure, Traces>

/** Makes the judge of a pool. */
export function makeJudge(parts: JudgeParts): Judge {
  const { pool, clock } = parts
  const breaker = makeBreaker({
    opened: ({ failure, accounts }, runSinceMs) => {
      parts.alarm(
        `${accounts} of ${pool.size()} accounts failed alike (${failure}) within a minute; account states are left alone until one request succeeds`,
      )
      const { causes, health }: Traces = TRACES[failure]
      undoShared(pool, { causes: new Set(causes), health, sinceMs: runSinceMs, nowMs: clock() })
    },
  })
  const evidence = { ...parts, breaker }
  return {
    breaker: breaker.state,
    admit: () => (breaker.state() === undefined ? 0 : breaker.admit(clock())),
    report: (member, report) => readFailedAttempt(member, report, evidence),
    succeeded: (member, success) => readSuccess(member, success, evidence),
    answered: startedAtMs => breaker.answered(startedAtMs, clock()),
    clear: (member, options) => clearOnRequest(member, options, parts),
    setAxis: (member, axis) => setAxis(member, axis, parts),
    setQuota: (member, snapshot) => setQuota(member, snapshot, parts),
  }
}

/** Changes one axis. A credential that is fresh again is a new one: evidence against the old one ends here. */
function setAxis(member: Member, axis: ChangedAxis, { pool, clock }: JudgeParts): void {
  if ("credential" in axis && axis.credential === "fresh") {
    member.credentialSinceMs = clock()
    forgetFailure(member.history, "auth", Number.NEGATIVE_INFINITY)
  }
  const before = member.facts
  member.facts = { ...before, ...axis }
  if (before.lifecycle === member.facts.lifecycle && before.credential === member.facts.credential) {
    if (member.tier.tier !== "healthy") pool.refresh(member)
    return
  }
  const change = "lifecycle" in axis ? axis.lifecycle : `credential ${axis.credential}`
  note(member, { atMs: clock(), change, detail: "" })
  pool.refresh(member)
}

/** Every answer brings a snapshot, and few of them change anything about the account's place. */
function setQuota(member: Member, snapshot: QuotaSnapshot, { pool, clock }: JudgeParts): void {
  if ((member.quota.snapshot?.observedAtMs ?? 0) > snapshot.observedAtMs) return
  const nowMs = clock()
  const before = member.quota.standing
  const standing = readStanding(snapshot, nowMs)
  member.quota = { snapshot, standing }
  const { strategy, softCeilingPercent } = pool.policy()
  const isSame =
    before.validUntilMs === standing.validUntilMs &&
    bandOf(strategy, before, nowMs).band === bandOf(strategy, standing, nowMs).band &&
    headroomOf(before) === headroomOf(standing) &&
    isNearlySpent(before) === isNearlySpent(standing) &&
    isOverCeiling(before, softCeilingPercent) === isOverCeiling(standing, softCeilingPercent)
  if (!isSame) pool.refresh(member)
}
