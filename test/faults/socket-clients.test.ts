/** Clients that speak Responses over WebSocket: turns, continuation, failures, limits, departures. */

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"

import { arrayAt, isJsonObject, type JsonObject, objectAt, stringAt } from "#core/json.ts"

import { dial, openResponsesSocket, type ResponsesSocket } from "../support/responses-socket.ts"
import { type FaultGateway, PROMPT_MARK, startFaultGateway, startOwnGateway } from "./fixture.ts"

setDefaultTimeout(20_000)

let gateway: FaultGateway

beforeAll(async () => {
  gateway = await startFaultGateway({ accounts: 2 })
})
afterAll(async () => {
  await gateway.idle()
  await gateway.stop()
})

const create = (input: unknown, more: JsonObject = {}): JsonObject =>
  ({ type: "response.create", model: "gpt-5.5", input, store: false, ...more }) as JsonObject
const typesOf = (frames: readonly JsonObject[]) => frames.map(frame => frame["type"])
const itemsOf = (body: JsonObject, list: string) => (arrayAt(body, list) ?? []).filter(isJsonObject)

function open(own: FaultGateway = gateway, path = "/v1/responses"): Promise<ResponsesSocket> {
  return openResponsesSocket(`${own.url}${path}`, { authorization: `Bearer ${own.key}` })
}

/** The response of the last frame. */
function responseOf(frames: readonly JsonObject[]): JsonObject {
  return objectAt(frames.at(-1) ?? {}, "response") ?? {}
}

function sentInput(own: FaultGateway = gateway): readonly JsonObject[] {
  const body = own.turns().at(-1)?.body
  return isJsonObject(body) ? itemsOf(body, "input") : []
}

const textOf = (item: JsonObject | undefined) => stringAt(itemsOf(item ?? {}, "content")[0] ?? {}, "text") ?? ""

describe("a turn", () => {
  test.each(["/v1/responses", "/responses", "/backend-api/codex/responses", "/v1/v1/responses"])(
    "at %s gives the events of the stream, a frame each",
    async path => {
      const socket = await open(gateway, path)
      const frames = await socket.ask(create(`${PROMPT_MARK} hello`))
      expect(typesOf(frames)[0]).toBe("response.created")
      expect(typesOf(frames)).toContain("response.output_text.delta")
      expect(typesOf(frames).at(-1)).toBe("response.completed")
      expect(itemsOf(responseOf(frames), "output").length).toBeGreaterThan(0)
      socket.close()
    },
  )

  test("ten turns on one socket, one after the other, each with an answer of its own", async () => {
    const socket = await open()
    for (let index = 0; index < 10; index += 1) {
      const frames = await socket.ask(create(`${PROMPT_MARK} number ${index}`))
      expect(JSON.stringify(responseOf(frames))).toContain(`number ${index}`)
    }
    socket.close()
  })

  test("while another one runs is refused, and the running one is not disturbed", async () => {
    const socket = await open()
    gateway.control.script({ settings: { hold: "gate", holdAfterEvents: 3 }, times: 1 })
    socket.send(create(`${PROMPT_MARK} first`))
    expect((await socket.next())["type"]).toBe("response.created")
    socket.send(create(`${PROMPT_MARK} second`))
    let refusal = await socket.next()
    while (refusal["type"] !== "error") refusal = await socket.next()
    expect(refusal).toMatchObject({ status: 400, error: { code: "response_in_progress" } })
    gateway.control.release("gate")
    let last = await socket.next()
    while (last["type"] !== "response.completed") last = await socket.next()
    expect(JSON.stringify(last)).toContain("first")
    socket.close()
  })
})

describe("continuation", () => {
  test("by previous_response_id, although nothing is stored", async () => {
    const socket = await open()
    const first = await socket.ask(create(`${PROMPT_MARK} first`))
    const more = { previous_response_id: stringAt(responseOf(first), "id") ?? "" }
    const second = await socket.ask(create([{ role: "user", content: `${PROMPT_MARK} second` }], more))
    expect(typesOf(second).at(-1)).toBe("response.completed")
    expect(textOf(sentInput()[0])).toContain("first")
    expect(textOf(sentInput().at(-1))).toContain("second")
    // Not on another socket: the chain lives in the first one only.
    const other = await open()
    expect((await other.ask(create("x", more))).at(-1)).toMatchObject({
      status: 400,
      error: { code: "previous_response_not_found" },
    })
    for (const one of [socket, other]) one.close()
  })

  test("after a warm-up, which asks no upstream; model and instructions are inherited", async () => {
    gateway.control.clearRecorded()
    const socket = await open()
    const base = [{ role: "developer", content: "Be a lamp." }]
    const warm = await socket.ask(create(base, { generate: false, instructions: "Shine." }))
    expect(typesOf(warm)).toEqual(["response.created", "response.completed"])
    expect(gateway.turns()).toHaveLength(0)
    const id = stringAt(responseOf(warm), "id") ?? ""
    const input = [{ role: "user", content: `${PROMPT_MARK} now` }]
    await socket.ask({ type: "response.create", input, previous_response_id: id })
    expect(sentInput().map(item => item["role"])).toEqual(["developer", "user"])
    expect(gateway.turns()[0]?.body).toMatchObject({ model: "gpt-5.5", instructions: "Shine." })
    socket.close()
  })

  test("of what the key has stored over HTTP", async () => {
    const stored = await gateway.post("/v1/responses", { model: "gpt-5.5", input: `${PROMPT_MARK} kept` })
    const socket = await open()
    const next = await socket.ask(
      create(`${PROMPT_MARK} next`, { previous_response_id: stringAt(stored.json(), "id") ?? "" }),
    )
    expect(textOf(sentInput()[0])).toContain("kept")
    // And on from there: nothing of it is lost.
    await socket.ask(create("last", { previous_response_id: stringAt(responseOf(next), "id") ?? "" }))
    const texts = sentInput().map(textOf).join("\n")
    for (const text of ["kept", "next", "last"]) expect(texts).toContain(text)
    socket.close()
  })
})

