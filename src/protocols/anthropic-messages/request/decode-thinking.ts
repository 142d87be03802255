/** `thinking` and `output_config.effort` → effort, summary, and how thinking is shown. */

import { type JsonObject, numberAt, objectAt, stringAt } from "#core/json.ts"
import { REASONING_EFFORTS } from "#core/model-info.ts"
import type { ModelRequest, ReplyOptions } from "#core/request.ts"
import { defined } from "#protocols/defined.ts"

/** Upper bounds of a thinking budget, in tokens, with the effort that comes nearest to it. */
const BUDGETS: readonly (readonly [belowTokens: number, effort: string])[] = [
  [1, "none"],
  [2000, "low"],
  [8193, "medium"],
  [24_577, "high"],
]
const LARGEST_BUDGET = "xhigh"

/** What the request wants of the model's thinking. */
export type ThinkingWish = Pick<ModelRequest, "effort" | "summary"> & Pick<ReplyOptions, "thinking">

/** Thinking that nobody asked to see is not shown: such clients do not expect its blocks. */
export function decodeThinking(body: JsonObject): ThinkingWish {
  const thinking = objectAt(body, "thinking") ?? {}
  const type = stringAt(thinking, "type")
  const isWanted = type === "enabled" || type === "adaptive"
  const isOmitted = stringAt(thinking, "display") === "omitted"
  const shown = isWanted ? (isOmitted ? "sealed" : "shown") : undefined
  return {
    ...defined({ effort: type === "disabled" ? "none" : effortOf(body, thinking), thinking: shown }),
    summary: shown === "shown" ? "auto" : "none",
  }
}

function effortOf(body: JsonObject, thinking: JsonObject): string | undefined {
  const stated = stringAt(objectAt(body, "output_config") ?? {}, "effort")
    ?.trim()
    .toLowerCase()
  // The tuple's own members only; a word nobody knows is as good as none.
  if (stated !== undefined && (REASONING_EFFORTS as readonly string[]).includes(stated)) return stated
  const budget = stringAt(thinking, "type") === "enabled" ? numberAt(thinking, "budget_tokens") : undefined
  if (budget === undefined) return undefined
  return BUDGETS.find(([below]) => budget < below)?.[1] ?? LARGEST_BUDGET
}
