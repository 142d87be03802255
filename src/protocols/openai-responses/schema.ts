/** The members of a Responses body that are acted on; everything else passes unchecked. */

import { Type } from "@sinclair/typebox"

import { makeBodyCheck } from "#protocols/check-body.ts"

const anyObject = Type.Object({}, { description: "an object" })

/** @see https://platform.openai.com/docs/api-reference/responses/create */
const responsesSchema = Type.Object({
  model: Type.String({ minLength: 1, description: "a model name" }),
  tools: Type.Optional(Type.Array(anyObject, { description: "an array of objects" })),
  parallel_tool_calls: Type.Optional(Type.Boolean({ description: "a boolean" })),
  reasoning: Type.Optional(anyObject),
  reasoning_effort: Type.Optional(Type.String({ description: "a string" })),
  text: Type.Optional(anyObject),
  include: Type.Optional(Type.Array(Type.String(), { description: "an array of strings" })),
  response_format: Type.Optional(anyObject),
})

/** Throws `invalid-request` naming the first member of the wrong type. Nulls must have been removed. */
export const checkResponsesBody = makeBodyCheck(responsesSchema)
