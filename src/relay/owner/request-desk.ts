/** Serves what one relay thread asks for: each message becomes a request to the same routes that a port would call. */

import { GatewayError } from "#core/errors.ts"
import type { Carrier } from "#gateway/turn/carrier.ts"
import { thawError } from "#relay/frozen-error.ts"
import {
  type CarriedBody,
  listHeaders,
  type Post,
  type RequestMessage,
  type RequestOrder,
  readHeaders,
} from "#relay/messages.ts"

import { CarriedCall } from "./carried-call.ts"

/** Who a request is from that came by message. */
export type Guest = { readonly peer: string | undefined; readonly carrier?: Carrier }

/** What the desk is made of. */
export type RequestDeskParts = {
  readonly post: Post<RequestOrder>
  readonly serve: (request: Request) => Promise<Response>
  /** Told whose a request is, before it is served. */
  readonly introduce: (request: Request, guest: Guest) => void
  readonly isReadableByPages: (request: Request) => boolean
}

/** The desk. */
export type RequestDesk = {
  readonly hear: (message: RequestMessage) => void
  /** Ends everything: the relay has ended. */
  readonly lose: () => void
  /** Requests under way. */
  readonly size: () => number
}

type Entry = { readonly abort: AbortController; readonly call: CarriedCall; readonly body: BodyFeed }

/** Makes the desk of one relay. */
export function makeRequestDesk(parts: RequestDeskParts): RequestDesk {
  const { post } = parts
  const entries = new Map<number, Entry>()

  const open = (message: Extract<RequestMessage, { type: "request" }>) => {
    const { id, method, url } = message
    const abort = new AbortController()
    const body = feedOf(message.body, () => post({ type: "enough", id }))
    const request = new Request(url, {
      method,
      headers: readHeaders(message.headers),
      body: body.body,
      signal: abort.signal,
    })
    const call = new CarriedCall({ id, post, crossOrigin: () => parts.isReadableByPages(request) })
    entries.set(id, { abort, call, body })
    parts.introduce(request, { peer: message.peer, carrier: call })
    answer(request, id, call).catch(cause => {
      // The routes turn every failure into an answer: what gets here is a bug, and the client must not wait for it.
      entries.delete(id)
      post({ type: "answer", id, status: 500, headers: [], body: new Uint8Array(0) })
      throw cause
    })
  }

  const answer = async (request: Request, id: number, call: CarriedCall) => {
    const response = await parts.serve(request)
    if (call.isServed) await call.ended
    else {
      const body = new Uint8Array(await response.arrayBuffer())
      const headers = listHeaders(response.headers)
      post({ type: "answer", id, status: response.status, headers, body }, [body.buffer])
    }
    entries.delete(id)
  }

  return {
    hear: message => {
      if (message.type === "request") return open(message)
      const entry = entries.get(message.id)
      if (entry === undefined) return
      if (message.type === "gone") entry.abort.abort()
      else if (message.type === "piece") entry.body.feed(message)
      else entry.call.hear(message)
    },
    lose: () => {
      const error = relayEnded()
      for (const { abort, call } of entries.values()) {
        call.lose(error)
        abort.abort(error)
      }
    },
    size: () => entries.size,
  }
}

/** How a request ends whose relay is gone; its client is gone with it. */
function relayEnded(): GatewayError {
  return new GatewayError("internal", "The thread that carried the request has ended.", { code: "relay_ended" })
}

type Piece = Extract<RequestMessage, { type: "piece" }>
type BodyFeed = { readonly body: BodyInit | null; readonly feed: (piece: Piece) => void }

function feedOf(carried: CarriedBody, enough: () => void): BodyFeed {
  if (carried.type === "whole") return { body: carried.bytes.byteLength === 0 ? null : carried.bytes, feed: () => {} }
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined
  let isOver = false
  const feed = ({ bytes, error }: Pick<Piece, "bytes" | "error">) => {
    if (isOver) return
    if (bytes !== undefined) return controller?.enqueue(bytes)
    isOver = true
    if (error === undefined) controller?.close()
    else controller?.error(thawError(error))
  }
  const body = new ReadableStream<Uint8Array>({
    start: started => {
      controller = started
      if (carried.type === "failed") feed({ error: carried.error })
    },
    cancel: () => {
      isOver = true
      enough()
    },
  })
  return { body, feed }
}
