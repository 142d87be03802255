/** The two shapes of an answer: a message (`/api/chat`), or its members beside all others (`/api/generate`). */

import type { Clock } from "#core/clock.ts"
import type { ReplyContext } from "#protocols/protocol.ts"
import { preparePrefix } from "#wire/sse-writer.ts"

/** What stands around a text. */
export type OllamaShape = {
  /** Up to where the text's literal goes, `created_at` left open. */
  readonly open: string
  /** Closes what `open` has opened, after the members of the message. */
  readonly close: string
}

/** Returns the shape the request asks for. */
export function shapeOf({ reply }: ReplyContext): OllamaShape {
  if (reply.asCompletion === true) return { open: '"response":', close: "" }
  return { open: '"message":{"role":"assistant","content":', close: "}" }
}

/** Returns the function that makes the head of an object: model and time, with the comma after it. Time never goes back. */
export function makeHead({ model, clock }: Pick<ReplyContext, "model" | "clock">): () => string {
  const prefix = preparePrefix('{"model":', JSON.stringify(model), ',"created_at":"')
  const stamp = makeStamp(clock)
  return () => `${prefix}${stamp()}",`
}

/** Most lines come several a millisecond, and making a date costs more than all the rest of a line. */
function makeStamp(clock: Clock): () => string {
  let lastMs = Number.NEGATIVE_INFINITY
  let text = ""
  return () => {
    const nowMs = clock()
    if (nowMs > lastMs) {
      lastMs = nowMs
      text = new Date(nowMs).toISOString()
    }
    return text
  }
}
