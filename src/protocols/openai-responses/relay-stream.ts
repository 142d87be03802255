/** Lane 1: Responses in, Responses out, bytes untouched wherever they can be. */

import type { ReplyContext, StreamPipe } from "#protocols/protocol.ts"
import { bytesOfByteText, byteTextOf } from "#wire/bytes.ts"

import { makeRelayEngine, type RelayParts } from "./relay/relay-engine.ts"

/** Makes a pipe for one answer. A chunk of whole frames that need no change is returned as the very same object. */
export function makeResponsesRelay(context: ReplyContext, parts: RelayParts): StreamPipe {
  const engine = makeRelayEngine(context, parts)
  return {
    feed: chunk => {
      const text = byteTextOf(chunk)
      const out = engine.push(text)
      return out === text ? chunk : bytesOfByteText(out)
    },
    end: () => bytesOfByteText(engine.end()),
    fail: error => bytesOfByteText(engine.fail(error)),
    keepAlive: () => bytesOfByteText(engine.keepAlive()),
    state: engine.state,
  }
}
