/** The only end of a request: makes the outcome exactly once and hands it to whoever counts and logs. */

import type { Clock } from "#core/clock.ts"
import type { GatewayError } from "#core/errors.ts"
import type { Usage } from "#core/events.ts"
import type { AccountId } from "#core/ids.ts"
import type { FailedAttempt, Lane, Outcome } from "#core/outcome.ts"
import type { ClientCall } from "#core/request.ts"

/** The part of a model plan that is written down. */
export type PlannedModel = { readonly slug: string; readonly warnings: readonly { readonly type: string }[] }

/** How a request ended. */
export type RequestEnd = {
  readonly status: number
  readonly error?: GatewayError
  readonly usage?: Usage
  /** Nobody stated the usage. */
  readonly isUsageEstimated?: boolean
}

/** Notes what happens to one request on its way, then settles it. */
export type Settler = {
  readonly lane: (lane: Lane, model: string) => void
  /** What was decided about the model, and what was understood differently than it was written. */
  readonly planned: (plan: PlannedModel) => void
  /** One request went upstream on `account`. */
  readonly dispatched: (account: AccountId) => void
  /** An attempt has failed. */
  readonly failed: (attempt: FailedAttempt) => void
  /** The scheduler has said why it decided as it did. */
  readonly explained: (why: object) => void
  /** The first byte of the answer's body is on its way to the client. Later calls count for nothing. */
  readonly firstByte: () => void
  /** Ends the request; every call after the first is ignored. */
  readonly end: (end: RequestEnd) => void
}

/** What the body names before anyone has checked it: a refused request is found in the log by it. */
function statedModel({ json }: ClientCall): string {
  const model = json["model"]
  return typeof model === "string" ? model.slice(0, 200) : ""
}

/** Starts the account of one request. `record` gets its outcome once. */
export function makeSettler(
  call: ClientCall,
  parts: { readonly clock: Clock; readonly record: (outcome: Outcome) => void },
): Settler {
  let lane: Lane = "collect"
  let model = statedModel(call)
  let upstreamModel: string | undefined
  let warnings: readonly string[] = []
  let account: AccountId | undefined
  let attempts = 0
  const failedAttempts: FailedAttempt[] = []
  const decisions: object[] = []
  let firstByteMs: number | undefined
  let ended = false

  const sinceStartMs = () => parts.clock() - call.startedAtMs

  return {
    lane: (chosen, requested) => {
      lane = chosen
      model = requested
    },
    planned: plan => {
      upstreamModel = plan.slug
      warnings = plan.warnings.map(warning => warning.type)
    },
    dispatched: id => {
      attempts += 1
      account = id
    },
    failed: attempt => {
      failedAttempts.push(attempt)
    },
    explained: why => {
      decisions.push(why)
    },
    firstByte: () => {
      firstByteMs ??= sinceStartMs()
    },
    end: end => {
      if (ended) return
      ended = true
      parts.record({
        id: call.id,
        protocol: call.protocol,
        lane,
        model,
        ...(upstreamModel !== undefined && { upstreamModel }),
        ...(warnings.length > 0 && { warnings }),
        ...(account !== undefined && { account }),
        keyId: call.principal.keyId,
        status: end.status,
        ...(end.error !== undefined && { error: end.error }),
        attempts,
        startedAtMs: call.startedAtMs,
        ...(firstByteMs !== undefined && { firstByteMs }),
        totalMs: sinceStartMs(),
        ...(end.usage !== undefined && { usage: end.usage }),
        ...(end.isUsageEstimated === true && { isUsageEstimated: true }),
        ...(failedAttempts.length > 0 && { failedAttempts }),
        ...(decisions.length > 0 && { decisions }),
      })
    },
  }
}
