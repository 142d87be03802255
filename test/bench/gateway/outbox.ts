/** Writes to a socket that may take only a part: what is left goes when it drains, in order. */

import { Buffer } from "node:buffer"

/** The part of a Bun socket that is used. */
export type WritableSocket = { readonly write: (bytes: Uint8Array) => number }

/** One for each socket. */
export type Outbox = {
  /** `bytes` may be reused after the call. */
  readonly write: (bytes: Buffer) => void
  /** Call it when the socket drains. */
  readonly drain: () => void
}

/** Makes an outbox. A socket that is gone takes nothing more, which its owner hears of elsewhere. */
export function makeOutbox(socket: WritableSocket): Outbox {
  let waiting: Buffer[] = []
  const send = (bytes: Buffer, copy: boolean) => {
    const sent = Math.max(0, socket.write(bytes))
    if (sent === bytes.length) return true
    const left = bytes.subarray(sent)
    waiting.unshift(copy ? Buffer.from(left) : left)
    return false
  }
  return {
    write: bytes => {
      if (waiting.length > 0) waiting.push(Buffer.from(bytes))
      else send(bytes, true)
    },
    drain: () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) if (!send(next, false)) return
      waiting = []
    },
  }
}
