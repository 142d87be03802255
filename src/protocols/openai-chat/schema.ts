/** The members of a Chat Completions body that are acted on; everything else passes unchecked. */

import { Type } from "@sinclair/typebox"

import { makeBodyCheck } from "#protocols/check-body.ts"

const message = Type.Object({ role: Type.String({ description: "a string" }) }, { description: "an object" })
const anyObject = Type.Object({}, { description: "an object" })
const objects = Type.Array(anyObject, { description: "an array of objects" })

/** @see https://platform.openai.com/docs/api-reference/chat/create */
const chatSchema = Type.Object({
  model: Type.String({ minLength: 1, description: "a model name" }),
  messages: Type.Optional(Type.Array(message, { description: "an array of messages" })),
  tools: Type.Optional(objects),
  functions: Type.Optional(objects),
  parallel_tool_calls: Type.Optional(Type.Boolean({ description: "a boolean" })),
  response_format: Type.Optional(anyObject),
  reasoning_effort: Type.Optional(Type.String({ description: "a string" })),
  n: Type.Optional(Type.Integer({ description: "an integer" })),
  modalities: Type.Optional(Type.Array(Type.Unknown(), { description: "an array" })),
  web_search_options: Type.Optional(anyObject),
})

/** Throws `invalid-request` naming the first member of the wrong type. Nulls must have been removed. */
export const checkChatBody = makeBodyCheck(chatSchema)
