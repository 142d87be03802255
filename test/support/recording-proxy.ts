/** A server between a client and a gateway that keeps what the client sent. */

import type { JsonObject } from "#core/json.ts"

/** Forwards everything to one origin. */
export type RecordingProxy = {
  readonly url: string
  /** The JSON bodies that were posted to a path with this end, in order. */
  readonly bodies: (path: string) => readonly JsonObject[]
  readonly stop: () => Promise<void>
}

/** Starts a proxy in front of `origin`. */
export function startRecordingProxy(origin: string): RecordingProxy {
  const posted: { readonly path: string; readonly text: string }[] = []
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    fetch: async request => {
      const { pathname, search } = new URL(request.url)
      const body = request.method === "POST" ? await request.text() : undefined
      if (body !== undefined) posted.push({ path: pathname, text: body })
      const headers = new Headers(request.headers)
      headers.delete("host")
      const init = { method: request.method, headers, signal: request.signal, decompress: false }
      return fetch(`${origin}${pathname}${search}`, body === undefined ? init : { ...init, body })
    },
  })
  return {
    url: `http://127.0.0.1:${server.port}`,
    bodies: path => posted.filter(entry => entry.path.endsWith(path)).map(entry => JSON.parse(entry.text)),
    stop: () => server.stop(true),
  }
}
