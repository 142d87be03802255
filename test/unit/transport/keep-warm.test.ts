import { afterEach, describe, expect, test } from "bun:test"

import { systemTimers } from "#core/clock.ts"
import type { SendUpstream } from "#core/upstream.ts"
import { DIRECT_EGRESS } from "#transport/egress.ts"
import { MAX_WARM_CONNECTIONS, startKeepWarm } from "#transport/keep-warm.ts"
import { makeSender } from "#transport/sender.ts"

import { makeManualTime } from "../../support/manual-timers.ts"
import { listen, OK, type RawServer } from "./sockets.ts"

const open: RawServer[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map(server => server.close()))
})

const noFailure = (error: unknown) => {
  throw error
}

describe("keeping connections warm", () => {
  test("the same connections are used round after round, and by the request that follows", async () => {
    const server = await listen(socket => socket.write(OK))
    open.push(server)
    const time = makeManualTime(1_000_000)
    const sender = makeSender({ egress: DIRECT_EGRESS, clock: time.clock })
    let round = Promise.withResolvers<void>()
    let answers = 0
    const send: SendUpstream = async (request, signal) => {
      const reply = await sender.send(request, signal)
      await new Response(reply.body).text()
      answers += 1
      if (answers % 3 === 0) round.resolve()
      return { ...reply, body: undefined }
    }
    const stop = startKeepWarm(
      {
        clock: time.clock,
        // The pace is the test's; how long a ping may take on a real socket is not.
        timers: { after: systemTimers.after, every: time.timers.every },
        send,
        lastActivityAtMs: sender.lastActivityAtMs,
        onFailure: noFailure,
      },
      { url: `${server.origin}/ping`, intervalSec: 60, connections: 3 },
    )
    for (let turn = 0; turn < 4; turn++) {
      await round.promise
      round = Promise.withResolvers<void>()
      await time.advanceAsync(60_000)
    }
    await round.promise
    expect(answers).toBe(15)
    expect(server.opened()).toBe(3)
    stop()
    await send({ method: "GET", url: server.origin, headers: {}, egress: undefined }, new AbortController().signal)
    expect(server.opened()).toBe(3)
    expect(server.received[0]).toStartWith("GET /ping HTTP/1.1\r\n")
  })

  test("traffic within the interval makes the ping superfluous", async () => {
    const time = makeManualTime(0)
    let pings = 0
    let lastActivityAtMs = 0
    const send: SendUpstream = async () => {
      pings += 1
      return { status: 200, headers: new Headers(), body: undefined }
    }
    const stop = startKeepWarm(
      { ...time, send, lastActivityAtMs: () => lastActivityAtMs, onFailure: noFailure },
      { url: "http://127.0.0.1:1/", intervalSec: 60, connections: 1 },
    )
    await time.advanceAsync(0)
    expect(pings).toBe(1)
    lastActivityAtMs = 30_000
    await time.advanceAsync(60_000)
    expect(pings).toBe(1)
    await time.advanceAsync(60_000)
    expect(pings).toBe(2)
    stop()
    await time.advanceAsync(600_000)
    expect(pings).toBe(2)
  })

  test("the answer of a ping does not count as traffic that makes the next one superfluous", async () => {
    const time = makeManualTime(1_000_000)
    let pings = 0
    let lastActivityAtMs = 0
    const send: SendUpstream = () => {
      pings += 1
      return new Promise(resolve => {
        time.timers.after(50, () => {
          lastActivityAtMs = time.clock()
          resolve({ status: 200, headers: new Headers(), body: undefined })
        })
      })
    }
    const stop = startKeepWarm(
      { ...time, send, lastActivityAtMs: () => lastActivityAtMs, onFailure: noFailure },
      { url: "http://127.0.0.1:1/", intervalSec: 60, connections: 1 },
    )
    await time.advanceAsync(60_100)
    await time.advanceAsync(60_000)
    expect(pings).toBe(3)
    stop()
  })

  test("failures are told and the next round comes all the same", async () => {
    const time = makeManualTime(0)
    const failures: unknown[] = []
    const stop = startKeepWarm(
      {
        ...time,
        send: async () => {
          throw new Error("down")
        },
        lastActivityAtMs: () => 0,
        onFailure: error => failures.push(error),
      },
      { url: "http://127.0.0.1:1/", intervalSec: 60, connections: 1 },
    )
    await time.advanceAsync(120_000)
    expect(failures).toHaveLength(3)
    stop()
  })

  test("the number of connections is bounded and an interval of 0 does nothing", async () => {
    const time = makeManualTime(0)
    let pings = 0
    const send: SendUpstream = async () => {
      pings += 1
      return { status: 200, headers: new Headers(), body: undefined }
    }
    const parts = { ...time, send, lastActivityAtMs: () => 0, onFailure: noFailure }
    startKeepWarm(parts, { url: "http://127.0.0.1:1/", intervalSec: 0, connections: 4 })
    await time.advanceAsync(0)
    expect(pings).toBe(0)
    const stop = startKeepWarm(parts, { url: "http://127.0.0.1:1/", intervalSec: 60, connections: 500 })
    await time.advanceAsync(0)
    expect(pings).toBe(MAX_WARM_CONNECTIONS)
    stop()
  })
})
