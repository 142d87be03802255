/** The operators' surface of a gateway that runs, over HTTP; on this machine or on another one. */

import type { Timers } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"

import type { AdminConnection, AdminReply } from "./admin-connection.ts"

/** The code of the failure when nobody listens at the address. */
export const UNREACHABLE_CODE = "gateway_unreachable"

/** Whom to ask, and with what. */
export type RemoteGatewayParts = {
  readonly url: URL
  /** Blank = none is sent. */
  readonly adminKey: string
  readonly timers: Timers
}

/** A message goes straight there: Bun's `fetch` would send even a loopback request through `HTTP_PROXY`. */
type DirectInit = BunFetchRequestInit & { readonly proxy: NonNullable<BunFetchRequestInit["proxy"]> }

/** Aborts when nothing has been heard for a while. */
type Watchdog = { readonly signal: AbortSignal; readonly heard: () => void; readonly stop: () => void }

function watch(timers: Timers, silenceMs: number, where: string): Watchdog {
  const late = new AbortController()
  const start = () =>
    timers.after(silenceMs, () =>
      late.abort(
        new GatewayError("timeout", `${where} has said nothing for ${Math.round(silenceMs / 1000)} seconds.`, {
          hint: "Its log may say why. `sluice health` asks whether it is alive.",
        }),
      ),
    )
  let cancel = start()
  return {
    signal: late.signal,
    heard: () => {
      cancel()
      cancel = start()
    },
    stop: () => cancel(),
  }
}

function explain(cause: unknown, signal: AbortSignal, where: string): GatewayError {
  if (signal.aborted) return new GatewayError("cancelled", "Cancelled.", { cause })
  if (cause instanceof GatewayError) return cause
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown reason"
  return new GatewayError("upstream-unavailable", `${where} cannot be reached (${code}).`, {
    code: UNREACHABLE_CODE,
    hint: "Is it running, and is the address right? `sluice health --url URL` asks whether it is alive.",
    cause,
  })
}

/** The body, watched: each piece shows that the gateway is alive. */
function watched(
  body: NonNullable<AdminReply["body"]>,
  watchdog: Watchdog,
  explained: (cause: unknown) => GatewayError,
): NonNullable<AdminReply["body"]> {
  const reader = body.getReader()
  return new ReadableStream({
    pull: async controller => {
      try {
        const { done, value } = await reader.read()
        watchdog.heard()
        if (!done) return controller.enqueue(value)
        watchdog.stop()
        controller.close()
      } catch (cause) {
        watchdog.stop()
        controller.error(explained(cause))
      }
    },
    cancel: reason => {
      watchdog.stop()
      return reader.cancel(reason)
    },
  })
}

function sizeOf({ headers }: Response): Pick<AdminReply, "totalBytes"> {
  const length = headers.get("content-length")
  return length === null ? {} : { totalBytes: Number(length) }
}

/** Opens the way; nothing is sent before the first order. */
export function remoteGateway({ url, adminKey, timers }: RemoteGatewayParts): AdminConnection {
  const where = `The gateway at ${url.origin}`
  return {
    where: `the gateway at ${url.origin}`,
    send: async ({ method, path, headers = {}, body }, signal, { silenceMs }) => {
      const watchdog = watch(timers, silenceMs, where)
      const explained = (cause: unknown) =>
        explain(watchdog.signal.aborted ? watchdog.signal.reason : cause, signal, where)
      try {
        const init: DirectInit = {
          method,
          headers: { ...headers, ...(adminKey !== "" && { "x-admin-key": adminKey }) },
          ...(body !== undefined && { body }),
          // A key must not follow to wherever the address leads.
          redirect: "manual",
          signal: AbortSignal.any([signal, watchdog.signal]),
          proxy: false,
          timeout: false,
        }
        // A gateway may stand below a path of a larger site.
        const response = await fetch(new URL(url.pathname.replace(/\/$/, "") + path, url), init)
        watchdog.heard()
        if (response.body !== null)
          return { status: response.status, body: watched(response.body, watchdog, explained), ...sizeOf(response) }
        watchdog.stop()
        return { status: response.status, body: null }
      } catch (cause) {
        watchdog.stop()
        throw explained(cause)
      }
    },
    close: async () => {},
  }
}

/** The address under which this machine reaches a server that listens there: all interfaces means loopback. */
export function reachableUrl(announced: string): URL | undefined {
  const url = URL.parse(announced)
  if (url === null) return undefined
  if (url.hostname === "0.0.0.0") url.hostname = "127.0.0.1"
  if (url.hostname === "[::]") url.hostname = "[::1]"
  return url
}
