/** The members of a legacy completions body that are acted on; everything else passes unchecked. */

import { Type } from "@sinclair/typebox"

import { makeBodyCheck } from "#protocols/check-body.ts"

const integer = Type.Integer({ description: "an integer" })

/** @see https://platform.openai.com/docs/api-reference/completions/create */
const completionsSchema = Type.Object({
  model: Type.String({ minLength: 1, description: "a model name" }),
  prompt: Type.Union([Type.String(), Type.Array(Type.Unknown())], { description: "a string or an array of strings" }),
  n: Type.Optional(integer),
  best_of: Type.Optional(integer),
  logprobs: Type.Optional(integer),
  echo: Type.Optional(Type.Boolean({ description: "a boolean" })),
  suffix: Type.Optional(Type.String({ description: "a string" })),
})

/** Throws `invalid-request` naming the first member of the wrong type. Nulls must have been removed. */
export const checkCompletionsBody = makeBodyCheck(completionsSchema)
