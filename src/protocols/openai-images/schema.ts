/** The members of an images body that are acted on; everything else passes unchecked. */

import { type TSchema, Type } from "@sinclair/typebox"

import { makeBodyCheck } from "#protocols/check-body.ts"

const oneOf = (...words: readonly string[]) =>
  Type.Union(
    words.map(word => Type.Literal(word)),
    { description: `one of ${words.map(word => `'${word}'`).join(", ")}` },
  )
const text = Type.String({ description: "a string" })
const count = (minimum: number, maximum: number) =>
  Type.Integer({ minimum, maximum, description: `a whole number from ${minimum} to ${maximum}` })
const optional = (schema: TSchema) => Type.Optional(schema)

const source = Type.Object(
  { image_url: Type.Optional(text), file_id: Type.Optional(text) },
  { description: "an object" },
)

/** @see https://platform.openai.com/docs/api-reference/images */
const imagesSchema = Type.Object({
  prompt: Type.String({ minLength: 1, maxLength: 32_000, description: "a string of 1 to 32,000 characters" }),
  model: optional(text),
  n: optional(count(1, 10)),
  size: optional(
    Type.String({
      pattern: "^(auto|[1-9][0-9]{1,4}x[1-9][0-9]{1,4})$",
      description: "'auto' or a size such as '1024x1536'",
    }),
  ),
  quality: optional(oneOf("low", "medium", "high", "auto", "standard", "hd")),
  background: optional(oneOf("transparent", "opaque", "auto")),
  output_format: optional(oneOf("png", "jpeg", "webp")),
  output_compression: optional(count(0, 100)),
  moderation: optional(oneOf("auto", "low")),
  input_fidelity: optional(oneOf("low", "high")),
  partial_images: optional(count(0, 3)),
  response_format: optional(oneOf("b64_json", "url")),
  stream: optional(Type.Boolean({ description: "a boolean" })),
  images: optional(Type.Array(source, { maxItems: 16, description: "an array of at most 16 images" })),
  mask: optional(source),
})

/** Throws `invalid-request` naming the first member of the wrong type or value. Nulls must have been removed. */
export const checkImagesBody = makeBodyCheck(imagesSchema)
