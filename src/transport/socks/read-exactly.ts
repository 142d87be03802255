/** Reads a stated number of bytes from a socket and leaves what follows in it. */

import { once } from "node:events"
import type { Socket } from "node:net"

import { SocksFailure } from "./failure.ts"

/**
 * Returns the next `count` bytes. Throws `socks_not_spoken` when the peer ends or resets before; rejects with the signal's
 * reason once that is aborted. Nobody else may be reading from the socket.
 */
export async function readExactly(socket: Socket, count: number, signal: AbortSignal): Promise<Uint8Array> {
  for (;;) {
    const chunk: Buffer | null = socket.read(count)
    if (chunk?.length === count) return chunk
    if (chunk !== null || socket.readableEnded || socket.destroyed) throw new SocksFailure("socks_not_spoken")
    await moreFrom(socket, signal)
  }
}

/** Resolves when there is something to read, or an end to see. */
async function moreFrom(socket: Socket, signal: AbortSignal): Promise<void> {
  const stop = new AbortController()
  const either = AbortSignal.any([stop.signal, signal])
  try {
    await Promise.race(["readable", "end", "close"].map(event => once(socket, event, { signal: either })))
  } catch {
    signal.throwIfAborted()
    // What is left is the socket's own error, a reset: the proxy hung up in the middle of the handshake.
    throw new SocksFailure("socks_not_spoken")
  } finally {
    stop.abort()
  }
}
