/** Every recorded answer that is a stream, sent over a real WebSocket: clients get what they get over HTTP. */

import { afterAll, describe, expect, test } from "bun:test"

import { systemClock, systemTimers } from "#core/clock.ts"
import { parseJsonObject } from "#core/json.ts"
import type { UpstreamRequest } from "#core/upstream.ts"
import { makeResponsesSpeaker } from "#protocols/openai-responses/socket/speaker.ts"
import { makeSocketSender } from "#transport/socket/socket-sender.ts"
import { readSseFrame } from "#wire/sse-splitter.ts"

import { chatLane, collect, decode, geminiLane, messagesLane, relay, stream } from "./support/matrix-lanes.ts"
import { eventLines, loadScenarios, readGolden, type Scenario } from "./support/scenarios.ts"

/** What the upstream would send as frames: the JSON of every whole event, over lines as the recording has it. */
function framesOf({ upstream }: Scenario): readonly string[] {
  const text = new TextDecoder()
    .decode(upstream)
    .replaceAll("\r\n", "\n")
    .replace(/^\uFEFF/, "")
  return text
    .split("\n\n")
    .map(frame => readSseFrame(frame).data)
    .filter(data => parseJsonObject(data) !== undefined)
}

const scenarios = loadScenarios().map(scenario => ({ scenario, frames: framesOf(scenario) }))
const byName = new Map(scenarios.map(({ scenario, frames }) => [scenario.name, frames]))

/** A socket names its scenario in the address; it sends all of it and closes where the recording has no terminal event. */
const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch: (request, self) => {
    const name = new URL(request.url).pathname.slice(1)
    return self.upgrade(request, { data: { name } }) ? undefined : new Response("no upgrade", { status: 426 })
  },
  websocket: {
    data: {} as { name: string },
    message: socket => {
      for (const frame of byName.get(socket.data.name) ?? []) socket.send(frame)
      socket.close(1000)
    },
  },
})
const detours: string[] = []
const sockets = makeSocketSender({
  clock: systemClock,
  timers: systemTimers,
  http: () => Promise.reject(new Error("nothing here may go over HTTP")),
  proxyOf: () => false,
  bypassesProxies: () => false,
  makeSpeaker: makeResponsesSpeaker,
  maxPerAccount: () => 45,
  onDetour: reason => detours.push(reason),
})
afterAll(async () => {
  sockets.close()
  await server.stop(true)
})

async function received(name: string): Promise<Uint8Array> {
  const body = { model: "m", input: [] }
  const url = `ws://127.0.0.1:${server.port}/${name}`
  const request = {
    method: "POST",
    url,
    headers: {},
    body: JSON.stringify(body),
    egress: undefined,
    account: `acc_${name}` as NonNullable<UpstreamRequest["account"]>,
    socket: { url, conversation: name, headers: {}, metadata: {}, body },
  } as const
  const reply = await sockets.send(request, new AbortController().signal)
  expect(reply.status).toBe(200)
  return new Response(reply.body).bytes()
}

/** Bodies that are no event stream have no frames; they cannot come over a socket. */
const STREAMS = scenarios.filter(({ frames }) => frames.length > 1)

test("the recordings that cannot be frames are the two that are no streams", () => {
  expect(scenarios.filter(({ frames }) => frames.length <= 1).map(({ scenario }) => scenario.name)).toEqual([
    "html-page",
    "json-body",
  ])
})

for (const { scenario } of STREAMS) {
  const { name } = scenario
  describe(name, () => {
    const bytes = received(name)

    test("gives the golden events", async () => {
      expect(eventLines(decode(scenario, [await bytes]))).toBe(readGolden(name, "events.txt"))
    })
    test.each([chatLane, messagesLane, geminiLane, relay])("gives the golden $dialect answer", async lane => {
      const chunks = [await bytes]
      const sent = stream(lane.pipe(scenario), chunks)
      const both = `${sent}=== json ===\n${collect(lane.collector(scenario), chunks)}\n`
      // A comment keeps an HTTP stream alive; there are none between frames.
      expect(both).toBe(readGolden(name, `client.${lane.dialect}.txt`).replaceAll(": keepalive\n\n", ""))
    })
  })
}
