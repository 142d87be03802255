/** `thinkingConfig` → effort, summary, and whether thoughts are shown. */

import type { JsonObject } from "#core/json.ts"
import type { ModelRequest, ReplyOptions } from "#core/request.ts"
import { defined } from "#protocols/defined.ts"

import { member, numberMember, objectMember, stringMember } from "./members.ts"

const LEVELS: ReadonlySet<string> = new Set(["minimal", "low", "medium", "high"])

/** Upper bounds of a thinking budget, in tokens, with the effort that comes nearest to it. */
const BUDGETS: readonly (readonly [upToTokens: number, effort: string])[] = [
  [0, "none"],
  [512, "minimal"],
  [1024, "low"],
  [8192, "medium"],
  [24_576, "high"],
]
const LARGEST_BUDGET = "xhigh"

/** What the request wants of the model's thinking. */
export type ThinkingWish = Pick<ModelRequest, "effort" | "summary"> & Pick<ReplyOptions, "thinking">

/** A level counts before a budget; a negative budget leaves the effort to the model. */
export function decodeThinking(config: JsonObject): ThinkingWish {
  const thinking = objectMember(config, "thinkingConfig") ?? {}
  const isShown = member(thinking, "includeThoughts") === true
  return {
    ...defined({ effort: effortOf(config, thinking), thinking: isShown ? ("shown" as const) : undefined }),
    summary: isShown ? "auto" : "none",
  }
}

function effortOf(config: JsonObject, thinking: JsonObject): string | undefined {
  const level = (stringMember(thinking, "thinkingLevel") ?? stringMember(config, "thinkingLevel"))?.trim().toLowerCase()
  if (level !== undefined && LEVELS.has(level)) return level
  const budget = numberMember(thinking, "thinkingBudget")
  if (budget === undefined || budget < 0) return undefined
  return BUDGETS.find(([upTo]) => budget <= upTo)?.[1] ?? LARGEST_BUDGET
}
