/** `sluice health` against small servers on loopback. */

import { afterEach, expect, test } from "bun:test"
import { createServer } from "node:net"

import { healthCommand } from "#cli/health.ts"

import { recordIo } from "../../support/command-io.ts"

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

function serve(answer: (path: string) => Response) {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: request => answer(new URL(request.url).pathname) })
  cleanups.push(() => server.stop(true))
  return server
}

test("a gateway that is alive gives one line with its accounts and exit code 0", async () => {
  const server = serve(path => Response.json(path === "/health" ? { status: "ok", available: 2, total: 3 } : {}))
  const { io, stdout, stderr } = recordIo()
  expect(await healthCommand.run(["--url", server.url.href], io)).toBe(0)
  expect(stdout()).toBe(`alive: ${server.url.origin}, 2 of 3 accounts available\n`)
  expect(stderr()).toBe("")
})

test("--json carries what /health said", async () => {
  const server = serve(path => Response.json(path === "/health" ? { status: "ok", total: 1 } : {}))
  const { io, stdout } = recordIo()
  expect(await healthCommand.run(["--json", `--url=${server.url.href}`], io)).toBe(0)
  expect(JSON.parse(stdout())).toEqual({ url: server.url.origin, alive: true, health: { status: "ok", total: 1 } })
})

test("without --url the configured listen address is asked, over loopback when it means every interface", async () => {
  const server = serve(() => Response.json({}))
  const { io, stdout } = recordIo({ env: { SLUICE_LISTEN: `0.0.0.0:${server.port}`, SLUICE_API_KEYS: "one-key" } })
  expect(await healthCommand.run([], io)).toBe(0)
  expect(stdout()).toBe(`alive: http://127.0.0.1:${server.port}\n`)
})

test("an answer other than 200 is exit code 1 and names the route", async () => {
  const server = serve(path => new Response("", { status: path === "/health/live" ? 503 : 200 }))
  const { io, stdout } = recordIo()
  expect(await healthCommand.run(["--url", server.url.href], io)).toBe(1)
  expect(stdout()).toBe(`not alive: ${server.url.origin}: /health/live answered 503\n`)
})

test("a closed port is exit code 1", async () => {
  const server = serve(() => new Response(""))
  const { origin } = server.url
  await server.stop(true)
  const { io, stdout } = recordIo()
  expect(await healthCommand.run(["--url", origin], io)).toBe(1)
  expect(stdout()).toBe(`not alive: ${origin}: nothing listens there\n`)
})

test("a port that takes the connection and says nothing ends when the signal fires", async () => {
  const stopping = new AbortController()
  const silent = createServer(() => stopping.abort()).listen(0, "127.0.0.1")
  cleanups.push(() => silent.close())
  await new Promise(resolve => silent.once("listening", resolve))
  const address = silent.address()
  if (address === null || typeof address === "string") throw new Error("no port")
  const { io, stdout } = recordIo({ signal: stopping.signal })
  expect(await healthCommand.run(["--url", `http://127.0.0.1:${address.port}`], io)).toBe(1)
  expect(stdout()).toContain("no answer in time")
})

test("a wrong flag is exit code 2 and names itself", async () => {
  const { io, stderr } = recordIo()
  expect(await healthCommand.run(["--urll", "x"], io)).toBe(2)
  expect(stderr()).toContain("--urll")
  expect(stderr()).toContain('did you mean "--url"')
})
