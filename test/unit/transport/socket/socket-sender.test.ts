/** WebSockets to an upstream: which socket serves, when it is replaced, and what is never sent or read again. */

import { afterEach, describe, expect, test } from "bun:test"
import { createHash } from "node:crypto"

import { systemClock } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"
import { DIRECT_EGRESS, parseEgress } from "#transport/egress.ts"
import { makeRoutedSender } from "#transport/routed-sender.ts"
import { transportFaultOf } from "#transport/transport-error.ts"

import { startSocksProxy } from "../../../support/socks-proxy.ts"
import { deadPort, listen } from "../sockets.ts"
import {
  answer,
  created,
  makeWorld,
  type OnFrame,
  type SenderWorld,
  startUpstream,
  type Upstream,
} from "./socket-kit.ts"

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

function start(onFrame?: OnFrame, parts?: Parameters<typeof makeWorld>[1]): Upstream & SenderWorld {
  const upstream = startUpstream(onFrame)
  const world = makeWorld(upstream.url, parts)
  undo.push(upstream.stop, world.close)
  return { ...upstream, ...world }
}

async function errorOf(promise: Promise<unknown>): Promise<GatewayError> {
  const outcome = await promise.catch((error: unknown) => error)
  if (outcome instanceof GatewayError) return outcome
  throw new Error(`expected a GatewayError, got ${String(outcome)}`)
}

const MINUTE_MS = 60_000

describe("fault 51: a socket is replaced between turns", () => {
  test("when it has been idle for five minutes, and not before", async () => {
    const { ask, wait, peers } = start()
    await ask()
    wait(5 * MINUTE_MS - 1)
    await ask()
    expect(peers).toHaveLength(1)
    wait(5 * MINUTE_MS)
    expect(await ask()).toContain("resp_2_1")
    expect(peers).toHaveLength(2)
    expect(await peers[0]?.closed).toBe(1000)
  })

  test("when it is fifty minutes old, however busy it was", async () => {
    const { ask, wait, peers } = start()
    for (let minute = 0; minute < 50; minute += 2) {
      await ask()
      wait(2 * MINUTE_MS)
    }
    expect(peers).toHaveLength(1)
    await ask()
    expect(peers).toHaveLength(2)
    expect(await peers[0]?.closed).toBe(1000)
  })

  test("also when nobody asks any more", async () => {
    const { ask, wait, tend, peers } = start()
    await ask()
    wait(5 * MINUTE_MS)
    tend()
    expect(await peers[0]?.closed).toBe(1000)
  })

  test("and never inside one, however old it is", async () => {
    const { send, wait, tend, peers } = start(peer => void peer.send(created("r")))
    const reply = await send()
    wait(55_000)
    tend()
    peers[0]?.send({ type: "response.completed", response: { id: "r", status: "completed" } })
    expect(await new Response(reply.body).text()).toContain("response.completed")
  })
})

describe("fault 49: a socket that ends inside a turn", () => {
  test("breaks the answer off and is gone: the next turn has another one", async () => {
    const { send, ask, peers } = start((peer, frame) => {
      if (peer.number > 1) answer(peer)
      else if (frame["type"] === "response.create") {
        peer.send(created("r"))
        peer.terminate()
      }
    })
    const reply = await send()
    const error = await errorOf(new Response(reply.body).text())
    expect(error).toMatchObject({ kind: "upstream-protocol", code: "upstream_stream_break" })
    expect(await ask()).toContain("resp_2_1")
    expect(peers).toHaveLength(2)
  })

  test("before any answer is never asked again here: nobody knows what the upstream has begun", async () => {
    const { send, detours, peers } = start(peer => peer.terminate())
    const error = await errorOf(send())
    expect(error.kind).toBe("upstream-unavailable")
    expect(transportFaultOf(error)).toMatchObject({ phase: "headers", code: "ws_close_1006", egressAtFault: false })
    expect([detours, peers.length]).toEqual([[], 1])
  })

  test("counts as too large only when nothing was heard of it: else the upstream has begun", async () => {
    const { ask, send, detours } = start(peer => {
      if (peer.frames.length === 1 && peer.number === 2) peer.send({ type: "codex.rate_limits", rate_limits: {} })
      peer.close(1009)
    })
    expect(await ask()).toBe("over http")
    expect(detours).toEqual(["too-large"])
    expect((await errorOf(send({ account: "a2" }))).upstream?.code).toBe("ws_close_1009")
    expect(detours).toHaveLength(1)
  })

  test("with a close frame ends the answer as the end of a body does", async () => {
    const { ask } = start(peer => {
      peer.send(created("r"))
      peer.close(1001)
    })
    expect(await ask()).toBe(`event: response.created\ndata: ${JSON.stringify(created("r"))}\n\n`)
  })
})

