/** What Bun's fetch has to be told to take one way out, and how that way reports its own failures. */

import type { GatewayError } from "#core/errors.ts"

import type { Egress } from "./egress.ts"
import type { Bridge } from "./socks/bridge.ts"
import { FAILURE_HEADER, isSocksFailureCode } from "./socks/failure.ts"
import { proxyRefusal, socksRefusal } from "./transport-error.ts"

/** Bun's `proxy` option; never absent, for an absent value means "ask the environment". */
export type FetchProxy = false | { url: string; headers: Record<string, string>; respectNoProxy: false }

/** One way out, opened. */
export type WayOut = {
  /** Throws `upstream-unavailable` when the way cannot be opened. */
  readonly proxy: () => FetchProxy | Promise<FetchProxy>
  /** Whether a connection may carry another request afterwards. */
  readonly keepsAlive: (url: string) => boolean
  /** What the way itself answered instead of the upstream, undefined when the answer is the upstream's. */
  readonly refusalIn: (answer: { readonly status: number; readonly headers: Headers }) => GatewayError | undefined
  readonly close: () => void
}

/** Opens a way out. Nothing is listened on before a request goes through a SOCKS proxy. */
export function openWayOut(egress: Egress): WayOut {
  if (egress.type === "socks") return socksWay(egress)
  const proxy: FetchProxy =
    egress.type === "direct" ? false : { url: egress.url, headers: { ...egress.headers }, respectNoProxy: false }
  return {
    proxy: () => proxy,
    keepsAlive: () => true,
    refusalIn: ({ status }) => (egress.type === "proxy" && status === 407 ? proxyRefusal(status) : undefined),
    close: () => undefined,
  }
}

function socksWay({ address }: Egress & { type: "socks" }): WayOut {
  let opening: Promise<Bridge> | undefined
  let bridge: Bridge | undefined
  let isClosed = false

  async function open(): Promise<Bridge> {
    try {
      // Loaded only here: a gateway without a SOCKS proxy needs neither the code nor a port.
      const { openBridge } = await import("./socks/bridge.ts")
      const opened = await openBridge(address)
      if (isClosed) opened.close()
      bridge = opened
      return opened
    } catch {
      // The next request tries again; the cause may hold the proxy's login, its code is all that is said.
      opening = undefined
      throw socksRefusal("socks_bridge_failed", address.shown)
    }
  }

  return {
    proxy: async () => {
      opening ??= open()
      const { url, headers } = await opening
      return { url, headers: { ...headers }, respectNoProxy: false }
    },
    // The bridge passes one plain request a connection; only tunnels are used again.
    keepsAlive: url => url.startsWith("https:"),
    refusalIn: ({ headers }) => {
      const [mark, code = ""] = headers.get(FAILURE_HEADER)?.split(" ") ?? []
      const isOurs = mark !== undefined && mark === bridge?.mark
      return isOurs && isSocksFailureCode(code) ? socksRefusal(code, address.shown) : undefined
    },
    close: () => {
      isClosed = true
      bridge?.close()
    },
  }
}
