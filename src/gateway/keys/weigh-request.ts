/** What a request may come to, before anyone knows: the amounts that are held for it. */

import type { JsonObject } from "#core/json.ts"
import { numberAt, objectAt } from "#core/json.ts"
import type { ModelRequest } from "#core/request.ts"
import { estimateInputTokens } from "#protocols/estimate-tokens.ts"

import type { Amounts } from "./amounts.ts"
import { costOf, type Price } from "./prices.ts"

/** What is weighed. */
export type Weighed = {
  readonly request: ModelRequest
  /** The body as it came: dialects do not carry the bound on the answer, because the upstream does not know it. */
  readonly json: JsonObject
  /** The usual length of this key's answers. */
  readonly expectedOutputTokens: number
  readonly price: Price | undefined
}

/** What a token holds on average of a body. Pictures and files are far fewer tokens than this makes of them. */
const BYTES_PER_TOKEN = 4

/** Returns what a body of this size may come to; it costs a division where {@link weighRequest} walks the body. */
export function weighBody(bodyBytes: number, weighed: Omit<Weighed, "request">): Amounts {
  return amountsOf(Math.ceil(bodyBytes / BYTES_PER_TOKEN), weighed)
}

/** Returns the amounts: the input by its text, the output by the bound the client names, else by what is usual. */
export function weighRequest({ request, ...weighed }: Weighed): Amounts {
  return amountsOf(estimateInputTokens(request), weighed)
}

function amountsOf(inputTokens: number, { json, expectedOutputTokens, price }: Omit<Weighed, "request">): Amounts {
  const outputTokens = Math.ceil(boundOf(json) ?? expectedOutputTokens)
  const costMicroUsd = costOf(price, { inputTokens, inputCachedTokens: 0, outputTokens })
  return { requests: 1, inputTokens, outputTokens, costMicroUsd }
}

const BOUNDS = ["max_output_tokens", "max_completion_tokens", "max_tokens"] as const

function boundOf(json: JsonObject): number | undefined {
  const gemini = objectAt(json, "generationConfig") ?? objectAt(json, "generation_config")
  const values = [
    ...BOUNDS.map(name => numberAt(json, name)),
    gemini === undefined ? undefined : (numberAt(gemini, "maxOutputTokens") ?? numberAt(gemini, "max_output_tokens")),
  ]
  return values.find(value => value !== undefined && value > 0)
}
