/** Sends what another thread has decided to send: it knows no ways out, only what Bun's client is to be told of one. */

import type { CarriedRequest } from "#core/upstream.ts"

import { POOL_IDLE_SEC } from "./sender.ts"

/** A carried request with its body in bytes. */
export type CarriedBytes = Omit<CarriedRequest, "body"> & { readonly body: Uint8Array<ArrayBuffer> | undefined }

/** Sends one; rejects with what Bun's `fetch` throws. */
export type CarriedSender = (request: CarriedBytes, signal: AbortSignal) => Promise<Response>

/** Makes the sender. Each way out has a pool of connections of its own, which no other way shares. */
export function makeCarriedSender(): CarriedSender {
  const sessions = new Map<string, Bun.FetchSession>()

  function sessionOf(way: string): Bun.FetchSession {
    const known = sessions.get(way)
    if (known !== undefined) return known
    const session = new Bun.FetchSession({ keepAlive: { idleTimeout: POOL_IDLE_SEC } })
    sessions.set(way, session)
    return session
  }

  return ({ way, method, url, headers, body, proxy, keepsAlive }, signal) =>
    sessionOf(way).fetch(url, {
      method,
      headers,
      ...(body !== undefined && { body }),
      redirect: "manual",
      timeout: false,
      // Never absent: that would mean "ask the environment".
      proxy: proxy === false ? false : { ...proxy, headers: { ...proxy.headers } },
      keepalive: keepsAlive,
      signal,
    })
}
