/** The body of a request on its way to the owner: whole with the request where it is small, in pieces where it is not. */

import type { Timers } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"
import { readRawBytes } from "#http/read-body.ts"
import { freezeError } from "#relay/frozen-error.ts"
import type { CarriedBody, Post, RelaySettings, RequestMessage } from "#relay/messages.ts"

/** A larger body is not read before the owner has admitted its client. */
const WHOLE_BYTES = 1024 * 1024

/** Reads a small body, and says of a larger one that it follows. Never rejects. */
export async function readCarriedBody(
  request: Request,
  { bodyTimeoutMs, maxBodyBytes }: RelaySettings,
  timers: Timers,
): Promise<CarriedBody> {
  if (request.body === null) return { type: "whole", bytes: new Uint8Array(0) }
  const stated = Number(request.headers.get("content-length") ?? Number.NaN)
  // What is too large is refused by what it states, before it is read.
  if (!(stated <= Math.min(WHOLE_BYTES, maxBodyBytes))) return { type: "follows" }
  try {
    const bytes = await readRawBytes(request, { maxBytes: WHOLE_BYTES, timeoutMs: bodyTimeoutMs, timers })
    return { type: "whole", bytes }
  } catch (cause) {
    return { type: "failed", error: freezeError(cause) }
  }
}

/** Sends the pieces of a body as they come; the returned function ends that. */
export function sendPieces(id: number, request: Request, post: Post<RequestMessage>): () => void {
  const reader = request.body?.getReader()
  let isEnough = false
  const pump = async () => {
    for (;;) {
      const piece = await reader?.read()
      if (isEnough) return
      if (piece === undefined || piece.done) return post({ type: "piece", id })
      const bytes = piece.value.slice()
      post({ type: "piece", id, bytes }, [bytes.buffer])
    }
  }
  pump().catch(cause => {
    const gone = new GatewayError("cancelled", "The client went away while sending its body.", { cause })
    if (!isEnough) post({ type: "piece", id, error: freezeError(gone) })
  })
  return () => {
    isEnough = true
    reader?.cancel().catch(() => {
      // The client is gone, or has sent everything.
    })
  }
}
