/** The answer of a request that does not stream: the same bytes, folded into one JSON body. */

import type { Clock, Timers } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"
import { readBodyError } from "#gateway/turn/body-error.ts"
import type { CommittedTurn } from "#gateway/turn/turn-types.ts"
import type { Collector } from "#protocols/protocol.ts"

import { drainTail } from "./drain-tail.ts"
import type { Heartbeat } from "./heartbeat.ts"

/** What collecting needs. */
export type CollectParts = {
  readonly clock: Clock
  readonly timers: Timers
  readonly heartbeat: Heartbeat
  readonly idleTimeoutMs: number
  /** Told the size of every chunk. */
  readonly heard: (bytes: number) => void
  readonly abort: AbortController
}

/** Reads the whole answer and returns its JSON body. Rejects with the `GatewayError` the client gets. */
export async function collectAnswer(turn: CommittedTurn, collector: Collector, parts: CollectParts): Promise<string> {
  let lastUpstreamMs = parts.clock()
  const stopBeats = parts.heartbeat.add(nowMs => {
    if (nowMs - lastUpstreamMs < parts.idleTimeoutMs) return
    parts.abort.abort(new GatewayError("timeout", "The upstream fell silent.", { code: "upstream_timeout" }))
  })
  try {
    for (const chunk of turn.chunks) {
      parts.heard(chunk.byteLength)
      collector.feed(chunk)
    }
    while (!collector.state().finished) {
      const { done, value } = await turn.reader.read()
      lastUpstreamMs = parts.clock()
      if (done) break
      parts.heard(value.byteLength)
      collector.feed(value)
    }
    const body = collector.finish()
    drainTail(turn.reader, parts.timers)
    return body
  } catch (cause) {
    throw readBodyError(cause, parts.abort.signal)
  } finally {
    stopBeats()
  }
}
