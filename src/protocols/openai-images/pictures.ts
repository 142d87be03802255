/** The one state machine behind the stream of pictures and the whole answer, so that the two cannot disagree. */

import { assertNever } from "#core/assert-never.ts"
import { GatewayError } from "#core/errors.ts"
import type { ImageLook, StreamEvent } from "#core/events.ts"
import { type JsonObject, type JsonText, readJsonText } from "#core/json.ts"
import type { ReplyContext } from "#protocols/protocol.ts"

/** Most of the model's own words that is repeated in an error. */
const MAX_REASON_CHARACTERS = 1_000

/** A picture as the upstream drew it. */
export type Picture = { readonly base64: JsonText; readonly format: string; readonly look: ImageLook }

/** What comes of one answer. */
export type Pictures = {
  readonly createdAtSec: number
  readonly pictures: readonly Picture[]
  readonly usage: JsonObject | undefined
}

/** Who gets it. */
export type PicturesSink = {
  readonly partial: (picture: Picture, index: number, createdAtSec: number) => void
  /** At least one picture. */
  readonly finish: (pictures: Pictures) => void
  readonly error: (error: GatewayError) => void
}

/** Returns the function that takes the events of one answer. Whatever comes after the end is ignored. */
export function makePictureSteps(context: ReplyContext, sink: PicturesSink): (event: StreamEvent) => void {
  const pictures: Picture[] = []
  let createdAtSec = context.nowSec
  let usage: JsonObject | undefined
  let words = ""
  let isRefusal = false
  let ended = false
  const end = (act: () => void) => {
    ended = true
    act()
  }
  return event => {
    if (ended) return
    switch (event.type) {
      case "response-start":
        if (event.createdAtSec > 0) createdAtSec = event.createdAtSec
        return
      case "image-partial":
        sink.partial(pictureOf(event), event.index, createdAtSec)
        return
      case "image":
        pictures.push(pictureOf(event))
        return
      case "refusal-delta":
        isRefusal = true
        words += readJsonText(event.text)
        return
      case "text-delta":
        words += readJsonText(event.text)
        return
      case "usage":
        usage = event.imageUsage
        return
      case "error":
        end(() => sink.error(event.error))
        return
      case "finish":
        end(() => {
          if (pictures.length > 0) sink.finish({ createdAtSec, pictures, usage })
          else sink.error(noPicture(words, isRefusal || event.reason === "content-filter"))
        })
        return
      case "text-start":
      case "text-end":
      case "citation":
      case "reasoning-start":
      case "reasoning-delta":
      case "reasoning-end":
      case "tool-start":
      case "tool-delta":
      case "tool-end":
      case "native-item":
        return
      default:
        assertNever(event)
    }
  }
}

function pictureOf({ base64, format, look }: Extract<StreamEvent, { type: "image" | "image-partial" }>): Picture {
  return { base64, format, look: look ?? {} }
}

/** What the model said instead of drawing is usually why. */
function noPicture(words: string, isRefusal: boolean): GatewayError {
  const reason = words.trim().slice(0, MAX_REASON_CHARACTERS)
  const message = reason === "" ? "The model drew nothing." : `The model drew nothing and said: ${reason}`
  if (isRefusal) return new GatewayError("invalid-request", message, { code: "moderation_blocked", param: "prompt" })
  return new GatewayError("upstream-protocol", message, { code: "image_generation_failed" })
}
