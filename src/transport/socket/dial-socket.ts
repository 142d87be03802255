/** Opens a WebSocket by Bun's client, and says why it did not open as far as Bun tells. */

import type { Timers } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"
import type { FetchProxy } from "#transport/way-out.ts"

/** Bun's client: headers, proxies, pings and back-pressure, which the DOM's type of the same name does not know. */
export type ClientSocket = Bun.WebSocket

/** One handshake. */
export type SocketDial = {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly proxy: FetchProxy
  readonly signal: AbortSignal
  readonly timers: Timers
}

/** An open socket with nothing attached, or what Bun shows of a refusal: the status at most, neither body nor headers. */
export type Dialled =
  | { readonly type: "open"; readonly socket: ClientSocket }
  | { readonly type: "refused"; readonly status?: number }

/** The official client's own limit. */
const CONNECT_DEADLINE_MS = 15_000

/**
 * Opens a socket. A proxy is given by its address and headers; direct is direct: Bun's client never asks the environment
 * for a proxy (measured with 1.4.5), but `NO_PROXY` there bypasses one that is given, which callers have to rule out.
 * Rejects only when `signal` aborts, with its reason.
 */
export function dialSocket({ url, headers, proxy, signal, timers }: SocketDial): Promise<Dialled> {
  if (signal.aborted) return Promise.reject(reasonOf(signal))
  const socket = construct(url, {
    headers: { ...headers },
    ...(proxy !== false && { proxy: { url: proxy.url, headers: proxy.headers } }),
  })
  return new Promise((resolve, reject) => {
    let message = ""
    const settle = (end: () => void) => {
      cancelTimer()
      signal.removeEventListener("abort", onAbort)
      socket.onopen = null
      socket.onclose = null
      socket.onerror = null
      end()
    }
    const give = (dialled: Dialled) => settle(() => resolve(dialled))
    const onAbort = () => {
      settle(() => reject(reasonOf(signal)))
      socket.terminate()
    }
    const cancelTimer = timers.after(CONNECT_DEADLINE_MS, () => {
      give({ type: "refused" })
      socket.terminate()
    })
    signal.addEventListener("abort", onAbort, { once: true })
    socket.onopen = () => give({ type: "open", socket })
    socket.onerror = event => {
      message = event.message
    }
    socket.onclose = () => give(refusalIn(message))
  })
}

/** Bun's only word about a refused upgrade is "Expected 101 status code: 401". */
function refusalIn(message: string): Dialled {
  const status = /status code: (\d{3})/.exec(message)?.[1]
  return { type: "refused", ...(status !== undefined && { status: Number(status) }) }
}

/** With the DOM's types in scope, the global is typed without Bun's options. */
function construct(url: string, options: Bun.WebSocketOptions): ClientSocket {
  const Constructor = WebSocket as unknown as new (url: string, options: Bun.WebSocketOptions) => ClientSocket
  return new Constructor(url, options)
}

function reasonOf(signal: AbortSignal): GatewayError {
  if (signal.reason instanceof GatewayError) return signal.reason
  return new GatewayError("cancelled", "The client went away.")
}
