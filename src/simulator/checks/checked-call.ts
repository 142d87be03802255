/** A request on its way through the checks, and the form of a check. */

import type { JsonObject } from "#core/json.ts"
import type { SimulatedAccount } from "#simulator/accounts/accounts.ts"
import type { Refusal } from "#simulator/refusal.ts"

/** `chatgpt` = the Codex backend with all its restrictions, `api-key` = the public API. */
export type UpstreamMode = "chatgpt" | "api-key"

/** An authorised request with a parsed body. */
export type CheckedCall = {
  readonly mode: UpstreamMode
  readonly endpoint: "responses" | "compact"
  readonly headers: Headers
  readonly body: JsonObject
  readonly account: SimulatedAccount
  readonly rules: BackendRules
}

/** What the reports about the backend disagree on, or what changed over time; switchable. */
export type BackendRules = {
  /** Refuse a body without `instructions`. */
  readonly requireInstructions: boolean
  /** Serve the older compaction endpoint instead of 404. */
  readonly serveCompactV1: boolean
  /** Polls a device login stays pending for. */
  readonly devicePendingPolls: number
  readonly deviceIntervalSec: number
  /** Accept WebSockets; otherwise 426. */
  readonly serveSockets: boolean
  /** The model list says of every model that it is better asked over a WebSocket. */
  readonly preferSockets: boolean
  /** From this many open sockets of one account on, another one is refused with 403. */
  readonly maxSocketsPerAccount: number
  /** Age from which a socket begins no further turn. */
  readonly socketLifetimeSec: number
}

/** The backend at its strictest and newest. */
export const DEFAULT_RULES: BackendRules = {
  requireInstructions: true,
  serveCompactV1: false,
  devicePendingPolls: 1,
  deviceIntervalSec: 1,
  serveSockets: true,
  preferSockets: false,
  maxSocketsPerAccount: 50,
  socketLifetimeSec: 3600,
}

/** One rule: returns the refusal, or undefined when the request passes. */
export type Check = (call: CheckedCall) => Refusal | undefined

/** Returns the first refusal of a list of checks. */
export function firstRefusal(checks: readonly Check[], call: CheckedCall): Refusal | undefined {
  for (const check of checks) {
    const refusal = check(call)
    if (refusal !== undefined) return refusal
  }
  return undefined
}
