/** Lane 3: joins an upstream dialect's decoder with a client dialect's folder. */

import { makeAnswerTracker } from "./answer-tracker.ts"
import type { AnswerEncoding, Collector, DecoderParts, ReplyContext, UpstreamProtocol } from "./protocol.ts"

/** The two dialects, what the answer needs from its request, and what the decoder needs besides its sink. */
export type CollectParts = Omit<DecoderParts, "emit"> & {
  readonly upstream: Pick<UpstreamProtocol, "makeDecoder">
  readonly context: ReplyContext
  readonly client: Pick<AnswerEncoding, "makeFolder">
}

/** Makes a collector for one answer. */
export function makeTranscodeCollector(parts: CollectParts): Collector {
  const { upstream, client, context, ...decoderParts } = parts
  const folder = client.makeFolder(context)
  const tracker = makeAnswerTracker()
  const decoder = upstream.makeDecoder({
    ...decoderParts,
    emit: event => {
      folder.add(event)
      tracker.see(event)
    },
  })
  return {
    feed: decoder.feed,
    finish: () => {
      if (!tracker.state().finished) decoder.end()
      return folder.finish()
    },
    state: tracker.state,
  }
}
