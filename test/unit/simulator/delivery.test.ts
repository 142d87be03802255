/** How answers travel: chunk borders, line ends, gates, cuts. */

import { expect, test } from "bun:test"

import fc from "fast-check"

import { deliverySteps } from "#simulator/delivery/delivery.ts"
import { makeGates } from "#simulator/gates.ts"
import { DEFAULT_SETTINGS, type Settings } from "#simulator/scripts/settings.ts"

import { GOOD_BODY, headersFor, parseEvents, postTurn, saying, turnEvents, withSimulator } from "./client.ts"

const EVENTS = [
  { type: "response.created", sequence_number: 0 },
  { type: "response.output_text.delta", delta: "Grüße, 世界 🌍" },
  { type: "response.completed" },
]

function bytesOf(settings: Partial<Settings>): Buffer {
  const steps = [...deliverySteps(EVENTS, { ...DEFAULT_SETTINGS, ...settings })]
  return Buffer.concat(steps.flatMap(step => (step.type === "bytes" ? [step.bytes] : [])))
}

test("any chunk size carries the same bytes, split inside characters or not", () => {
  const whole = bytesOf({ coalesce: true })
  fc.assert(fc.property(fc.integer({ min: 1, max: 400 }), chunkBytes => bytesOf({ chunkBytes }).equals(whole)))
})

test("one byte a chunk reassembles to the same events over a socket", () =>
  withSimulator(async simulator => {
    const events = await turnEvents(simulator, saying("[[simulate: bytewise text=Grüße🌍]]"))
    expect(events.find(event => event["type"] === "response.output_text.done")?.["text"]).toBe("Grüße🌍")
  }))

test("line ends, event lines and keep-alives follow the settings without touching the data", () => {
  const plain = parseEvents(bytesOf({}).toString())
  expect(bytesOf({ crlf: true }).toString()).toContain("event: response.created\r\ndata: ")
  expect(bytesOf({ eventLines: false }).toString()).not.toContain("event:")
  expect(bytesOf({ keepAlive: "comments" }).toString()).toStartWith(": keepalive\n\n")
  const styles: readonly Partial<Settings>[] = [{ crlf: true }, { eventLines: false }, { keepAlive: "comments" }]
  for (const settings of styles) {
    expect(parseEvents(bytesOf(settings).toString())).toEqual(plain)
  }
})

test("quirks change what they are named after and nothing else", () =>
  withSimulator(async simulator => {
    const events = (name: string) => turnEvents(simulator, saying(`[[simulate: ${name} text="a b c"]]`))
    const ids = (await events("rotating-ids")).flatMap(event => event["item_id"] ?? [])
    expect(new Set(ids).size).toBe(ids.length)
    expect((await events("obfuscation")).some(event => typeof event["obfuscation"] === "string")).toBe(true)
    expect((await events("unknown-events")).some(event => String(event["type"]).includes("unknown"))).toBe(true)
    expect((await events("quota-event"))[1]).toMatchObject({ type: "codex.rate_limits", plan_type: "plus" })
    expect((await events("null-usage-details")).at(-1)).toMatchObject({
      response: { usage: { input_tokens_details: null, output_tokens_details: null } },
    })
    expect((await events("full-output")).at(-1)).toMatchObject({ response: { output: [{ type: "message" }] } })
    expect((await events("rerouted")).at(-1)).toMatchObject({ response: { model: "gpt-5.5" } })
  }))

test("a truncated stream ends cleanly without a terminal event", () =>
  withSimulator(async simulator => {
    const events = await turnEvents(simulator, saying("[[simulate: truncated cut-after-events=3]]"))
    expect(events.length).toBe(3)
  }))

test("a reset breaks the connection after the events it lets through", () =>
  withSimulator(async simulator => {
    const response = await postTurn(simulator, saying("[[simulate: reset cut-after-events=3]]"))
    const reader = response.body?.getReader()
    let text = ""
    const read = async () => {
      for (;;) {
        const part = await reader?.read()
        if (part?.done !== false) return "ended"
        text += Buffer.from(part.value).toString()
      }
    }
    expect(await read().catch(error => String(error.code))).toBe("ECONNRESET")
    expect(parseEvents(text).length).toBe(3)
  }))

test("400 streams are open at once, and one release lets all of them finish", () =>
  withSimulator(async simulator => {
    simulator.control.script({ scenario: "hold" })
    const body = JSON.stringify(GOOD_BODY)
    const headers = Object.entries({ ...headersFor(simulator), host: "x", "content-length": String(body.length) })
    const head = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("")
    const text = `POST /backend-api/codex/responses HTTP/1.1\r\n${head}connection: close\r\n\r\n${body}`
    const answers = Array.from({ length: 400 }, () => rawAnswer(simulator.port, text))
    await simulator.control.untilWaiting("default", 400)
    expect(simulator.control.waiting("default")).toBe(400)
    expect(simulator.control.release()).toBe(400)
    const finished = await Promise.all(answers)
    expect(finished.filter(answer => answer.includes("event: response.completed")).length).toBe(400)
  }))

test("a client that leaves a gate is no longer counted there", () =>
  withSimulator(async simulator => {
    const leave = new AbortController()
    const gone = fetch(`${simulator.url}/backend-api/codex/responses`, {
      method: "POST",
      headers: headersFor(simulator),
      body: JSON.stringify(saying("[[simulate: hold hold=door]]")),
      signal: leave.signal,
    }).then(response => response.text())
    await simulator.control.untilWaiting("door", 1)
    leave.abort()
    expect(await gone.catch(error => error.name)).toBe("AbortError")
    while (simulator.control.waiting("door") > 0) await Bun.sleep(1)
  }))

test("a gate lets nobody pass who comes after its release", async () => {
  const gates = makeGates()
  const { signal } = new AbortController()
  const first = gates.wait("a", signal)
  expect(gates.release("a")).toBe(1)
  await first
  void gates.wait("a", signal)
  expect(gates.waiting("a")).toBe(1)
})

/** One request over a plain socket: `fetch` would run only 256 at a time. */
function rawAnswer(port: number, text: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const chunks: Buffer[] = []
  Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      open: socket => void socket.write(text),
      data: (_, data) => void chunks.push(Buffer.from(data)),
      close: () => resolve(Buffer.concat(chunks).toString()),
      error: (_, error) => reject(error),
    },
  }).catch(reject)
  return promise
}
