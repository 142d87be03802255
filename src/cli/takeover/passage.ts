/** What becomes of requests that still reach a process which is being replaced, or was. */

import type { Config } from "#config/config.ts"
import { systemClock, systemTimers } from "#core/clock.ts"
import { passToSuccessor, servePassedOn } from "#http/pass-on.ts"
import type { Diversion, RunningServer } from "#http/server.ts"

import { untilDeserted } from "./desertion.ts"
import { bindPrivately, PASS_SOCKET, type SocketPlace, socketPlace } from "./socket-place.ts"
import type { Tenure } from "./tenure.ts"

/** The way to the next process. */
export type Passage = {
  readonly divert: Diversion
  /** Resolves with what is left of the time of grace, when no client uses this process for new requests any more. */
  readonly deserted: (server: Pick<RunningServer, "pending">) => Promise<number>
  readonly close: () => void
}

/** They keep their state in memory, where it is told from; everything else that is posted may write to the data folder. */
const MODEL_CALL = /\/(responses|completions|messages|compact|count_tokens|embeddings|generations|edits)\/?$|:\w+$/

/** Makes it; nothing is opened before the first request has to go that way. */
export function makePassage(config: () => Config, tenure: Pick<Tenure, "phase" | "settled" | "isAlone">): Passage {
  let place: SocketPlace | undefined
  let lastRequestAtMs = 0
  const pass = (request: Request, peer: string | undefined): Promise<Response> => {
    lastRequestAtMs = systemClock()
    place ??= socketPlace(config().dataDir, PASS_SOCKET)
    return passToSuccessor(request, { unix: place.path, peer })
  }
  return {
    divert: (request, peer, serve) => {
      const phase = tenure.phase()
      if (phase === "ours") return undefined
      if (phase === "theirs") return pass(request, peer)
      if (!mayWrite(request)) return undefined
      return tenure.settled().then(() => (tenure.phase() === "theirs" ? pass(request, peer) : serve(request)))
    },
    deserted: async server => {
      const graceMs = config().shutdownTimeoutMs
      if (tenure.phase() !== "theirs") return graceMs
      const startedAtMs = systemClock()
      const { isAlone } = tenure
      const parts = {
        clock: systemClock,
        timers: systemTimers,
        graceMs,
        isAlone,
        lastRequestAtMs: () => lastRequestAtMs,
      }
      await untilDeserted(server, parts)
      return Math.max(0, startedAtMs + graceMs - systemClock())
    },
    close: () => place?.close(),
  }
}

function mayWrite({ method, url }: Request): boolean {
  if (method === "GET" || method === "HEAD" || method === "OPTIONS") return false
  return method !== "POST" || !MODEL_CALL.test(new URL(url).pathname)
}

/** Answers what the process before passes on; the returned function ends that, and never rejects. */
export function answerPassedOn(dataDir: string, serve: RunningServer["serve"]): () => Promise<void> {
  const place = socketPlace(dataDir, PASS_SOCKET)
  const stop = bindPrivately(place, unix => servePassedOn(unix, serve))
  return async () => {
    await stop()
    place.close()
  }
}
