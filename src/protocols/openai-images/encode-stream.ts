/** Turns neutral events into the stream of a picture: how it looks on its way, and the picture. */

import { openAiErrorOf } from "#protocols/openai-error.ts"
import type { ReplyContext, StreamEncoder } from "#protocols/protocol.ts"
import { SSE_KEEP_ALIVE_COMMENT } from "#wire/sse-writer.ts"

import { lookText } from "./picture-text.ts"
import { makePictureSteps, type Picture } from "./pictures.ts"

/** Makes an encoder for one answer. There is no `[DONE]` in this dialect. */
export function makeImagesEncoder(context: ReplyContext): StreamEncoder {
  const kind = context.reply.image?.operation === "edit" ? "image_edit" : "image_generation"
  let out = ""
  const write = (type: string, members: string) => {
    out += `event: ${type}\ndata: {"type":"${type}",${members}}\n\n`
  }
  const step = makePictureSteps(context, {
    partial: (picture, index, createdAtSec) =>
      write(`${kind}.partial_image`, `${membersOf(picture, createdAtSec)},"partial_image_index":${index}`),
    finish: ({ pictures, createdAtSec, usage }) => {
      const counts = usage === undefined ? "" : `,"usage":${JSON.stringify(usage)}`
      for (const picture of pictures) write(`${kind}.completed`, `${membersOf(picture, createdAtSec)}${counts}`)
    },
    error: error => write("error", `"error":${JSON.stringify(openAiErrorOf(error, context.requestId))}`),
  })
  return {
    encode: event => {
      out = ""
      step(event)
      return out
    },
    keepAlive: () => SSE_KEEP_ALIVE_COMMENT,
  }
}

function membersOf(picture: Picture, createdAtSec: number): string {
  return `"b64_json":${picture.base64},"created_at":${createdAtSec},${lookText(picture)}`
}
