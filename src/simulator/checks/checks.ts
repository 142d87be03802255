/** All checks of a request in the order in which the backend is assumed to apply them. */

import type { Refusal } from "#simulator/refusal.ts"

import { callChecks } from "./check-calls.ts"
import { contentChecks } from "./check-content.ts"
import { envelopeChecks } from "./check-envelope.ts"
import { itemIdChecks } from "./check-item-ids.ts"
import { modelGates } from "./check-model.ts"
import { optionChecks } from "./check-options.ts"
import { reasoningChecks } from "./check-reasoning.ts"
import { toolChecks } from "./check-tools.ts"
import { type CheckedCall, firstRefusal } from "./checked-call.ts"

/** Backend layer and gates: they exist only on the Codex backend. */
const BACKEND_CHECKS = [...envelopeChecks, ...modelGates]

/** Model layer: both upstreams have it. */
const MODEL_LAYER_CHECKS = [
  ...optionChecks,
  ...contentChecks,
  ...itemIdChecks,
  ...callChecks,
  ...reasoningChecks,
  ...toolChecks,
]

/** Returns the refusal a request earns before its quota is looked at, or undefined. */
export function refuseRequest(call: CheckedCall): Refusal | undefined {
  const backend = call.mode === "chatgpt" ? firstRefusal(BACKEND_CHECKS, call) : undefined
  return backend ?? firstRefusal(MODEL_LAYER_CHECKS, call)
}
