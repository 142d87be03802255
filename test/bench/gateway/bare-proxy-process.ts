/** The least a proxy on this runtime can be: `Bun.serve` and `fetch`, the answer's body handed on as it is. */

const [port, upstreamPort] = process.argv.slice(2)

Bun.serve({
  hostname: "127.0.0.1",
  port: Number(port),
  idleTimeout: 0,
  fetch: async request => {
    const { pathname, search } = new URL(request.url)
    const body = await request.arrayBuffer()
    const answer = await fetch(`http://127.0.0.1:${upstreamPort}${pathname}${search}`, {
      method: request.method,
      headers: { "content-type": "application/json" },
      body,
    })
    return new Response(answer.body, { status: answer.status, headers: { "content-type": "text/event-stream" } })
  },
})