describe("fault 50: a turn that is given up", () => {
  test.each(["aborted", "cancelled"] as const)(
    "(%s) takes its socket along, and its late frames reach nobody",
    async how => {
      const { send, ask, peers } = start(peer => {
        if (peer.number === 1) peer.send(created("old"))
        else answer(peer)
      })
      const abort = new AbortController()
      const reply = await send({ signal: abort.signal })
      if (how === "aborted") abort.abort(new GatewayError("cancelled", "gone"))
      else await reply.body?.cancel()
      peers[0]?.send({ type: "response.output_text.delta", output_index: 0, delta: "old words" })
      const next = await ask()
      expect(next).toContain("resp_2_1")
      expect(next).not.toContain("old")
      expect(await peers[0]?.closed).toBe(1006)
    },
  )

  test("while its handshake is under way goes nowhere", async () => {
    const silent = await listen(() => undefined)
    undo.push(silent.close)
    const { send, detours } = makeWorld(silent.origin.replace("http", "ws"))
    const abort = new AbortController()
    const sent = send({ signal: abort.signal })
    abort.abort(new GatewayError("cancelled", "gone"))
    expect((await errorOf(sent)).message).toBe("gone")
    expect(detours).toEqual([])
  })

  test("before it was sent is not sent", async () => {
    const { ask, send, peers } = start()
    await ask()
    expect((await errorOf(send({ signal: AbortSignal.abort(new GatewayError("timeout", "late")) }))).message).toBe(
      "late",
    )
    expect(peers[0]?.frames).toHaveLength(1)
  })
})

describe("fault 50: a frame that belongs to no turn", () => {
  test("ends the socket when it comes between turns", async () => {
    const { ask, peers } = start()
    await ask()
    peers[0]?.send({ type: "response.output_text.delta", output_index: 0, delta: "whose?" })
    expect(await peers[0]?.closed).toBe(1006)
    const next = await ask()
    expect(next).not.toContain("whose?")
    expect(peers).toHaveLength(2)
  })

  test("does not, when it only speaks of the account", async () => {
    const { ask, peers, dialled } = start()
    await ask()
    const heard = new Promise(resolve => dialled[0]?.addEventListener("message", resolve))
    peers[0]?.send({ type: "codex.rate_limits", rate_limits: {} })
    await heard
    await ask()
    expect(peers).toHaveLength(1)
  })

  test.each<[string, OnFrame]>([
    ["is binary", peer => void peer.send(new Uint8Array([1, 2]))],
    ["is no event", peer => void peer.send({ hello: 1 })],
    [
      "names another response",
      peer => {
        peer.send(created("mine"))
        peer.send({ type: "response.in_progress", response: { id: "other" } })
      },
    ],
  ])("breaks the turn off when it %s", async (_, onFrame) => {
    const { ask, peers } = start(onFrame)
    expect((await errorOf(ask())).upstream?.code).toBe("ws_close_1006")
    expect(await peers[0]?.closed).toBe(1006)
  })

  test("breaks it off when it names the last turn's response", async () => {
    const { ask } = start(peer => {
      if (peer.frames.length === 1) answer(peer)
      else peer.send(created("resp_1_1"))
    })
    await ask()
    expect((await errorOf(ask())).upstream?.code).toBe("ws_close_1006")
  })
})

