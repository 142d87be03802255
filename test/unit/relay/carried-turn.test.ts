/** A carried turn in virtual time: who says what, what the client gets, and that each request ends exactly once. */

import { expect, test } from "bun:test"

import { makeCarriedWorld } from "../../support/carried-world.ts"
import { CREATED, EMPTY, failedWith, GOOD, goodAfter, OUTPUT, refusal } from "../../support/turn-world.ts"

type World = ReturnType<typeof makeCarriedWorld>

/** Lets time pass until the promise has settled. */
async function after<Value>(world: World, pending: Promise<Value>, withinMs = 900_000): Promise<Value> {
  let isOver = false
  const over = () => {
    isOver = true
  }
  pending.then(over, over)
  for (let passedMs = 0; passedMs < withinMs && !isOver; passedMs += 250) await world.time.advanceAsync(250)
  if (!isOver) throw new Error(`nothing within ${withinMs} ms of virtual time; said: ${world.said.join(", ")}`)
  return pending
}

async function textOf(world: World, pending: Promise<Response>): Promise<string> {
  const response = await after(world, pending)
  // A stream that ends with a failure is cut after its last words.
  const decoder = new TextDecoder()
  let text = ""
  const reader = response.body?.getReader()
  const read = async () => {
    for (;;) {
      const piece = await reader?.read()
      if (piece === undefined || piece.done) return
      text += decoder.decode(piece.value, { stream: true })
    }
  }
  await after(
    world,
    read().catch(() => {}),
  )
  return text
}

/** Nothing is out, and the one request has one outcome. */
function expectSettled(world: World, status: number): void {
  expect(world.outcomes.map(outcome => outcome.status)).toEqual([status])
  expect(world.desk.size()).toBe(0)
  expect(world.scheduler.counts().leases).toBe(0)
}

test.each([true, false])("one exchange and two words of its end (stream: %p)", async stream => {
  const world = makeCarriedWorld()
  const text = await textOf(world, world.open({ stream }))
  expect(text).toContain("hello")
  expect(world.said).toEqual(["< request", "> attempt", "< begun", "< ended"])
  expectSettled(world, 200)
  expect(world.outcomes[0]).toMatchObject({ usage: { inputTokens: 10, outputTokens: 2 } })
})

test("a refusal is judged by the owner, who orders the next attempt from another account", async () => {
  const world = makeCarriedWorld()
  world.next("*", refusal(429, { type: "usage_limit_reached", message: "spent", resets_in_seconds: 60 }))
  expect(await textOf(world, world.open())).toContain("hello")
  expect(world.said).toEqual(["< request", "> attempt", "< refused", "> attempt", "< begun", "< ended"])
  expect(new Set(world.accounts()).size).toBe(2)
  expectSettled(world, 200)
})

test("a connection that cannot be made goes back to the owner with the runtime's code", async () => {
  const world = makeCarriedWorld()
  world.next("*", { throws: "ECONNREFUSED" })
  expect(await textOf(world, world.open())).toContain("hello")
  expect(world.said.slice(2, 4)).toEqual(["< unsent", "> attempt"])
  expectSettled(world, 200)
})

test("a failure inside a 200 and a head that breaks off are failed attempts", async () => {
  const world = makeCarriedWorld()
  const failed = failedWith({ code: "server_error", message: "oh" })
  world.next("*", { stream: [CREATED, failed] }, { stream: [CREATED, { breaks: true }] })
  expect(await textOf(world, world.open())).toContain("hello")
  expect(world.seen).toHaveLength(3)
  expect(world.said.filter(word => word === "< begun")).toHaveLength(3)
  expectSettled(world, 200)
})

test("an answer without output is given up for one with", async () => {
  const world = makeCarriedWorld()
  world.next("*", EMPTY)
  expect(await textOf(world, world.open())).toContain("hello")
  expect(world.said).toContain("> drop")
  expect(world.said).not.toContain("> accept")
  expectSettled(world, 200)
})

test("an answer without output is accepted where there is no other", async () => {
  const world = makeCarriedWorld()
  world.always(EMPTY)
  expect(await textOf(world, world.open())).toContain("response.completed")
  expect(world.said.slice(-2)).toEqual(["> accept", "< ended"])
  expectSettled(world, 200)
})

