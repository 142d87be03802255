/** What failed attempts prove about accounts. */

import type { Clock } from "#core/clock.ts"
import type { AccountEffect } from "#core/outcome.ts"
import type { Breaker } from "#scheduler/health/breaker.ts"
import { isOutdated, noteHealth } from "#scheduler/health/note-health.ts"
import { egressOf, type Member, note } from "#scheduler/members/member.ts"
import type { Pool } from "#scheduler/pool.ts"
import type { AttemptReport, Lifecycle } from "#scheduler/types.ts"

import { scopeName } from "./blocks.ts"
import { jitterMs, rulesOf, sensibleMs } from "./causes.ts"
import { isLastFor } from "./last-one.ts"

/** Parts of the reader; `random` is in [0, 1). */
export type EvidenceParts = {
  readonly pool: Pool
  readonly clock: Clock
  readonly random: () => number
  readonly breaker: Breaker
}

type BlockEffect = Extract<AccountEffect, { type: "block" }>

/** Draws the consequences of one failed attempt. The pool is consistent afterwards. */
export function readFailedAttempt(member: Member, report: AttemptReport, parts: EvidenceParts): void {
  const { effect } = report
  const isWithheld = report.model !== "" && noteHealth(member, report, parts)
  if (isWithheld && isAboutAccount(report)) {
    const change = "left alone: many accounts fail alike"
    note(member, { atMs: parts.clock(), change, detail: report.detail })
    return
  }
  switch (effect.type) {
    case "none":
      return
    case "block":
      block(member, effect, report, parts)
      return
    case "refresh":
      doubtCredential(member, report, parts)
      return
    case "needs-login":
      leaveService(member, "needs-login", report, parts)
      return
    case "suspend":
      leaveService(member, "suspended", report, parts)
      return
  }
}

/** A refresh harms nobody, a quota is the account's own, and a way out is not the account's. */
function isAboutAccount({ effect }: AttemptReport): boolean {
  if (effect.type === "block") return effect.cause !== "quota" && effect.scope.type !== "egress"
  return effect.type === "needs-login" || effect.type === "suspend"
}

function doubtCredential(member: Member, report: AttemptReport, parts: EvidenceParts): void {
  if (isOutdated(member, report) || member.facts.credential !== "fresh") return
  member.facts = { ...member.facts, credential: "due" }
  settle(member, { change: "credential due", detail: report.detail }, parts)
}

/** The operator's pause is stronger: it is not traded for a state that a sign-in would end. */
function leaveService(member: Member, lifecycle: Lifecycle, report: AttemptReport, parts: EvidenceParts): void {
  if (isOutdated(member, report) || member.facts.lifecycle !== "enabled") return
  member.facts = { ...member.facts, lifecycle }
  // The refresher's word is final; an attempt's may turn out to have been the upstream's bad hour.
  member.leftService = report.model === "" ? undefined : { lifecycle, atMs: parts.clock() }
  settle(member, { change: lifecycle, detail: report.detail }, parts)
}

function block(member: Member, effect: BlockEffect, report: AttemptReport, parts: EvidenceParts): void {
  const { pool, clock } = parts
  const { scope, cause } = effect
  const nowMs = clock()
  const detail = `${cause}, ${scopeName(scope)}: ${report.detail}`
  const owner = scope.type === "egress" ? pool.egresses.get(egressOf(member)) : member
  const forMs = owner.strikes.add({
    cause,
    target: scopeName(scope),
    forMs: sensibleMs(cause, effect.forMs),
    isUnstated: effect.isUnstated === true,
    startedAtMs: report.startedAtMs,
    nowMs,
  })
  if (forMs === undefined) {
    note(member, { atMs: nowMs, change: "failure noted", detail })
    return
  }
  if (rulesOf(cause).transport && scope.type !== "egress" && isLastFor(pool, member, report.model)) {
    note(member, { atMs: nowMs, change: "kept as the last account", detail })
    return
  }
  const untilMs = nowMs + forMs + jitterMs(cause, forMs, parts.random)
  owner.blocks.add({ scope, cause, untilMs, evidenceAtMs: report.startedAtMs, detail: report.detail }, nowMs)
  if (scope.type === "egress") pool.egresses.refresh(egressOf(member))
  if (scope.type === "bucket" && pool.buckets.learn(scope.bucket, report.model)) pool.refreshAll()
  if (cause === "model-unsupported" && scope.type === "model") {
    const { startedAtMs } = report
    const refusal = { model: scope.model, account: member.facts.id, startedAtMs, untilMs }
    if (pool.plans.refused(member.facts, refusal)) pool.refreshPlans()
  }
  settle(member, { change: "blocked", detail }, parts)
}

function settle(member: Member, record: { change: string; detail: string }, { pool, clock }: EvidenceParts): void {
  note(member, { atMs: clock(), ...record })
  pool.refresh(member)
}
