/** Lane 1 for clients that do not stream: the response object of the same terminal event. */

import { GatewayError } from "#core/errors.ts"
import type { Collector, ReplyContext } from "#protocols/protocol.ts"
import { byteTextOf } from "#wire/bytes.ts"

import { makeRelayEngine, type RelayParts } from "./relay/relay-engine.ts"

/** Makes a collector for one answer. It runs the relay itself, so that the body is the streamed terminal response. */
export function makeResponsesCollector(context: ReplyContext, parts: RelayParts): Collector {
  const engine = makeRelayEngine(context, parts)
  return {
    feed: chunk => {
      engine.push(byteTextOf(chunk))
    },
    finish: () => {
      if (!engine.state().finished) engine.end()
      const { error } = engine.state()
      if (error !== undefined) throw error
      const response = engine.response()
      if (response === undefined) throw new GatewayError("internal", "A finished answer has no response.")
      return response
    },
    state: engine.state,
  }
}
