/** What a check asks: the echo service that is named, and the upstream when that does not answer. */

import { afterEach, expect, test } from "bun:test"

import { systemClock, systemTimers } from "#core/clock.ts"
import { probeTarget } from "#gateway/egress/probe-way.ts"
import { parseEgress } from "#transport/egress.ts"

import { startForwardProxy } from "../../../support/forward-proxy.ts"

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

function serve(answer: () => Response): string {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: answer })
  cleanups.push(() => server.stop(true))
  return server.url.href
}

async function probe(urls: { readonly echoUrl: string; readonly upstreamUrl: string }) {
  const proxy = await startForwardProxy()
  cleanups.push(proxy.stop)
  const parts = { clock: systemClock, timers: systemTimers, signal: new AbortController().signal }
  const report = await probeTarget(parseEgress(`http://${proxy.host}`), { ...urls, ...parts })
  return { report, asked: proxy.seen }
}

const upstream = () => serve(() => new Response("", { status: 404 }))

test("without an echo service only the upstream is asked, and any answer of it counts", async () => {
  const { report, asked } = await probe({ echoUrl: "", upstreamUrl: `${upstream()}favicon.ico` })
  expect(report).toEqual({ type: "works", status: 404, latencyMs: expect.any(Number) })
  expect(asked).toEqual(["GET /favicon.ico"])
})

test("an echo service tells the exit address, and nobody else is asked", async () => {
  const echoUrl = `${serve(() => Response.json({ ip: "203.0.113.7" }))}ip`
  const { report, asked } = await probe({ echoUrl, upstreamUrl: upstream() })
  expect(report).toMatchObject({ type: "works", exitAddress: "203.0.113.7" })
  expect(asked).toEqual(["GET /ip"])
})

test("an echo service that is out of order is not the proxy's fault", async () => {
  const echoUrl = `${serve(() => new Response("down", { status: 503 }))}ip`
  const { report, asked } = await probe({ echoUrl, upstreamUrl: `${upstream()}favicon.ico` })
  expect(report).toMatchObject({ type: "works", status: 404 })
  expect(asked).toEqual(["GET /ip", "GET /favicon.ico"])
})

test("a proxy that cannot be reached fails, whoever is asked", async () => {
  const parts = { clock: systemClock, timers: systemTimers, signal: new AbortController().signal }
  const urls = { echoUrl: "http://127.0.0.1:9/ip", upstreamUrl: "http://127.0.0.1:9/" }
  const report = await probeTarget(parseEgress("http://127.0.0.1:1"), { ...urls, ...parts })
  expect(report).toMatchObject({ type: "fails", reason: expect.stringContaining("could not be used") })
})
