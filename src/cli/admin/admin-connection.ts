/** The way to the operators' surface: over HTTP to a gateway that runs, or to one in this process. */

/** A request for the surface. `path` begins with `/api/admin`. */
export type AdminRequest = {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE"
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array<ArrayBuffer>
}

/** An answer once its head is in. */
export type AdminReply = {
  readonly status: number
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>> | null
  /** Undefined when it was not said. */
  readonly totalBytes?: number | undefined
}

/** How long silence may last: until the head of the answer, then between two pieces of it. Milliseconds. */
export type Patience = { readonly silenceMs: number }

/** A way that is open. */
export type AdminConnection = {
  /** Whom orders go to, for people: `the gateway at http://127.0.0.1:8080`. */
  readonly where: string
  /**
   * Rejects with `upstream-unavailable` when nobody answers, `timeout` after silence, `cancelled` once the signal aborts;
   * the body fails in the same ways.
   */
  readonly send: (request: AdminRequest, signal: AbortSignal, patience: Patience) => Promise<AdminReply>
  readonly close: () => Promise<void>
}
