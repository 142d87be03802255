/** Ollama's port while the configuration changes. */

import { afterEach, describe, expect, test } from "bun:test"

import type { OllamaConfig } from "#config/ollama-config.ts"
import { systemTimers } from "#core/clock.ts"
import type { Serve } from "#http/ollama/application.ts"
import { makeOllamaBridge, type OllamaBridge } from "#http/ollama/bridge.ts"

import { freePort } from "../../../support/binary.ts"
import { makeManualTime } from "../../../support/manual-timers.ts"

const BASE: OllamaConfig = {
  enabled: true,
  host: "127.0.0.1",
  port: 0,
  version: "0.18.3",
  isVisionHidden: false,
  origins: [],
}

const open: OllamaBridge[] = []
afterEach(async () => {
  for (const bridge of open.splice(0)) await bridge.stop(async () => {})
})

function makeBridge(first: Partial<OllamaConfig> = {}, serve: Serve = async () => new Response("served")) {
  const time = makeManualTime()
  const lines: string[] = []
  const failures: unknown[] = []
  let config: OllamaConfig = { ...BASE, ...first }
  let built = 0
  const write = (fields: object, message: string) => void lines.push(`${message} ${JSON.stringify(fields)}`)
  const bridge = makeOllamaBridge({
    config: () => config,
    makeApplication: () => {
      built += 1
      return serve
    },
    clock: time.clock,
    // Draining waits for real sockets; trying again must not wait for real time.
    timers: {
      ...time.timers,
      after: (delayMs, run) => (delayMs === 0 ? systemTimers : time.timers).after(delayMs, run),
    },
    log: { info: write, warn: write },
    graceMs: () => 0,
    reportFailure: (_, cause) => failures.push(cause),
  })
  open.push(bridge)
  return {
    bridge,
    time,
    lines,
    failures,
    built: () => built,
    change: (next: Partial<OllamaConfig>) => {
      config = { ...config, ...next }
      bridge.follow()
    },
  }
}

const ask = (url: string | null) => fetch(url ?? "").then(answer => answer.text())

describe("the port", () => {
  test("is not opened, and nothing is built for it, unless that is wanted", () => {
    const { bridge, built, lines } = makeBridge({ enabled: false })
    bridge.follow()
    expect(bridge.status()).toMatchObject({ enabled: false, running: false, url: null, since: null, error: null })
    expect([built(), lines]).toEqual([0, []])
  })

  test("is opened and closed while the gateway runs", async () => {
    const { bridge, change, built, lines } = makeBridge({ enabled: false })
    bridge.follow()
    change({ enabled: true })
    const { url, running } = bridge.status()
    expect(running).toBe(true)
    expect(await ask(url)).toBe("served")
    change({ enabled: false })
    expect(bridge.status()).toMatchObject({ running: false, url: null })
    expect(await ask(url).catch(() => "closed")).not.toBe("served")
    change({ enabled: true })
    expect(await ask(bridge.status().url)).toBe("served")
    expect(built()).toBe(1)
    expect(lines.filter(line => line.includes("is open"))).toHaveLength(2)
  })

  test("moves, and stays where it is when something else changes", async () => {
    const [first, second] = [freePort(), freePort()]
    const { bridge, change, lines } = makeBridge({ port: first })
    bridge.follow()
    change({ version: "0.19.0", isVisionHidden: true, origins: ["null"] })
    expect(bridge.status()).toMatchObject({ port: first, version: "0.19.0", disable_vision: true })
    expect(lines).toHaveLength(1)
    change({ port: second })
    expect(await ask(`http://127.0.0.1:${second}`)).toBe("served")
    expect(bridge.status().url).toBe(`http://127.0.0.1:${second}`)
  })

  test("a connection that was open before is served no longer once it is closed", async () => {
    const { bridge, change } = makeBridge()
    bridge.follow()
    const { url } = bridge.status()
    expect(await ask(url)).toBe("served")
    change({ enabled: false })
    const answer = await fetch(url ?? "").catch(() => undefined)
    expect([undefined, 503]).toContain(answer?.status)
  })

  test("an answer under way may finish when the port is closed", async () => {
    const gate = Promise.withResolvers<void>()
    const reached = Promise.withResolvers<void>()
    const { bridge, change, failures } = makeBridge({}, async () => {
      reached.resolve()
      await gate.promise
      return new Response("late")
    })
    bridge.follow()
    const late = ask(bridge.status().url)
    await reached.promise
    let isCut = false
    const stopped = bridge.stop(async () => {
      isCut = true
      gate.resolve()
      await late
    })
    await stopped
    expect([await late, isCut, failures]).toEqual(["late", true, []])
    change({ enabled: true })
    expect(bridge.status().running).toBe(false)
  })
})

describe("51: a port that is taken", () => {
  test("is said once, stands in the status, and is tried again", async () => {
    const other = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("somebody else") })
    const port = other.port ?? 0
    const { bridge, lines, time } = makeBridge({ port })
    bridge.follow()
    expect(bridge.status()).toMatchObject({
      enabled: true,
      running: false,
      port,
      error: expect.stringContaining(`${port}`),
    })
    expect(lines).toEqual([expect.stringContaining(`the Ollama port 127.0.0.1:${port} cannot be opened`)])
    time.advance(30_000)
    expect(lines).toHaveLength(1)
    await other.stop(true)
    time.advance(30_000)
    expect(bridge.status()).toMatchObject({ running: true, error: null })
    expect(await ask(bridge.status().url)).toBe("served")
    expect(time.waiting()).toEqual([])
  })

  test("is not tried again when the port is no longer wanted", async () => {
    const other = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("somebody else") })
    const { bridge, change, time } = makeBridge({ port: other.port ?? 0 })
    bridge.follow()
    change({ enabled: false })
    expect([bridge.status().error, time.waiting()]).toEqual([null, []])
    await other.stop(true)
  })
})
