/** The members of an Ollama body that are checked by type; everything else is read as far as it makes sense. */

import { Type } from "@sinclair/typebox"

import { makeBodyCheck } from "#protocols/check-body.ts"

const MESSAGE = Type.Object({}, { description: "an object with role and content" })

/** @see https://github.com/ollama/ollama/blob/main/docs/api.md */
const ollamaSchema = Type.Object({
  model: Type.String({ minLength: 1, description: "a model name" }),
  stream: Type.Optional(Type.Boolean({ description: "true or false" })),
  messages: Type.Optional(Type.Array(MESSAGE, { description: "a list of messages" })),
  prompt: Type.Optional(Type.String({ description: "a text" })),
  system: Type.Optional(Type.String({ description: "a text" })),
  images: Type.Optional(Type.Array(Type.String({ description: "base64" }), { description: "a list of base64 texts" })),
  tools: Type.Optional(Type.Array(Type.Object({}, { description: "a tool" }), { description: "a list of tools" })),
  options: Type.Optional(Type.Object({}, { description: "an object" })),
})

/** Throws `invalid-request` naming the first member of the wrong type, or one that is nested too deep. */
export const checkOllamaBody = makeBodyCheck(ollamaSchema)