test("headers go out after 15 s without an answer, which is streamed behind them when it comes", async () => {
  const world = makeCarriedWorld()
  world.next("*", goodAfter(40_000))
  const response = await after(world, world.open())
  expect(response.status).toBe(200)
  expect(world.said.at(-1)).toBe("> greet")
  expect(world.time.clock() - (world.seen[0]?.atMs ?? 0)).toBeLessThanOrEqual(15_500)
  expect(await textOf(world, Promise.resolve(response))).toContain("hello")
  expectSettled(world, 200)
})

test("when every attempt fails after the headers have gone out, the stream says so and ends", async () => {
  const world = makeCarriedWorld({ accounts: ["a"] })
  world.always({ throws: "ECONNRESET", afterMs: 20_000 })
  const text = await textOf(world, world.open())
  expect(text).toContain("The upstream closed the connection.")
  expect(world.said).toContain("> greet")
  expect(world.said).toContain("> fail")
  expectSettled(world, 502)
})

test("an upstream that never answers is given up at the deadline for the first byte", async () => {
  const world = makeCarriedWorld({ accounts: ["a"], turn: { firstByteTimeoutMs: 10_000 } })
  world.always({ throws: "never", afterMs: 10_000_000 })
  const response = await after(world, world.open())
  expect(response.status).toBe(504)
  expect(world.seen[0]?.closedAtMs).toBe((world.seen[0]?.atMs ?? 0) + 10_000)
  expectSettled(world, 504)
})

test("silence in the middle ends the answer at its relay", async () => {
  const world = makeCarriedWorld()
  world.next("*", { stream: [CREATED + OUTPUT, { waitMs: 10_000_000 }] })
  const text = await textOf(world, world.open())
  expect(text).toContain("The upstream fell silent.")
  expect(text).toContain(": keep")
  expect(world.said).toEqual(["< request", "> attempt", "< begun", "< ended"])
  expectSettled(world, 504)
})

test.each([
  ["before the answer", { throws: "never", afterMs: 10_000_000 }],
  ["in the middle", { stream: [CREATED + OUTPUT, { waitMs: 10_000_000 }] }],
] as const)("a client that leaves %s ends the upstream request at once", async (_, script) => {
  const world = makeCarriedWorld()
  world.next("*", script)
  const client = new AbortController()
  const reading = world.open({}, client).then(response => response.text())
  reading.catch(() => {})
  await world.time.advanceAsync(1_000)
  const leftAtMs = world.time.clock()
  client.abort()
  await world.time.advanceAsync(0)
  expect(world.seen[0]?.closedAtMs).toBe(leftAtMs)
  expect(world.said).toContain("< gone")
  expect(world.seen).toHaveLength(1)
  expect(world.outcomes).toMatchObject([{ error: { kind: "cancelled" } }])
  expect(world.scheduler.counts().leases).toBe(0)
})

test.each([
  ["before it has an answer", { throws: "never", afterMs: 10_000_000 }],
  ["while it serves", { stream: [CREATED + OUTPUT, { waitMs: 10_000_000 }] }],
] as const)("a relay that dies %s: the request ends once, and its lease comes back", async (_, script) => {
  const world = makeCarriedWorld()
  world.next("*", script)
  void world.open()
  await world.time.advanceAsync(1_000)
  expect(world.scheduler.counts().leases).toBe(1)
  world.lose()
  await world.time.advanceAsync(1_000)
  expect(world.outcomes).toMatchObject([{ error: { kind: "internal", code: "relay_ended" } }])
  expect(world.scheduler.counts().leases).toBe(0)
  expect(world.desk.size()).toBe(0)
  // Nobody else is asked: whoever wanted the answer is gone.
  expect(world.seen).toHaveLength(1)
})

test("what the request itself is refused for is the owner's answer", async () => {
  const world = makeCarriedWorld()
  world.always(refusal(400, { message: "no such thing", type: "invalid_request_error" }))
  const response = await after(world, world.open())
  expect(response.status).toBe(400)
  expect(await response.text()).toContain("no such thing")
  expect(world.said).toEqual(["< request", "> attempt", "< refused", "> answer"])
  expectSettled(world, 400)
})

test("with a relay a client gets what it gets without", async () => {
  const world = makeCarriedWorld()
  world.always(GOOD)
  const carried = await textOf(world, world.open({ stream: false }))
  const direct = await world.ask({ stream: false, input: "question" })
  expect(JSON.parse(carried)).toEqual(JSON.parse(String(direct.body)))
})
