/** What passes between the transport, which owns an upstream's WebSocket, and the dialect, which knows what is said on it. */

import type { JsonObject } from "./json.ts"

/** A turn on its way out. `text` is `body` as JSON; `metadata` joins the body. */
export type TurnText = {
  readonly body: JsonObject
  readonly text: string
  readonly metadata: Readonly<Record<string, string>>
}

/** A frame that came in; `sse` is the server-sent event it would be over HTTP. */
export type HeardFrame =
  /** About the account or the connection; `headers` (lower-case names) are what HTTP says in front of an answer. */
  | { readonly type: "aside"; readonly sse: string; readonly headers: Readonly<Record<string, string>> }
  | { readonly type: "event"; readonly sse: string }
  /** The turn's last frame. Only after one that ended well may the socket serve another turn. */
  | { readonly type: "end"; readonly sse: string; readonly isWell: boolean }
  /** The turn is refused, as HTTP would with this status, these headers and this JSON body. */
  | {
      readonly type: "refusal"
      readonly sse: string
      readonly status: number
      readonly headers: Readonly<Record<string, string>>
      readonly body: string
      /** Refused is how it was asked, not what: nothing was generated, and a new socket and the whole request will do. */
      readonly isStale: boolean
    }
  /** Not a frame of this turn: nobody can tell whose answers come next. */
  | { readonly type: "doubt" }

/** Speaks on one socket and remembers what its server has in context. */
export type SocketSpeaker = {
  /** Begins a turn and returns the frame that asks for it. */
  readonly ask: (turn: TurnText) => string
  readonly hear: (text: string) => HeardFrame
}
