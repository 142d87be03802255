/** Lets a bounded number of requests through one way out at a time; the others wait in their order. */

import { GatewayError } from "#core/errors.ts"
import type { SendUpstream, UpstreamReply } from "#core/upstream.ts"

/** A gate in front of one way out. */
export type Gate = {
  /** Waits for its turn, sends, and counts the request until its answer has ended. Rejects with the signal's reason. */
  readonly pass: SendUpstream
  /** 0 = no limit. Requests that are under way stay. */
  readonly setMax: (maxConcurrent: number) => void
}

/** Makes a gate without a limit. */
export function makeGate(send: SendUpstream): Gate {
  const waiting: (() => void)[] = []
  let max = 0
  let inside = 0

  const admit = (): void => {
    while (waiting.length > 0 && (max === 0 || inside < max)) {
      inside += 1
      waiting.shift()?.()
    }
  }
  const leave = (): void => {
    inside -= 1
    admit()
  }

  function enter(signal: AbortSignal): Promise<void> {
    if (inside < max) {
      inside += 1
      return Promise.resolve()
    }
    return new Promise((resolve, reject) => {
      const begin = (): void => {
        signal.removeEventListener("abort", giveUp)
        resolve()
      }
      const giveUp = (): void => {
        const at = waiting.indexOf(begin)
        if (at >= 0) waiting.splice(at, 1)
        reject(reasonOf(signal))
      }
      if (signal.aborted) return reject(reasonOf(signal))
      signal.addEventListener("abort", giveUp, { once: true })
      waiting.push(begin)
    })
  }

  return {
    pass: async (request, signal) => {
      // The usual case costs nothing: an answer's body is passed on as it is.
      if (max === 0) return send(request, signal)
      await enter(signal)
      try {
        return untilEnded(await send(request, signal), leave)
      } catch (cause) {
        leave()
        throw cause
      }
    },
    setMax: maxConcurrent => {
      max = maxConcurrent
      admit()
    },
  }
}

/** Whoever aborts with a reason of the catalogue is quoted; the gateway's own deadlines are such. */
function reasonOf({ reason }: AbortSignal): GatewayError {
  return reason instanceof GatewayError ? reason : new GatewayError("cancelled", "The client went away.")
}

/** The reply, and `ended` called once when its body is over, broken, or not wanted any more. */
function untilEnded(reply: UpstreamReply, ended: () => void): UpstreamReply {
  if (reply.body === undefined) {
    ended()
    return reply
  }
  const reader = reply.body.getReader()
  let isOver = false
  const end = (): void => {
    if (isOver) return
    isOver = true
    ended()
  }
  const body = new ReadableStream<Uint8Array>(
    {
      pull: async controller => {
        try {
          const { done, value } = await reader.read()
          if (!done) return controller.enqueue(value)
          end()
          controller.close()
        } catch (cause) {
          end()
          controller.error(cause)
        }
      },
      cancel: reason => {
        end()
        return reader.cancel(reason)
      },
    },
    { highWaterMark: 0 },
  )
  return { ...reply, body }
}
