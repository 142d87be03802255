/** A client key as operators see it: what it may do, what it has used, what is left. Never the key itself. */

import { type Amounts, amountOf, MICRO_USD, QUANTITIES, type Quantity } from "#gateway/keys/amounts.ts"
import { usedIn } from "#gateway/keys/check-limits.ts"
import { expiryOf } from "#gateway/keys/client-key.ts"
import type { KeyLines } from "#gateway/keys/key-line.ts"
import { type KeyLimits, type KeyPolicy, WINDOWS, type WindowName } from "#gateway/keys/key-policy.ts"
import { type KeyState, stateOf } from "#gateway/keys/key-rights.ts"
import type { KeyEntry } from "#gateway/keys/key-ring.ts"

/** What was used within a span. */
export type AmountsReport = {
  readonly requests: number
  readonly input_tokens: number
  readonly output_tokens: number
  readonly tokens: number
  /** By the configured prices; models without one count as 0. */
  readonly cost_usd: number
}

/** One limit and how full it is. */
export type LimitReport = {
  /** As in the policy: `rpm`, `5h.cost_usd`. */
  readonly limit: string
  readonly used: number
  /** Held by requests under way. */
  readonly held: number
  readonly max: number
}

/** One key. Times are RFC 3339. */
export type KeyReport = {
  readonly id: string
  readonly prefix: string
  readonly name: string
  readonly owner: string | null
  readonly note: string | null
  readonly state: KeyState
  readonly enabled: boolean
  /** When it ends, as far as that is known. */
  readonly expires_at: string | null
  readonly expires_after_first_use_sec: number | null
  readonly created_at: string
  readonly updated_at: string
  readonly first_used_at: string | null
  readonly last_used_at: string | null
  readonly models: KeyPolicy["models"] | null
  readonly tags: KeyPolicy["tags"] | null
  readonly plans: KeyPolicy["plans"] | null
  readonly addresses: readonly string[] | null
  readonly limits: KeyLimits | null
  readonly running: number
  readonly waiting: number
  readonly usage: Readonly<Record<WindowName, AmountsReport>> & {
    /** Requests whose upstream did not say what they used. */
    readonly estimated_requests: number
  }
  /** Every limit the key has. */
  readonly standing: readonly LimitReport[]
}

/** Reports a key at a moment. */
export function reportKey(entry: KeyEntry, lines: Pick<KeyLines, "running" | "waiting">, nowMs: number): KeyReport {
  const { key, meter } = entry
  const { policy } = key
  const used = (window: WindowName) => reportAmounts(usedIn(meter, window, nowMs))
  return {
    id: key.id,
    prefix: key.prefix,
    name: key.name,
    owner: key.owner ?? null,
    note: key.note ?? null,
    state: stateOf(entry, nowMs),
    enabled: key.enabled,
    expires_at: timeOf(expiryOf(key, meter.firstUsedAtMs())),
    expires_after_first_use_sec: key.expiresAfterUseMs === undefined ? null : key.expiresAfterUseMs / 1000,
    created_at: new Date(key.createdAtMs).toISOString(),
    updated_at: new Date(key.updatedAtMs).toISOString(),
    first_used_at: timeOf(meter.firstUsedAtMs()),
    last_used_at: timeOf(meter.lastUsedAtMs()),
    models: policy.models ?? null,
    tags: policy.tags ?? null,
    plans: policy.plans ?? null,
    addresses: policy.addresses ?? null,
    limits: policy.limits ?? null,
    running: lines.running(key.id),
    waiting: lines.waiting(key.id),
    usage: {
      "5h": used("5h"),
      "7d": used("7d"),
      "30d": used("30d"),
      day: used("day"),
      total: used("total"),
      estimated_requests: meter.estimatedRequests(),
    },
    standing: standingOf(entry, lines, nowMs),
  }
}

function reportAmounts(amounts: Readonly<Amounts>): AmountsReport {
  const { requests, inputTokens, outputTokens, costMicroUsd } = amounts
  return {
    requests,
    input_tokens: inputTokens,
    output_tokens: outputTokens,
    tokens: inputTokens + outputTokens,
    cost_usd: costMicroUsd / MICRO_USD,
  }
}

function standingOf({ key, meter }: KeyEntry, lines: Pick<KeyLines, "running">, nowMs: number): readonly LimitReport[] {
  const { limits = {} } = key.policy
  const rows: LimitReport[] = []
  const add = (limit: string, max: number | undefined, used: number, held = 0) => {
    if (max !== undefined) rows.push({ limit, used, held, max })
  }
  const inWindow = (window: WindowName, quantity: Quantity, [limit, max]: readonly [string, number | undefined]) =>
    add(limit, max, amountOf(usedIn(meter, window, nowMs), quantity), amountOf(meter.reserved(), quantity))
  add("rpm", limits.rpm, limits.rpm === undefined ? 0 : Math.ceil(meter.requestRate.used(limits.rpm, nowMs)))
  add("tpm", limits.tpm, limits.tpm === undefined ? 0 : Math.ceil(meter.tokenRate.used(limits.tpm, nowMs)))
  add("concurrency", limits.concurrency, lines.running(key.id))
  inWindow("day", "requests", ["rpd", limits.rpd])
  for (const window of WINDOWS) {
    for (const quantity of QUANTITIES) inWindow(window, quantity, [`${window}.${quantity}`, limits[window]?.[quantity]])
  }
  return rows
}

function timeOf(atMs: number | undefined): string | null {
  return atMs === undefined ? null : new Date(atMs).toISOString()
}
