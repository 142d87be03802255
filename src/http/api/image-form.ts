/** A form with pictures → the JSON body that says the same: files become data URLs, numbers and flags get their types. */

import { GatewayError } from "#core/errors.ts"
import type { Json, JsonObject, MutableJsonObject } from "#core/json.ts"

const NUMBERS: ReadonlySet<string> = new Set(["n", "output_compression", "partial_images"])
const FLAGS: ReadonlySet<string> = new Set(["stream"])

/** True for the content type of a form with files. */
export function isForm(contentType: string): boolean {
  return /^\s*multipart\/form-data\b/i.test(contentType)
}

/** Returns the form as a JSON body. Throws `invalid-request` for what is no form, or no picture where one is due. */
export async function readImageForm(bytes: Uint8Array<ArrayBuffer>, contentType: string): Promise<JsonObject> {
  const body: MutableJsonObject = {}
  const images: Json[] = []
  for (const [name, value] of await readForm(bytes, contentType)) {
    if (name === "image" || name === "image[]" || /^image\[\d+\]$/.test(name)) images.push(await sourceOf(name, value))
    else if (name === "mask") body["mask"] = await sourceOf(name, value)
    else if (typeof value === "string") body[name] = fieldOf(name, value)
  }
  return images.length === 0 ? body : { ...body, images }
}

async function readForm(bytes: Uint8Array<ArrayBuffer>, contentType: string) {
  try {
    return await new Response(bytes, { headers: { "content-type": contentType } }).formData()
  } catch (cause) {
    throw new GatewayError("invalid-request", "The request body is not a valid multipart form.", {
      code: "invalid_form",
      cause,
    })
  }
}

/** Forms know text only. What is no number stays text, so that the dialect names it as the wrong type. */
function fieldOf(name: string, value: string): Json {
  if (FLAGS.has(name) && (value === "true" || value === "false")) return value === "true"
  return NUMBERS.has(name) && value.trim() !== "" && Number.isFinite(Number(value)) ? Number(value) : value
}

/** Some clients send a data or web URL where others send the file. */
async function sourceOf(name: string, value: FormDataEntryValue): Promise<JsonObject> {
  if (typeof value === "string") return { image_url: value }
  const bytes = new Uint8Array(await value.arrayBuffer())
  const type = sniff(bytes)
  if (type === undefined) {
    throw new GatewayError("invalid-request", `'${name}' is no picture of a known format (png, jpeg, webp, gif).`, {
      code: "invalid_image",
      param: name,
    })
  }
  return { image_url: `data:${type};base64,${bytes.toBase64()}` }
}

type Signature = { readonly at: number; readonly bytes: readonly number[]; readonly type: string }

/** First bytes of the formats. WebP has its name behind the length of its container. */
const SIGNATURES: readonly Signature[] = [
  { at: 0, bytes: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a], type: "image/png" },
  { at: 0, bytes: [0xff, 0xd8, 0xff], type: "image/jpeg" },
  { at: 8, bytes: [0x57, 0x45, 0x42, 0x50], type: "image/webp" },
  { at: 0, bytes: [0x47, 0x49, 0x46, 0x38], type: "image/gif" },
]

/** The stated type is often missing or wrong; the bytes are not. */
function sniff(picture: Uint8Array): string | undefined {
  return SIGNATURES.find(({ at, bytes }) => bytes.every((byte, index) => picture[at + index] === byte))?.type
}
