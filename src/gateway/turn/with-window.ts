/** Adds the numbers to a refusal of an input that is too long: upstreams rarely say them. */

import { GatewayError } from "#core/errors.ts"
import type { Verdict } from "#core/outcome.ts"
import { estimateInputTokens } from "#protocols/estimate-tokens.ts"

import type { Turn } from "./turn-types.ts"

/** What is known of the window; `limitTokens` absent = nothing. */
export type KnownWindow = { readonly inputTokens: () => number; readonly limitTokens: number | undefined }

/** Returns `verdict` itself unless it says that the input is too long for a model whose window is known. */
export function withWindow(verdict: Verdict, { request, plan }: Pick<Turn, "request" | "plan">): Verdict {
  return withKnownWindow(verdict, {
    inputTokens: () => estimateInputTokens(request),
    limitTokens: plan.info?.contextTokens,
  })
}

/** The same for whoever has only the numbers. */
export function withKnownWindow(verdict: Verdict, { inputTokens, limitTokens }: KnownWindow): Verdict {
  const { error } = verdict
  if (error.kind !== "context-too-long" || limitTokens === undefined) return verdict
  const { message, code, param, hint, upstream } = error
  const window = { inputTokens: inputTokens(), limitTokens }
  const facts = { code, param, hint, upstream, window }
  const known = Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined))
  return { ...verdict, error: new GatewayError(error.kind, message, { ...known, cause: error }) }
}
