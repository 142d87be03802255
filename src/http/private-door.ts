/** A door for this process alone: a socket in the file system, at which other threads ask for what they do not do themselves. */

import { chmodSync } from "node:fs"

import type { Surface } from "./server.ts"
import type { SocketData } from "./sockets/responses-sockets.ts"

/** What is behind the door. */
export type PrivateDoorParts = {
  /** At most about 100 characters; nothing must lie there. */
  readonly path: string
  /** Told of every request before it is served. */
  readonly greet: (request: Request) => void
}

/** Opens the door to this user only. */
export function openPrivateDoor({ first, sockets }: Surface, { path, greet }: PrivateDoorParts) {
  const server = Bun.serve<SocketData>({
    unix: path,
    // Bodies are measured by us, so that the refusal speaks the client's dialect.
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    development: false,
    fetch: (request, at) => {
      // An answer may be silent for minutes.
      at.timeout(request, 0)
      greet(request)
      const upgraded = sockets.upgrade(request, at)
      return upgraded === "upgraded" ? undefined : (upgraded ?? first(request))
    },
    websocket: sockets.handler,
  })
  chmodSync(path, 0o600)
  return server
}