describe("who gets which socket", () => {
  test("accounts and conversations have their own", async () => {
    const { ask, peers } = start()
    await ask()
    await ask({ conversation: "c2" })
    await ask({ account: "a2", login: "token-2" })
    await ask()
    expect(peers.map(({ frames }) => frames.length)).toEqual([2, 1, 1])
  })

  test("another token gets a new one, and the old one is closed", async () => {
    const { ask, peers } = start()
    await ask()
    await ask({ login: "token-2" })
    expect(peers.map(({ headers }) => headers.get("authorization"))).toEqual(["Bearer token-1", "Bearer token-2"])
    expect(await peers[0]?.closed).toBe(1000)
  })

  test("of two turns at once, one goes over HTTP", async () => {
    const { ask, peers, detours } = start()
    await ask()
    const both = await Promise.all([ask(), ask()])
    expect(both.filter(text => text === "over http")).toHaveLength(1)
    expect([peers.length, detours]).toEqual([1, ["busy"]])
  })

  test("an account's idlest one makes room, and none that is at work", async () => {
    const { ask, send, peers, wait, detours } = start(
      (peer, frame) => {
        if (JSON.stringify(frame).includes("keep")) peer.send(created("k"))
        else answer(peer)
      },
      { maxPerAccount: () => 2 },
    )
    await ask({ conversation: "first" })
    wait(1)
    await ask({ conversation: "second" })
    await ask({ conversation: "third" })
    expect(await peers[0]?.closed).toBe(1000)
    await send({ conversation: "second", text: "keep" })
    await send({ conversation: "third", text: "keep" })
    expect(await ask({ conversation: "fourth" })).toBe("over http")
    expect(detours).toEqual(["full"])
    // Another account has room of its own.
    expect(await ask({ account: "a2" })).toContain("resp_")
  })
})

describe("a reply", () => {
  test("has the headers that a frame states in front of it", async () => {
    const { send } = start(peer => {
      peer.send({ type: "response.metadata", headers: { "X-Codex-Turn-State": "state", "X-Models-Etag": 7, odd: {} } })
      answer(peer)
    })
    const { status, headers } = await send()
    expect([status, headers.get("x-codex-turn-state"), headers.get("x-models-etag")]).toEqual([200, "state", "7"])
  })

  test.each([
    ["status", { status: 429, error: { type: "usage_limit_reached", message: "spent" } }],
    ["status_code and a nested body", { status_code: 429, body: { error: { type: "usage_limit_reached" } } }],
    ["an error spread over the frame", { status: 429, code: "usage_limit_reached", message: "spent" }],
  ])("is the refusal of a frame with %s", async (_, fields) => {
    const { send, peers } = start(
      peer => void peer.send({ type: "error", ...fields, headers: { "X-Codex-Primary-Used-Percent": "100" } }),
    )
    const { status, headers, body } = await send()
    expect([status, headers.get("x-codex-primary-used-percent")]).toEqual([429, "100"])
    expect(await new Response(body).text()).toContain("usage_limit_reached")
    expect(await peers[0]?.closed).toBe(1006)
  })

  test("is pulled: what nobody reads is not read from the socket either", async () => {
    const MEGABYTE = "x".repeat(1024 * 1024)
    const { send, peers, dialled } = start(peer => void peer.send(created("r")))
    const reply = await send()
    const [socket] = dialled
    const paused = new Promise<void>(resolve => {
      socket?.addEventListener("message", () => {
        if (socket.isPaused) resolve()
      })
    })
    for (let sent = 0; sent < 8; sent += 1) peers[0]?.send({ type: "response.output_text.delta", delta: MEGABYTE })
    peers[0]?.send({ type: "response.completed", response: { id: "r", status: "completed" } })
    await paused
    const text = await new Response(reply.body).text()
    expect(text.length).toBeGreaterThan(8 * MEGABYTE.length)
    expect(text).toContain("response.completed")
    expect(socket?.isPaused).toBe(false)
  })
})

