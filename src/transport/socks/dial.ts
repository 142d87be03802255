/** Opens one connection to a target through a SOCKS5 proxy. */

import { lookup } from "node:dns/promises"
import { once } from "node:events"
import { connect, isIP, type Socket } from "node:net"

import type { SocksAddress } from "./address.ts"
import { SocksFailure, type SocksFailureCode } from "./failure.ts"
import { askForTarget, greetProxy, type Target } from "./handshake.ts"

/** How long the way to the proxy and its greeting may take, and how long the proxy may take to reach the target. */
export type DialDeadlines = { readonly greetMs: number; readonly reachMs: number }

/**
 * Returns a socket that leads to the target; half-closes are kept. Throws `SocksFailure`; rejects with the signal's reason
 * once that is aborted. Whatever was opened is closed again then.
 */
export async function dialThrough(
  proxy: SocksAddress,
  target: Target,
  { signal, greetMs, reachMs }: DialDeadlines & { readonly signal: AbortSignal },
): Promise<Socket> {
  const host = proxy.resolves === "here" ? await resolveHere(target.host) : target.host
  signal.throwIfAborted()
  const socket = connect({ host: proxy.host, port: proxy.port, allowHalfOpen: true, noDelay: true })
  // Failures are read where something is awaited; an error nobody listens to would end the process.
  socket.on("error", () => undefined)
  try {
    await within(greetMs, "socks_proxy_silent", signal, async either => {
      await opened(socket, either)
      await greetProxy(socket, proxy.login, either)
    })
    await within(reachMs, "socks_target_silent", signal, either => askForTarget(socket, { ...target, host }, either))
    return socket
  } catch (cause) {
    socket.destroy()
    throw cause
  }
}

async function opened(socket: Socket, signal: AbortSignal): Promise<void> {
  try {
    await once(socket, "connect", { signal })
  } catch {
    signal.throwIfAborted()
    throw new SocksFailure("socks_proxy_unreachable")
  }
}

/** Runs one step under its own deadline. */
async function within<Value>(
  limitMs: number,
  late: SocksFailureCode,
  signal: AbortSignal,
  step: (either: AbortSignal) => Promise<Value>,
): Promise<Value> {
  const deadline = new AbortController()
  const timer = setTimeout(() => deadline.abort(new SocksFailure(late)), limitMs)
  try {
    return await step(AbortSignal.any([signal, deadline.signal]))
  } finally {
    clearTimeout(timer)
  }
}

/** IPv4 first: many proxies have no IPv6 behind them. */
async function resolveHere(host: string): Promise<string> {
  if (isIP(host) !== 0) return host
  try {
    return (await lookup(host, { verbatim: false })).address
  } catch {
    throw new SocksFailure("socks_name_unknown")
  }
}
