/** Whether pictures are wanted, and how they are to look: the upstream's image tool. */

import type { JsonObject, MutableJsonObject } from "#core/json.ts"
import type { ToolDefinition } from "#core/request.ts"

import { objectMember, stringMember } from "./members.ts"
import { responseFormats } from "./response-formats.ts"
import { modalitiesOf } from "./served-body.ts"

/** The vendor's models that draw. */
const IMAGE_MODEL = /^gemini-.*image/i

/** Numbers as the vendor's enum spells them: `ASPECT_RATIO_SIXTEEN_BY_NINE`. */
const WORDS: ReadonlyMap<string, number> = new Map([
  ["one", 1],
  ["two", 2],
  ["three", 3],
  ["four", 4],
  ["five", 5],
  ["eight", 8],
  ["nine", 9],
  ["sixteen", 16],
  ["twenty_one", 21],
])

/** The upstream's three shapes with the ratio from which on a picture is nearer to the next one. */
const SHAPES: readonly (readonly [upToRatio: number, size: string])[] = [
  [Math.sqrt(2 / 3), "1024x1536"],
  [Math.sqrt(3 / 2), "1024x1024"],
  [Number.POSITIVE_INFINITY, "1536x1024"],
]

const FORMATS: ReadonlySet<string> = new Set(["png", "jpeg", "webp"])

/** Returns the tool; undefined when no picture is asked for. */
export function imageToolOf(body: JsonObject, model: string): ToolDefinition | undefined {
  const config = objectMember(body, "generationConfig") ?? {}
  const { image } = responseFormats(config)
  const isWanted = image !== undefined || modalitiesOf(body).includes("IMAGE") || IMAGE_MODEL.test(model)
  if (!isWanted) return undefined
  const look = objectMember(config, "imageConfig") ?? {}
  const options: MutableJsonObject = {}
  const size = sizeOf(stringMember(image ?? {}, "aspectRatio") ?? stringMember(look, "aspectRatio") ?? "")
  const format = formatOf(stringMember(image ?? {}, "mimeType") ?? stringMember(look, "outputMimeType") ?? "")
  if (size !== undefined) options["size"] = size
  if (format !== undefined) options["output_format"] = format
  return { type: "image-generation", options }
}

/** The upstream knows no other sizes: the shape counts, and `imageSize` says nothing it could follow. */
function sizeOf(aspectRatio: string): string | undefined {
  const [width, height] = aspectRatio
    .toLowerCase()
    .replace("aspect_ratio_", "")
    .split(/:|_by_/)
    .map(side => WORDS.get(side) ?? Number(side))
  if (!(width !== undefined && width > 0 && height !== undefined && height > 0)) return undefined
  return SHAPES.find(([upToRatio]) => width / height <= upToRatio)?.[1]
}

function formatOf(mimeType: string): string | undefined {
  const format = mimeType
    .toLowerCase()
    .replace(/^image[/_]/, "")
    .replace("jpg", "jpeg")
  return FORMATS.has(format) ? format : undefined
}
