/** Relay threads in this process: how many messages a request takes, and what becomes of everything when one ends. */

import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test"

import { arrayAt, isJsonObject, objectAt, stringAt } from "#core/json.ts"
import { openRelayWorker } from "#relay/thread/open-relay-worker.ts"

import { type InProcessGateway, startInProcessGateway } from "../support/in-process-gateway.ts"
import { until } from "./fixture.ts"

setDefaultTimeout(30_000)

let gateway: InProcessGateway
let workers: Worker[] = []
/** Types of all messages, both ways, in the order of their sending. */
let said: string[] = []

/** A thread whose words are written down. */
function openHeard(): Worker {
  const worker = openRelayWorker()
  worker.addEventListener("message", ({ data }) => {
    said.push(`< ${data.type}`)
  })
  const post = worker.postMessage.bind(worker)
  // The owner always gives a list; the type has another form besides.
  const heard = (message: { readonly type: string }, transfer?: Transferable[]) => {
    said.push(`> ${message.type}`)
    post(message, transfer ?? [])
  }
  worker.postMessage = heard as Worker["postMessage"]
  workers.push(worker)
  return worker
}

beforeEach(async () => {
  workers = []
  gateway = await startInProcessGateway({
    files: 2,
    config: { workers: 2, accountConcurrency: 100 },
    openWorker: openHeard,
  })
  said = []
})
afterEach(() => gateway.stop())

