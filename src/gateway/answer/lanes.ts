/** Picks how the bytes of an answer travel: relayed where both sides speak one dialect, transcoded otherwise. */

import type { ProtocolId } from "#core/ids.ts"
import type { AnswerEncoding, AnswerParts, Collector, ReplyContext, StreamPipe } from "#protocols/protocol.ts"
import { clientProtocols, upstreamProtocols } from "#protocols/registry.ts"
import { makeTranscodeCollector } from "#protocols/transcode-collector.ts"
import { makeTranscodePipe } from "#protocols/transcode-pipe.ts"

/** The one dialect upstreams speak so far. */
const upstream = upstreamProtocols["openai-responses"]

/** Opens the pipe of a streaming answer. */
export function openPipe(client: ProtocolId, context: ReplyContext, parts: AnswerParts): StreamPipe {
  if (client === upstream.id) return upstream.makeRelay(context, parts)
  return makeTranscodePipe({ upstream, client: encodingOf(client), context, ...parts })
}

/** Opens the collector of an answer that does not stream. */
export function openCollector(client: ProtocolId, context: ReplyContext, parts: AnswerParts): Collector {
  if (client === upstream.id) return upstream.makeRelayCollector(context, parts)
  return makeTranscodeCollector({ upstream, client: encodingOf(client), context, ...parts })
}

/** Opens a pipe for an answer that will only ever say that it failed. */
export function openFailurePipe(client: ProtocolId, context: ReplyContext): StreamPipe {
  return openPipe(client, context, {
    readFailure: failure => {
      throw new Error(`a failure pipe was fed: ${failure.code ?? "no code"}`)
    },
  })
}

/** How answers are written in a dialect. Throws for one whose answers are only ever relayed. */
export function encodingOf(client: ProtocolId): AnswerEncoding {
  const { encoding } = clientProtocols[client]
  if (encoding === undefined) throw new Error(`answers in ${client} can only be relayed`)
  return encoding
}