describe("errors", () => {
  test.each([
    ["no JSON", "frame"],
    ["[1]", "frame"],
    ['{"type":"session.update"}', "type"],
    ['{"type":"response.create","input":"x"}', "model"],
  ])("a frame that is wrong is answered with its status, and the socket goes on: %s", async (frame, param) => {
    const socket = await open()
    socket.send(frame)
    expect(await socket.next()).toMatchObject({ type: "error", status: 400, error: { param } })
    expect(typesOf(await socket.ask(create(`${PROMPT_MARK} on`))).at(-1)).toBe("response.completed")
    socket.close()
  })

  test("a binary frame closes the socket", async () => {
    const socket = dial(`${gateway.url}/v1/responses`, { authorization: `Bearer ${gateway.key}` })
    await new Promise(resolve => {
      socket.onopen = resolve
    })
    socket.send(new Uint8Array([1, 2, 3]))
    const event = await new Promise<CloseEvent>(resolve => {
      socket.onclose = resolve
    })
    expect(event.code).toBe(1003)
  })

  test("spent quota comes with status, reset and retry-after; the next turn is served again", async () => {
    await using own = await startOwnGateway({ accounts: 1 })
    own.control.setQuota("account-1", { primary: { usedPercent: 100, resetsInSec: 600 } })
    const socket = await open(own)
    const [refusal] = await socket.ask(create(`${PROMPT_MARK} spent`))
    expect(refusal).toMatchObject({
      type: "error",
      status: 429,
      error: { type: "usage_limit_reached", resets_in_seconds: expect.any(Number) },
      headers: { "retry-after": expect.any(String) },
    })
    own.control.setQuota("account-1", { primary: { usedPercent: 0 } })
    await own.post("/check-quota", "")
    expect(typesOf(await socket.ask(create(`${PROMPT_MARK} again`))).at(-1)).toBe("response.completed")
    socket.close()
  })

  test("a failure inside the upstream's 200 is repaired unseen; one after output is told with a status", async () => {
    const socket = await open()
    gateway.control.script({ scenario: "failure", settings: { code: "server_is_overloaded" }, times: 1 })
    expect(typesOf(await socket.ask(create(`${PROMPT_MARK} repaired`))).at(-1)).toBe("response.completed")
    gateway.control.script({ scenario: "text", settings: { cut: "reset", cutAfterEvents: 6 }, times: 1 })
    const cut = await socket.ask(create(`${PROMPT_MARK} cut`))
    expect(cut.at(-1)).toMatchObject({ type: "error", status: 500, error: { code: "upstream_stream_break" } })
    expect(typesOf(await socket.ask(create(`${PROMPT_MARK} on`))).at(-1)).toBe("response.completed")
    socket.close()
  })
})

describe("handshake", () => {
  test("without a key, or with a wrong one, is refused", async () => {
    for (const headers of [{}, { authorization: "Bearer sk-wrong" }]) {
      expect(openResponsesSocket(`${gateway.url}/v1/responses`, headers)).rejects.toThrow("refused")
    }
  })

  test("takes the key among the protocols, for browsers", async () => {
    const protocols = ["realtime", `openai-insecure-api-key.${gateway.key}`]
    const socket = await openResponsesSocket(`${gateway.url}/v1/responses`, {}, protocols)
    expect(typesOf(await socket.ask(create(`${PROMPT_MARK} hello`))).at(-1)).toBe("response.completed")
    socket.close()
  })

  test("a plain GET is told to upgrade or to POST", async () => {
    expect((await gateway.get("/v1/responses")).status).toBe(426)
  })
})

describe("the end", () => {
  test("a client that leaves in the middle of an answer ends the upstream's request and frees its slot", async () => {
    const socket = await open()
    gateway.control.script({ settings: { hold: "never", holdAfterEvents: 3 }, times: 1 })
    socket.send(create(`${PROMPT_MARK} leaving`))
    await socket.next()
    socket.close()
    await gateway.idle()
    gateway.control.release("never")
  })

  test("cancel ends the running turn and leaves the socket usable", async () => {
    const socket = await open()
    gateway.control.script({ settings: { hold: "cancelled", holdAfterEvents: 3 }, times: 1 })
    socket.send(create(`${PROMPT_MARK} unwanted`))
    await socket.next()
    socket.send({ type: "response.cancel" })
    await gateway.idle()
    gateway.control.release("cancelled")
    let answered: readonly JsonObject[] = []
    while (typesOf(answered).at(-1) !== "response.completed") answered = await socket.ask(create(`${PROMPT_MARK} on`))
    socket.close()
  })

  test("a gateway that stops closes idle sockets at once", async () => {
    const own = await startOwnGateway({ accounts: 1 })
    const socket = await open(own)
    await socket.ask(create(`${PROMPT_MARK} hello`))
    expect(await own.process().stop()).toBe(0)
    expect((await socket.closed).code).toBe(1001)
    await own.stop()
  })

  test("a frame that is too large closes the socket with 1009", async () => {
    await using own = await startOwnGateway({ accounts: 1, settings: { "max-body-bytes": "1MiB" } })
    const socket = await open(own)
    socket.send(create("x".repeat(2_000_000)))
    expect((await socket.closed).code).toBe(1009)
  })
})
