/** One sender for several ways out: each request takes the one it names or none. */

import { afterEach, expect, test } from "bun:test"

import { systemClock } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"
import type { UpstreamRequest } from "#core/upstream.ts"
import { DIRECT_EGRESS, parseEgress } from "#transport/egress.ts"
import { makeRoutedSender, type RoutedSender } from "#transport/routed-sender.ts"
import { transportFaultOf } from "#transport/transport-error.ts"

import { deadPort, listen, OK, type RawServer } from "./sockets.ts"

const open: (RawServer | RoutedSender)[] = []
const serve = async () => {
  const server = await listen(socket => socket.write(OK))
  open.push(server)
  return server
}
const never = new AbortController().signal
const get = (url: string, egress: string | undefined): UpstreamRequest => ({ method: "GET", url, headers: {}, egress })

afterEach(async () => {
  for (const one of open.splice(0)) await one.close()
})

test("a request goes through the proxy it names, and one that names none goes the standard way", async () => {
  const upstream = await serve()
  const proxy = await serve()
  const own = parseEgress(`http://user:secret@127.0.0.1:${proxy.port}`)
  const { send, ...rest } = makeRoutedSender({ standard: DIRECT_EGRESS, others: [own], clock: systemClock })
  open.push({ send, ...rest })
  expect(rest.lastActivityAtMs()).toBe(0)
  await new Response((await send(get(`${upstream.origin}/own`, own.id), never)).body).text()
  expect({ direct: upstream.opened(), proxied: proxy.opened(), warm: rest.lastActivityAtMs() }).toEqual({
    direct: 0,
    proxied: 1,
    warm: 0,
  })
  expect(proxy.received[0]).toStartWith(`GET ${upstream.origin}/own HTTP/1.1\r\n`)
  await new Response((await send(get(`${upstream.origin}/standard`, undefined), never)).body).text()
  expect({ direct: upstream.opened(), proxied: proxy.opened() }).toEqual({ direct: 1, proxied: 1 })
})

test("a way out that is not there sends nothing and counts as its own fault", async () => {
  const upstream = await serve()
  const sender = makeRoutedSender({ standard: DIRECT_EGRESS, others: [], clock: systemClock })
  open.push(sender)
  const error = await sender.send(get(upstream.origin, "http://gone.test"), never).catch((cause: unknown) => cause)
  if (!(error instanceof GatewayError)) throw new Error("expected a GatewayError")
  expect(error.kind).toBe("upstream-unavailable")
  expect(transportFaultOf(error)).toMatchObject({ phase: "connect", egressAtFault: true })
  expect(upstream.opened()).toBe(0)
})

test("a proxy that is down stops its own requests and nobody else's", async () => {
  const upstream = await serve()
  const dead = parseEgress(`http://127.0.0.1:${await deadPort()}`)
  const sender = makeRoutedSender({ standard: DIRECT_EGRESS, others: [dead], clock: systemClock })
  open.push(sender)
  const error = await sender.send(get(upstream.origin, dead.id), never).catch((cause: unknown) => cause)
  expect(error instanceof GatewayError && transportFaultOf(error)).toMatchObject({ egressAtFault: true })
  expect(upstream.opened()).toBe(0)
  expect((await sender.send(get(upstream.origin, undefined), never)).status).toBe(200)
})

test("a name may get another way, or none, while requests are under way", async () => {
  const upstream = await serve()
  const [first, second] = [await serve(), await serve()]
  const sender = makeRoutedSender({ standard: DIRECT_EGRESS, others: [], clock: systemClock })
  open.push(sender)
  const way = (server: RawServer) => ({ egress: parseEgress(`http://127.0.0.1:${server.port}`), maxConcurrent: 0 })
  const ask = async () => (await sender.send(get(`${upstream.origin}/`, "proxy/one"), never)).status
  sender.setWay("proxy/one", way(first))
  expect(await ask()).toBe(200)
  sender.setWay("proxy/one", way(second))
  expect(await ask()).toBe(200)
  sender.setWay("proxy/one", undefined)
  expect(await ask().catch((cause: unknown) => String(cause))).toContain("missing, disabled or unusable")
  expect([upstream.opened(), first.opened(), second.opened()]).toEqual([0, 1, 1])
})

test("the same way again keeps its connections", async () => {
  const upstream = await serve()
  const proxy = await serve()
  const sender = makeRoutedSender({ standard: DIRECT_EGRESS, others: [], clock: systemClock })
  open.push(sender)
  for (const maxConcurrent of [0, 5, 0]) {
    sender.setWay("proxy/one", { egress: parseEgress(`http://127.0.0.1:${proxy.port}`), maxConcurrent })
    const { body } = await sender.send(get(`${upstream.origin}/`, "proxy/one"), never)
    await new Response(body).text()
  }
  expect(proxy.opened()).toBe(1)
})

test("a WebSocket is told an account's way, and nothing for a way that is not there", async () => {
  const sender = makeRoutedSender({
    standard: parseEgress("http://ann:secret@127.0.0.1:1"),
    others: [],
    clock: systemClock,
  })
  open.push(sender)
  sender.setWay("proxy/one", { egress: parseEgress("https://127.0.0.1:2"), maxConcurrent: 0 })
  expect(await sender.proxyOf(undefined)).toMatchObject({ url: "http://127.0.0.1:1", respectNoProxy: false })
  expect(await sender.proxyOf("proxy/one")).toMatchObject({ url: "https://127.0.0.1:2" })
  expect(await sender.proxyOf("direct")).toBe(false)
  expect(await sender.proxyOf("proxy/two").catch((cause: unknown) => cause)).toBeInstanceOf(GatewayError)
})

test("directly means directly, whatever the standard way is", async () => {
  const upstream = await serve()
  const proxy = await serve()
  const standard = parseEgress(`http://127.0.0.1:${proxy.port}`)
  const sender = makeRoutedSender({ standard, others: [], clock: systemClock })
  open.push(sender)
  expect((await sender.send(get(upstream.origin, "direct"), never)).status).toBe(200)
  expect([upstream.opened(), proxy.opened()]).toEqual([1, 0])
})
