/** An HTTP proxy on loopback for plain-HTTP upstreams, which keeps what went through it. */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http"

/** The proxy. `seen` lists method and path of every request, in order. */
export type ForwardProxy = {
  /** `127.0.0.1:PORT` */
  readonly host: string
  readonly seen: readonly string[]
  /** `proxy-authorization` of every request. */
  readonly credentials: readonly (string | undefined)[]
  readonly stop: () => Promise<void>
}

/** Starts the proxy. It forwards requests whose target is an absolute http address, and nothing else. */
export async function startForwardProxy(): Promise<ForwardProxy> {
  const seen: string[] = []
  const credentials: (string | undefined)[] = []
  const server = createServer((request, response) => {
    const url = URL.parse(request.url ?? "")
    if (url === null) {
      response.writeHead(400).end()
      return
    }
    seen.push(`${request.method} ${url.pathname}`)
    credentials.push(request.headers["proxy-authorization"])
    forward(request, url, response).catch(() => response.destroy())
  })
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  if (address === null || typeof address === "string") throw new Error("no port")
  return {
    host: `127.0.0.1:${address.port}`,
    seen,
    credentials,
    stop: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function forward(request: IncomingMessage, url: URL, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  const { "proxy-authorization": _, "proxy-connection": __, host: ___, ...headers } = request.headers
  const reply = await fetch(url, {
    method: request.method ?? "GET",
    headers: headers as Record<string, string>,
    ...(chunks.length > 0 && { body: Buffer.concat(chunks) }),
    decompress: false,
    redirect: "manual",
  })
  response.writeHead(reply.status, Object.fromEntries(reply.headers))
  response.end(Buffer.from(await reply.arrayBuffer()))
}
