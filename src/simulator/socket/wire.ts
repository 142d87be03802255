/** Where a socket of the simulator and the server under it meet. */

/** The server's side of a connection. */
export type Wire = {
  /** False when the frame waits in a buffer: {@link SocketSession.drained} is called once it is gone. */
  readonly send: (text: string) => boolean
  readonly close: (code: number, reason: string) => void
  /** Ends the connection without a close frame. */
  readonly terminate: () => void
}

/** What the server tells a socket. */
export type SocketSession = {
  readonly opened: (wire: Wire) => void
  readonly message: (data: string | Buffer) => void
  readonly drained: () => void
  readonly closed: () => void
}
