/** Remembers for a while where WebSockets do not work, so that not every turn finds out anew. */

import type { Clock } from "#core/clock.ts"

/** What is remembered, by account and way out. */
export type Detours = {
  /** False while a turn of this size should not even try. `login` is the token the handshake would present. */
  readonly isOpen: (key: string, login: string, frameCharacters: number) => boolean
  /** The handshake failed, with this HTTP status if one is known. */
  readonly refused: (key: string, login: string, status: number | undefined) => void
  /** A frame was too large for the upstream. */
  readonly tooLarge: (key: string, frameCharacters: number) => void
}

/** 426 says that there is no WebSocket; everything else may be over sooner. */
const UPGRADE_REQUIRED = 426
const NO_SOCKETS_MS = 30 * 60_000
const FAILED_HANDSHAKE_MS = 60_000
const TOO_LARGE_MS = 30 * 60_000
/** Upstreams close at 16 MiB; other gateways report 15 to 16 (codex-lb, opencode). */
const MAX_FRAME_CHARACTERS = 15 * 1024 * 1024
/** Entries kept; more accounts than this are not refused at a time. */
const MAX_ENTRIES = 10_000

type Closed = { readonly login: string; readonly untilMs: number }
type Limit = { readonly characters: number; readonly untilMs: number }

/** Makes an empty memory. */
export function makeDetours({ clock }: { readonly clock: Clock }): Detours {
  const closed = new Map<string, Closed>()
  const limits = new Map<string, Limit>()
  const limitOf = (key: string) => {
    const limit = limits.get(key)
    return limit === undefined || clock() >= limit.untilMs ? MAX_FRAME_CHARACTERS : limit.characters
  }
  return {
    isOpen: (key, login, frameCharacters) => {
      const entry = closed.get(key)
      // Another token may be welcome where the last one was not.
      const isClosed = entry !== undefined && entry.login === login && clock() < entry.untilMs
      return !isClosed && frameCharacters < limitOf(key)
    },
    refused: (key, login, status) => {
      const forMs = status === UPGRADE_REQUIRED ? NO_SOCKETS_MS : FAILED_HANDSHAKE_MS
      put(closed, key, { login, untilMs: clock() + forMs })
    },
    tooLarge: (key, frameCharacters) => {
      const characters = Math.min(frameCharacters, limitOf(key))
      put(limits, key, { characters, untilMs: clock() + TOO_LARGE_MS })
    },
  }
}

function put<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key)
  map.set(key, value)
  const oldest = map.size > MAX_ENTRIES ? map.keys().next().value : undefined
  if (oldest !== undefined) map.delete(oldest)
}
