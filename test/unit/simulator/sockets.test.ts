/** The WebSocket variant of the responses endpoint: handshake, turns, what only lives in one socket, ends. */

import { expect, test } from "bun:test"

import { type JsonObject, numberAt, objectAt } from "#core/json.ts"
import { startSimulator } from "#simulator/simulator.ts"

import { GOOD_BODY, turnEvents, typesOf, withSimulator } from "./client.ts"
import { CREATE, openSocket, responseId, userItem } from "./socket-client.ts"

function without(event: JsonObject | undefined, ...keys: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(event ?? {}).filter(([key]) => !keys.includes(key)))
}

test("a turn brings the events of an HTTP stream, one a frame, behind what the headers would have said", () =>
  withSimulator(async simulator => {
    const frames = await (await openSocket(simulator)).turn(CREATE)
    const events = await turnEvents(simulator, GOOD_BODY)
    expect(typesOf(frames)).toEqual(["response.metadata", "codex.rate_limits", ...typesOf(events)])
    expect(frames[0]?.["headers"]).toMatchObject({ "x-codex-turn-state": expect.any(String) })
    expect(frames[1]).toMatchObject({ rate_limits: { primary: { window_minutes: 300 } } })
  }))

test.each<[string, Record<string, string>, string]>([
  ["an unknown token", { authorization: "Bearer nobody" }, "401"],
  ["another workspace", { "chatgpt-account-id": "elsewhere" }, "403"],
  ["no beta header", { "openai-beta": "" }, "400"],
])("a handshake with %s is refused", (_, headers, status) =>
  withSimulator(async simulator => {
    await expect(openSocket(simulator, headers)).rejects.toThrow(status)
  }),
)

test("the handshake is scripted apart from the turns", () =>
  withSimulator(async simulator => {
    simulator.control.script({ endpoint: "socket", scenario: "upgrade-required", times: 1 })
    simulator.control.script({ endpoint: "socket", scenario: "too-many-sockets", times: 1 })
    await expect(openSocket(simulator)).rejects.toThrow("403")
    responseId(await (await openSocket(simulator)).turn(CREATE))
    simulator.control.setRules({ maxSocketsPerAccount: 1 })
    await expect(openSocket(simulator)).rejects.toThrow("403")
    simulator.control.setRules({ serveSockets: false })
    await expect(openSocket(simulator)).rejects.toThrow("426")
  }))

test("a plain GET is answered with 426", () =>
  withSimulator(async simulator => {
    expect((await fetch(`${simulator.url}/backend-api/codex/responses`)).status).toBe(426)
  }))

test("a next turn builds on the last one and sends only what is new", () =>
  withSimulator(async simulator => {
    const socket = await openSocket(simulator)
    const first = responseId(await socket.turn({ ...CREATE, input: [userItem("Remember the word lantern.")] }))
    const frames = await socket.turn({ ...CREATE, previous_response_id: first, input: [userItem("Which word?")] })
    const whole = await turnEvents(simulator, {
      ...GOOD_BODY,
      input: [userItem("Remember the word lantern."), userItem("Which word?")],
    })
    const used = (event: JsonObject | undefined) => {
      const usage = objectAt(objectAt(event ?? {}, "response") ?? {}, "usage") ?? {}
      return numberAt(usage, "input_tokens") ?? Number.NaN
    }
    // The context also holds what was answered, so it is larger than the two questions.
    expect(used(frames.at(-1))).toBeGreaterThan(used(whole.at(-1)))
    expect(simulator.control.recorded({ path: "/responses" }).filter(({ method }) => method === "WS")).toMatchObject([
      { socket: 1, body: { input: [userItem("Remember the word lantern.")] } },
      { socket: 1, body: { previous_response_id: first, input: [userItem("Which word?")] } },
    ])
  }))

test("a response is known on its own socket only", () =>
  withSimulator(async simulator => {
    const id = responseId(await (await openSocket(simulator)).turn(CREATE))
    const other = await openSocket(simulator)
    expect(await other.turn({ ...CREATE, previous_response_id: id })).toEqual([
      {
        type: "error",
        status: 400,
        error: {
          type: "invalid_request_error",
          code: "previous_response_not_found",
          message: `Previous response with id '${id}' not found.`,
          param: "previous_response_id",
        },
      },
    ])
  }))

test("a chained turn that leaves a call unanswered is refused", () =>
  withSimulator(async simulator => {
    const socket = await openSocket(simulator)
    const tools = [{ type: "function", name: "look", parameters: { type: "object", properties: {} } }]
    const called = await socket.turn({ ...CREATE, tools, input: [userItem("[[simulate: call tool=look]] go")] })
    const again = { ...CREATE, tools, previous_response_id: responseId(called) }
    const [refusal] = await socket.turn({ ...again, input: [userItem("never mind")] })
    expect(JSON.stringify(refusal)).toContain("No tool output found for function call call_")
  }))