/** Accepts an upgrade and then only listens: no pong ever comes. */
async function startMute() {
  let frames = ""
  const server = await listen((socket, text) => {
    const key = /sec-websocket-key: (.+)\r/i.exec(text)?.[1]
    frames += key === undefined ? text : ""
    if (key === undefined) return
    const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64")
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    )
  })
  undo.push(server.close)
  return { url: `ws://127.0.0.1:${server.port}/`, opened: server.opened, frames: () => frames }
}

describe("a connection that nobody answers on", () => {
  test("is pinged after 25 seconds and given up after 62.5", async () => {
    const mute = await startMute()
    const world = makeWorld(mute.url)
    undo.push(world.close)
    const sent = errorOf(world.send())
    while (world.dialled.length === 0) await new Promise(setImmediate)
    const socket = world.dialled[0]
    const pings: number[] = []
    if (socket === undefined) throw new Error("no socket")
    const ping = socket.ping.bind(socket)
    let atMs = 0
    socket.ping = () => {
      pings.push(atMs)
      ping()
    }
    for (; atMs < 62_500; atMs += 12_500) {
      world.tend()
      world.wait(12_500)
    }
    expect(pings).toEqual([25_000, 50_000])
    expect(socket.readyState).toBe(WebSocket.OPEN)
    world.tend()
    const error = await sent
    expect(error.upstream?.code).toBe("ws_close_1006")
    expect(socket.readyState).not.toBe(WebSocket.OPEN)
  })

  test("is not given up while pongs come", async () => {
    const { send, tend, wait, dialled, peers } = start(peer => void peer.send(created("r")))
    const reply = await send()
    for (let round = 0; round < 8; round += 1) {
      wait(25_000)
      const pong = new Promise(resolve => dialled[0]?.addEventListener("pong", resolve, { once: true }))
      tend()
      await pong
    }
    peers[0]?.send({ type: "response.completed", response: { id: "r", status: "completed" } })
    expect(await new Response(reply.body).text()).toContain("response.completed")
  })
})

describe("the way out", () => {
  test("is the account's own SOCKS proxy, over the loopback bridge", async () => {
    const proxy = await startSocksProxy({ login: { user: "me", password: "secret" } })
    undo.push(proxy.stop)
    const egress = parseEgress(`socks5h://me:secret@${proxy.host}`)
    const http = makeRoutedSender({ standard: DIRECT_EGRESS, others: [egress], clock: systemClock })
    undo.push(http.close)
    const { ask, url } = start(answer, { proxyOf: http.proxyOf })
    expect(await ask({ egress: egress.id })).toContain("resp_1_1")
    expect(proxy.asked).toEqual([`ipv4:127.0.0.1:${new URL(url).port}`])
    expect(proxy.logins).toEqual(["me:secret"])
  })

  test("is never another one: a dead proxy and a missing one reach no upstream", async () => {
    const dead = parseEgress(`http://127.0.0.1:${await deadPort()}`)
    const http = makeRoutedSender({ standard: DIRECT_EGRESS, others: [dead], clock: systemClock })
    undo.push(http.close)
    const { ask, peers, send } = start(answer, { proxyOf: http.proxyOf })
    expect(await ask({ egress: dead.id })).toBe("over http")
    expect((await errorOf(send({ egress: "http://removed" }))).upstream?.code).toBe("unknown-egress")
    expect(peers).toHaveLength(0)
  })

  test("stays HTTP for a proxied account while the environment exempts addresses from proxies", async () => {
    const proxy = await startSocksProxy()
    undo.push(proxy.stop)
    const egress = parseEgress(`socks5://${proxy.host}`)
    const http = makeRoutedSender({ standard: DIRECT_EGRESS, others: [egress], clock: systemClock })
    undo.push(http.close)
    const { ask, peers, detours } = start(answer, { proxyOf: http.proxyOf, bypassesProxies: () => true })
    expect(await ask({ egress: egress.id })).toBe("over http")
    expect(await ask()).toContain("resp_1_1")
    expect([peers.length, detours]).toEqual([1, ["proxy-exemption"]])
  })
})
