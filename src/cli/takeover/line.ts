/** A line between two processes of this machine: JSON messages over a unix socket. */

import type { Socket } from "bun"

import { encodeMessage } from "./messages.ts"

/** One end of the line. */
export type Line = {
  readonly send: (message: object) => void
  /** Hangs up once everything has been sent. */
  readonly end: () => void
}

/** Who listens to an end. */
export type LineListener = {
  /** Called with each line, without its end. */
  readonly heard: (line: string) => void
  /** Called once, whoever has hung up. */
  readonly closed: () => void
}

/** What hangs on a socket. */
export type LineData = { end: LineEnd | undefined }

type LineEnd = Line & {
  readonly read: (chunk: Uint8Array) => void
  readonly flush: () => void
  readonly closed: () => void
}

/** Handlers for `Bun.listen` and `Bun.connect`; `opened` is called for each new line. */
export function lineHandlers(opened: (line: Line) => LineListener) {
  return {
    open: (socket: Socket<LineData>) => {
      let listener: LineListener | undefined
      const end = makeLineEnd(socket, () => listener)
      socket.data = { end }
      listener = opened(end)
    },
    data: (socket: Socket<LineData>, chunk: Uint8Array) => socket.data.end?.read(chunk),
    drain: (socket: Socket<LineData>) => socket.data.end?.flush(),
    close: (socket: Socket<LineData>) => socket.data.end?.closed(),
    // A close follows.
    error: () => {},
  }
}

const NEW_LINE = 0x0a

function makeLineEnd(socket: Socket<LineData>, listener: () => LineListener | undefined): LineEnd {
  let unread: Uint8Array[] = []
  const unsent: Uint8Array[] = []
  let isEnding = false
  let isClosed = false

  function flush(): void {
    for (let first = unsent[0]; first !== undefined; first = unsent[0]) {
      const sent = socket.write(first)
      // Negative: the other end is gone, which `closed` tells.
      if (sent < first.length) {
        if (sent > 0) unsent[0] = first.subarray(sent)
        return
      }
      unsent.shift()
    }
    if (isEnding) socket.end()
  }

  return {
    send: message => {
      if (isClosed || isEnding) return
      unsent.push(Buffer.from(encodeMessage(message)))
      if (unsent.length === 1) flush()
    },
    end: () => {
      isEnding = true
      if (unsent.length === 0) socket.end()
    },
    flush,
    read: chunk => {
      // The socket's buffer is used again.
      let rest: Uint8Array = Uint8Array.from(chunk)
      for (let at = rest.indexOf(NEW_LINE); at >= 0; at = rest.indexOf(NEW_LINE)) {
        const line = Buffer.concat([...unread, rest.subarray(0, at)]).toString("utf8")
        unread = []
        rest = rest.subarray(at + 1)
        listener()?.heard(line)
      }
      if (rest.length > 0) unread.push(rest)
    },
    closed: () => {
      if (isClosed) return
      isClosed = true
      listener()?.closed()
    },
  }
}
