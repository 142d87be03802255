/** Lane 2: joins an upstream dialect's decoder with a client dialect's encoder. */

import { encodeUtf8 } from "#wire/bytes.ts"

import { makeAnswerTracker } from "./answer-tracker.ts"
import type { AnswerEncoding, DecoderParts, ReplyContext, StreamPipe, UpstreamProtocol } from "./protocol.ts"

/** The two dialects, what the answer needs from its request, and what the decoder needs besides its sink. */
export type TranscodeParts = Omit<DecoderParts, "emit"> & {
  readonly upstream: Pick<UpstreamProtocol, "makeDecoder">
  readonly context: ReplyContext
  readonly client: Pick<AnswerEncoding, "makeEncoder">
}

/** Makes a pipe for one answer. All the events of one chunk leave as one buffer. */
export function makeTranscodePipe(parts: TranscodeParts): StreamPipe {
  const { upstream, client, context, ...decoderParts } = parts
  const encoder = client.makeEncoder(context)
  const tracker = makeAnswerTracker()
  let out = ""
  const decoder = upstream.makeDecoder({
    ...decoderParts,
    emit: event => {
      out += encoder.encode(event)
      // Not before it is written: an encoder that throws has not ended the answer.
      tracker.see(event)
    },
  })
  const take = () => {
    const bytes = encodeUtf8(out)
    out = ""
    return bytes
  }
  return {
    feed: chunk => {
      decoder.feed(chunk)
      return take()
    },
    end: () => {
      decoder.end()
      return take()
    },
    fail: error => {
      if (!tracker.state().finished) {
        tracker.see({ type: "error", error })
        out += encoder.encode({ type: "error", error })
      }
      return take()
    },
    keepAlive: () => encodeUtf8(tracker.state().finished ? "" : encoder.keepAlive()),
    state: tracker.state,
  }
}
