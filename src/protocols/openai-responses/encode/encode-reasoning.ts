/** `reasoning` and `include` of an upstream body. */

import { type JsonObject, stringAt } from "#core/json.ts"
import type { ModelRequest } from "#core/request.ts"
import type { EncodePlan } from "#protocols/protocol.ts"

import type { ResponsesDraft } from "./draft.ts"
import { withoutKeys } from "./without-keys.ts"

/** Without it a client that keeps its own history could not replay the model's reasoning. */
const ENCRYPTED_REASONING = "reasoning.encrypted_content"

/** Refused by the Codex backend. */
const LOGPROBS_INCLUDE = "message.output_text.logprobs"

const DEFAULT_SUMMARY = "auto"

/** Returns `reasoning`, undefined when there is nothing to say. Effort comes from the plan alone. */
export function encodeReasoning(
  draft: ResponsesDraft,
  request: ModelRequest,
  plan: EncodePlan,
): JsonObject | undefined {
  const others = request.reply.codexClient
    ? withoutKeys(draft.reasoning, ["effort", "summary", "generate_summary"])
    : {}
  const summary = pickSummary(draft, request, plan)
  const reasoning: JsonObject = {
    ...(plan.effort === undefined ? {} : { effort: plan.effort }),
    ...(summary === undefined ? {} : { summary }),
    ...others,
  }
  return Object.keys(reasoning).length === 0 ? undefined : reasoning
}

/** Returns the client's list with encrypted reasoning added, undefined for an empty list. */
export function encodeInclude(
  draft: ResponsesDraft,
  request: ModelRequest,
  plan: EncodePlan,
): readonly string[] | undefined {
  const include = new Set(draft.include)
  if (plan.rules.codexBackend) include.delete(LOGPROBS_INCLUDE)
  if (modelReasons(draft, request, plan)) include.add(ENCRYPTED_REASONING)
  return include.size === 0 ? undefined : [...include]
}

/** No summary events come unless a summary is asked for; "none" is said by leaving the key out. */
function pickSummary(draft: ResponsesDraft, request: ModelRequest, plan: EncodePlan): string | undefined {
  if (request.summary === "none" || plan.modelInfo?.supportsSummary === false) return undefined
  if (request.summary !== undefined) return request.summary
  const mayDefault = plan.effort !== "none" && modelReasons(draft, request, plan)
  return mayDefault ? DEFAULT_SUMMARY : undefined
}

/** Every model of the Codex backend reasons; the public API refuses reasoning options for models that do not. */
function modelReasons(draft: ResponsesDraft, request: ModelRequest, plan: EncodePlan): boolean {
  if (plan.rules.codexBackend || plan.effort !== undefined || request.summary !== undefined) return true
  return (plan.modelInfo?.efforts.length ?? 0) > 0 || stringAt(draft.reasoning, "effort") !== undefined
}
