/** The members of a Gemini body that are checked by type; everything else is read as far as it makes sense. */

import { Type } from "@sinclair/typebox"

import { makeBodyCheck } from "#protocols/check-body.ts"

/** `model` is taken from the address. @see https://ai.google.dev/api/generate-content */
const geminiSchema = Type.Object({ model: Type.String({ minLength: 1, description: "a model name" }) })

/** Throws `invalid-request` naming the first member of the wrong type, or one that is nested too deep. */
export const checkGeminiBody = makeBodyCheck(geminiSchema)
