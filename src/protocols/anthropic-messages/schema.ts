/** The members of a Messages body that are acted on; everything else passes unchecked and is ignored. */

import { Type } from "@sinclair/typebox"

import { makeBodyCheck } from "#protocols/check-body.ts"

const anyObject = Type.Object({}, { description: "an object" })
const block = Type.Object(
  { type: Type.Optional(Type.String({ description: "a string" })) },
  { description: "an object" },
)
const content = Type.Union([Type.String(), Type.Null(), Type.Array(block)], {
  description: "a string or an array of content blocks",
})
const message = Type.Object(
  { role: Type.String({ description: "a string" }), content: Type.Optional(content) },
  { description: "an object" },
)

/** @see https://docs.claude.com/en/api/messages */
const messagesSchema = Type.Object({
  model: Type.String({ minLength: 1, description: "a model name" }),
  messages: Type.Array(message, { minItems: 1, description: "an array of at least one message" }),
  max_tokens: Type.Optional(Type.Integer({ minimum: 0, description: "a whole number" })),
  system: Type.Optional(
    Type.Union([Type.String(), Type.Array(block)], { description: "a string or an array of text blocks" }),
  ),
  tools: Type.Optional(Type.Array(anyObject, { description: "an array of objects" })),
  tool_choice: Type.Optional(anyObject),
  thinking: Type.Optional(anyObject),
  output_config: Type.Optional(anyObject),
  output_format: Type.Optional(anyObject),
  metadata: Type.Optional(anyObject),
  thread: Type.Optional(anyObject),
})

/** Throws `invalid-request` naming the first member of the wrong type. Nulls must have been removed. */
export const checkMessagesBody = makeBodyCheck(messagesSchema)
