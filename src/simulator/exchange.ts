/** One request on its way through an endpoint, and the form of an endpoint. */

import type { Json } from "#core/json.ts"

import type { SocketSession } from "./socket/wire.ts"
import type { World } from "./world.ts"

/** What an endpoint gets. `record` notes whose request it is. */
export type Exchange = {
  readonly world: World
  readonly request: Request
  readonly url: URL
  readonly record: (facts: { readonly account?: string; readonly body?: Json }) => void
  /** Turns the connection into a WebSocket; false when it cannot be. */
  readonly upgrade: (session: SocketSession) => boolean
}

/** A response, or word that the connection is a WebSocket now. */
export type Answered = Response | "upgraded"

/** Answers one request. */
export type Endpoint = (exchange: Exchange) => Promise<Answered> | Answered