test("a prewarm has no output and is built on", () =>
  withSimulator(async simulator => {
    const socket = await openSocket(simulator)
    const frames = await socket.turn({ ...CREATE, generate: false })
    expect(typesOf(frames).filter(type => type.startsWith("response.output"))).toEqual([])
    const next = await socket.turn({ ...CREATE, previous_response_id: responseId(frames), input: [userItem("go")] })
    responseId(next)
  }))

test("one response at a time: a second one is refused and the first goes on", () =>
  withSimulator(async simulator => {
    const socket = await openSocket(simulator)
    simulator.control.script({ scenario: "hold", times: 1 })
    socket.send(CREATE)
    await simulator.control.untilWaiting("default", 1)
    socket.send(CREATE)
    const frames = await socket.until("error")
    expect(frames.at(-1)).toMatchObject({ status: 400, error: { code: "response_in_progress" } })
    simulator.control.release()
    responseId(await socket.until("response.completed"))
  }))

test("a refusal is one frame with status and headers", () =>
  withSimulator(async simulator => {
    simulator.control.setQuota("account-1", { primary: { usedPercent: 100 } })
    const frames = await (await openSocket(simulator)).turn(CREATE)
    expect(frames).toEqual([
      {
        type: "error",
        status: 429,
        error: expect.objectContaining({ type: "usage_limit_reached" }),
        headers: expect.objectContaining({
          "X-Codex-Primary-Used-Percent": "100",
          "X-Codex-Rate-Limit-Reached-Type": "rate_limit_reached",
        }),
      },
    ])
  }))

test("a page in place of a stream is a frame that is no event", () =>
  withSimulator(async simulator => {
    simulator.control.script({ scenario: "detail-200", times: 1 })
    const socket = await openSocket(simulator)
    socket.send(CREATE)
    expect(await socket.until("undefined")).toEqual([{ detail: "Something went wrong" }])
  }))

test.each<[string, JsonObject, string]>([
  ["another type", { type: "response.cancel" }, "Unknown frame type"],
  ["a field of HTTP", { ...CREATE, background: false }, "Unsupported parameter: background"],
  ["an unknown field", { ...CREATE, temperature: 1 }, "Unsupported parameter: temperature"],
  ["storing", { ...CREATE, store: true }, "Store must be set to false"],
])("a frame with %s is refused", (_, frame, message) =>
  withSimulator(async simulator => {
    const [refusal] = await (await openSocket(simulator)).turn(frame)
    expect(refusal).toMatchObject({ type: "error", status: 400, error: { message: expect.stringContaining(message) } })
  }),
)

test("frames that are too large or binary close the socket", async () => {
  const simulator = startSimulator({ maxFrameBytes: 10_000 })
  try {
    const large = await openSocket(simulator)
    large.send({ ...CREATE, instructions: "x".repeat(20_000) })
    expect((await large.closed).code).toBe(1009)
    const binary = await openSocket(simulator)
    binary.send(new Uint8Array([1, 2, 3]))
    expect((await binary.closed).code).toBe(1003)
  } finally {
    await simulator.stop()
  }
})

test("a socket begins no turn once it is an hour old", async () => {
  let nowMs = 1_790_000_000_000
  const simulator = startSimulator({ clock: () => nowMs })
  try {
    const socket = await openSocket(simulator)
    nowMs += 3_599_000
    responseId(await socket.turn(CREATE))
    nowMs += 1_000
    const frames = await socket.turn(CREATE)
    expect(frames).toMatchObject([{ status: 400, error: { code: "websocket_connection_limit_reached" } }])
    expect((await socket.closed).code).toBe(1000)
  } finally {
    await simulator.stop()
  }
})

test.each([
  ["reset", { scenario: "reset", settings: { cutAfterEvents: 3 } }, 1006],
  ["truncated", { scenario: "truncated", settings: { cutAfterEvents: 3, closeCode: 1001 } }, 1001],
] as const)("a turn that is cut (%s) leaves no terminal frame", (_, script, code) =>
  withSimulator(async simulator => {
    simulator.control.script(script)
    const socket = await openSocket(simulator)
    const frames = await socket.turn(CREATE)
    expect((await socket.closed).code).toBe(code)
    expect(frames.map(({ type }) => type)).not.toContain("response.completed")
  }),
)

test("a socket that closes between turns does so behind a whole answer, and so on order", () =>
  withSimulator(async simulator => {
    simulator.control.script({ scenario: "closing", times: 1 })
    const socket = await openSocket(simulator)
    responseId(await socket.turn(CREATE))
    expect((await socket.closed).code).toBe(1000)
    const other = await openSocket(simulator)
    expect(simulator.control.sockets()).toMatchObject([{ number: 2, account: "account-1" }])
    expect(simulator.control.closeSockets()).toBe(1)
    expect((await other.closed).code).toBe(1006)
    await simulator.control.untilSockets(0)
  }))

test("the twin of the turn state is taken for the header", () =>
  withSimulator(async simulator => {
    const socket = await openSocket(simulator)
    const [metadata] = await socket.turn({ ...CREATE, client_metadata: { "x-codex-turn-state": "mine" } })
    expect(without(metadata, "type")).toMatchObject({ headers: { "x-codex-turn-state": "mine" } })
  }))
