/** Hosted image generation: partial images, the final one, and the empty message behind it. */

import { arrayAt, isJsonObject, type JsonObject, stringAt } from "#core/json.ts"
import type { Answer } from "#simulator/answers/answer.ts"

import { writeMessage } from "./text.ts"

/** A valid PNG of one transparent pixel (https://www.w3.org/TR/png-3/). */
export const TINY_PNG_BASE64 =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="

/** Writes one image item with `partials` partial images. */
function writeImage(answer: Answer, partials: number): void {
  const id = answer.context.ids.item("ig")
  const index = answer.addItem({ id, type: "image_generation_call", status: "in_progress" })
  const place = { output_index: index, item_id: id }
  const look = { size: "1024x1024", quality: "low", background: "opaque", output_format: imageFormat(answer) }
  answer.emit("response.image_generation_call.in_progress", place)
  answer.emit("response.image_generation_call.generating", place)
  for (let partial = 0; partial < partials; partial += 1) {
    const image = { partial_image_index: partial, partial_image_b64: TINY_PNG_BASE64 }
    answer.emit("response.image_generation_call.partial_image", { ...place, ...image, ...look })
  }
  answer.emit("response.image_generation_call.completed", place)
  const result = { result: TINY_PNG_BASE64, revised_prompt: "A single simulated pixel." }
  answer.countTool("image_gen", {
    input_tokens: 14,
    input_tokens_details: { image_tokens: 0, text_tokens: 14 },
    output_tokens: 272,
    total_tokens: 286,
  })
  answer.finishItem(index, { id, type: "image_generation_call", status: "completed", ...result, ...look })
}

/** The stream: an image, then a message that stays empty. */
export function streamImage(answer: Answer): void {
  answer.start()
  writeImage(answer, Math.min(answer.context.settings.partials, wantedPartials(answer)))
  writeMessage(answer, "")
  answer.complete()
}

/** Clients that state no number still get the scripted one: 0 to 3 is what the tool takes. */
function wantedPartials(answer: Answer): number {
  const wanted = imageTool(answer)?.["partial_images"]
  return typeof wanted === "number" ? wanted : 3
}

function imageFormat(answer: Answer): string {
  return stringAt(imageTool(answer) ?? {}, "output_format") ?? "png"
}

function imageTool(answer: Answer): JsonObject | undefined {
  const tools = (arrayAt(answer.context.body, "tools") ?? []).filter(isJsonObject)
  return tools.find(tool => tool["type"] === "image_generation")
}