const ask = (text: string, stream = true) =>
  fetch(`${gateway.url}/v1/chat/completions`, {
    method: "POST",
    // A connection of its own: the kernel deals out connections, not requests.
    keepalive: false,
    headers: { authorization: `Bearer ${gateway.clientKey}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "gpt-5.5", stream, messages: [{ role: "user", content: text }] }),
  })

/** Asks until a thread answers that lives: one that is just ending cuts its connections, or gives an empty 503. */
async function stats() {
  const auth = { authorization: `Bearer ${gateway.clientKey}` }
  for (;;) {
    const answer = await gateway.ask("GET", "/stats", undefined, auth).catch(() => undefined)
    if (answer?.status === 200) return answer.json
    await Bun.sleep(5)
  }
}

/** Streams that have begun and are held at a gate, one after the other until both threads have some. */
async function holdOnBoth(): Promise<readonly Response[]> {
  gateway.simulator.control.script({ scenario: "text", settings: { hold: "held", holdAfterEvents: 6 } })
  const held: Response[] = []
  for (;;) {
    held.push(await ask("hold"))
    const { relays } = await stats()
    if (relays.threads.every(({ streams }: { readonly streams: number }) => streams > 0)) return held
    if (held.length > 40) throw new Error("one thread gets no connection")
  }
}

async function ended(response: Response): Promise<"whole" | "cut"> {
  try {
    return (await response.text()).endsWith("data: [DONE]\n\n") ? "whole" : "cut"
  } catch {
    return "cut"
  }
}

/** Lines of the log about requests that ended with their thread. */
const lostLines = () =>
  gateway
    .log()
    .split("\n")
    .filter(line => line.includes("relay_ended"))

test.each([
  [2, true],
  [500, true],
  [500, false],
] as const)("an answer of %d words takes one exchange and two words of its end (stream: %p)", async (words, stream) => {
  gateway.simulator.control.script({ scenario: "text", settings: { words } })
  const response = await ask("count", stream)
  expect(response.status).toBe(200)
  await response.text()
  expect(said).toEqual(["< request", "> attempt", "< begun", "< ended"])
})

test("a retry takes one exchange more", async () => {
  gateway.simulator.control.script({ scenario: "usage-limit", times: 1 })
  await (await ask("twice")).text()
  expect(said).toEqual(["< request", "> attempt", "< refused", "> attempt", "< begun", "< ended"])
})

test("what the upstream says of quotas in the stream is told at once", async () => {
  gateway.simulator.control.script({ scenario: "quota-event-alone" })
  await (await ask("quota")).text()
  expect(said.filter(word => word === "< notes")).toHaveLength(1)
})

test("a thread that is ended in mid-stream: its streams are cut and settled once, the others go on, another thread begins", async () => {
  const { control } = gateway.simulator
  const held = await holdOnBoth()
  const before = await stats()
  expect(before.pool.leases).toBe(held.length)
  const lost: number = before.relays.threads[0].streams
  workers[0]?.terminate()
  await until("the leases come back", async () => (await stats()).pool.leases === held.length - lost)
  await until("the upstream sees them go", () => control.waiting("held") === held.length - lost)
  expect(lostLines()).toHaveLength(lost)
  await until("another thread has begun", async () => (await stats()).relays.alive === 2)
  expect((await stats()).relays.threads[0]).toMatchObject({ alive: true, streams: 0, restarts: 1 })
  control.clearScripts()
  control.release("held")
  const ends = await Promise.all(held.map(ended))
  expect(ends.filter(end => end === "cut")).toHaveLength(lost)
  expect(ends.filter(end => end === "whole")).toHaveLength(held.length - lost)
  expect((await ask("afterwards")).status).toBe(200)
  await until("nothing is out", async () => (await stats()).pool.leases === 0)
  expect(lostLines()).toHaveLength(lost)
})

test("a thread that is ended while its request waits for an answer: the request is settled, and nobody is asked again", async () => {
  const { control } = gateway.simulator
  control.script({ scenario: "text", settings: { hold: "silent", holdAfterEvents: 0 } })
  const answer = ask("wait").then(ended, () => "cut" as const)
  await control.untilWaiting("silent", 1)
  for (const worker of workers.splice(0)) worker.terminate()
  expect(await answer).toBe("cut")
  await until("it is settled", () => lostLines().length === 1)
  await until("the threads are back", async () => {
    const now = await stats()
    return now.relays.alive === 2 && now.pool.leases === 0
  })
  expect(control.recorded({ path: "/codex/responses" })).toHaveLength(1)
})

test("an error that nobody catches ends one thread only, is told in the log, and another one begins", async () => {
  const held = await holdOnBoth()
  // An order without its error: the thread trips over it as it would over a bug.
  workers[0]?.postMessage({ type: "abort", id: 1 })
  await until("it is replaced", async () => {
    const { relays } = await stats()
    return relays.alive === 2 && relays.threads[0].restarts === 1
  })
  expect((await stats()).relays.threads[1]).toMatchObject({ alive: true, restarts: 0 })
  expect(gateway.log()).toMatch(/"reason":"[^"]*destructure[^"]*","pauseMs":100,"msg":"a relay thread has ended/)
  gateway.simulator.control.release("held")
  expect(await Promise.all(held.map(ended))).toContain("whole")
})

test("a key with one place gets it back from a thread that has ended", async () => {
  const made = await gateway.ask("POST", "/api/admin/keys", { name: "one", limits: { concurrency: 1 } })
  const key: string = made.json.key
  const { control } = gateway.simulator
  control.script({ scenario: "text", settings: { hold: "place", holdAfterEvents: 6 }, times: 1 })
  const headers = { authorization: `Bearer ${key}` }
  const body = { model: "gpt-5.5", stream: true, messages: [{ role: "user", content: "hello" }] }
  const first = fetch(`${gateway.url}/v1/chat/completions`, { method: "POST", headers, body: JSON.stringify(body) })
  const cut = first.then(ended, () => "cut" as const)
  await control.untilWaiting("place", 1)
  for (const worker of workers.splice(0)) worker.terminate()
  expect(await cut).toBe("cut")
  await until("the threads are back", async () => (await stats()).relays.alive === 2)
  const next = await gateway.ask("POST", "/v1/chat/completions", { ...body, stream: false }, headers)
  expect(next.status).toBe(200)
  const [choice] = (arrayAt(next.json, "choices") ?? []).filter(isJsonObject)
  expect(stringAt(objectAt(choice ?? {}, "message") ?? {}, "content")).toContain("Sluice simulator")
})
