/** Images of a message: bare base64, or data URLs. */

import type { Json } from "#core/json.ts"
import type { ContentPart } from "#core/request.ts"
import { plainBase64, sniffMediaType } from "#protocols/base64-media.ts"
import { invalidRequest } from "#protocols/check-body.ts"

/** Reads a list of images; `place` names it. Throws `invalid-request` for what is no image. */
export function decodeImages(images: Json | undefined, place: string): readonly ContentPart[] {
  if (!Array.isArray(images)) return []
  return images.map((image, index) => decodeImage(image, `${place}[${index}]`))
}

function decodeImage(image: Json, param: string): ContentPart {
  if (typeof image === "string" && /^data:image\/[^,]+;base64,./i.test(image)) return { type: "image", url: image }
  const data = typeof image === "string" ? plainBase64(image) : undefined
  const type = data === undefined ? undefined : sniffMediaType(data)
  // The bytes decide: nothing else says what a bare text is.
  if (data !== undefined && type?.startsWith("image/")) return { type: "image", url: `data:${type};base64,${data}` }
  throw invalidRequest(`'${param}' is no base64 of a PNG, JPEG, GIF or WebP image.`, param, "invalid_image")
}
