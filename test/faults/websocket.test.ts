/** Turns over WebSockets to the upstream: what a client sees, what goes over which socket, and what is never used again. */

import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"

import { arrayAt, isJsonObject, type JsonObject } from "#core/json.ts"

import { readEvents } from "../support/sse.ts"
import { type FaultGateway, PROMPT_MARK, startFaultGateway, startOwnGateway, turn, until } from "./fixture.ts"

setDefaultTimeout(30_000)

const SETTINGS = { "upstream-transport": "ws" }
const SECOND_KEY = "sk-sluice-fault-second-key"

let gateway: FaultGateway

beforeAll(async () => {
  const keys = { "api-keys": ["sk-sluice-fault-test-key", SECOND_KEY] }
  gateway = await startFaultGateway({ accounts: 12, settings: { ...SETTINGS, ...keys } })
})
afterEach(async () => {
  gateway.control.clearScripts()
  gateway.control.release()
  await gateway.idle()
  gateway.control.closeSockets()
  await gateway.control.untilSockets(0)
  gateway.control.setRules({ serveSockets: true, socketLifetimeSec: 3600 })
  gateway.control.clearRecorded()
})
afterAll(() => gateway.stop())

/** Turns that came over sockets, turns that came as requests of their own, and handshakes. */
function seen(from: FaultGateway = gateway) {
  const turns = from.turns()
  const by = (wanted: string) => turns.filter(({ method }) => method === wanted)
  return { frames: by("WS"), posts: by("POST"), handshakes: by("GET") }
}

function user(text: string): JsonObject {
  return { type: "message", role: "user", content: [{ type: "input_text", text: `${PROMPT_MARK} ${text}` }] }
}

/** A turn of a named conversation. */
function said(conversation: string, input: readonly JsonObject[], more: JsonObject = {}): JsonObject {
  return { model: "gpt-5.5", input, prompt_cache_key: conversation, ...more }
}

function sizes() {
  return seen().frames.map(({ body }) => (isJsonObject(body) ? (arrayAt(body, "input") ?? []).length : 0))
}

function isChained(body: unknown): boolean {
  return isJsonObject(body) && typeof body["previous_response_id"] === "string"
}

function outputOf(body: JsonObject): readonly JsonObject[] {
  return (arrayAt(body, "output") ?? []).filter(isJsonObject)
}

function messageOf(answer: JsonObject): JsonObject {
  const [choice] = arrayAt(answer, "choices") ?? []
  return isJsonObject(choice) && isJsonObject(choice["message"]) ? choice["message"] : {}
}

describe("turns of one conversation", () => {
  test("share a socket, and each sends only what is new", async () => {
    const history = [user("one")]
    for (const next of ["two", "three", "four"]) {
      const reply = await gateway.post("/v1/responses", said("incremental", history))
      expect(reply.status).toBe(200)
      history.push(...outputOf(reply.json()), user(next))
    }
    expect((await gateway.post("/v1/responses", said("incremental", history))).status).toBe(200)
    const { frames, posts, handshakes } = seen()
    expect(sizes()).toEqual([1, 1, 1, 1])
    expect(frames.map(({ body }) => isChained(body))).toEqual([false, true, true, true])
    expect(new Set(frames.map(({ socket }) => socket)).size).toBe(1)
    expect([posts.length, handshakes.length]).toEqual([0, 1])
  })

  test("send tool outputs alone", async () => {
    const tools = [{ type: "function", name: "look", parameters: { type: "object", properties: {} } }]
    const ask = user("[[simulate: parallel-calls tool=look calls=2]] go")
    const first = await gateway.post("/v1/responses", said("tools", [ask], { tools }))
    const calls = outputOf(first.json()).filter(({ type }) => type === "function_call")
    expect(calls).toHaveLength(2)
    const outputs = calls.map(call => ({
      type: "function_call_output",
      call_id: call["call_id"] ?? "",
      output: "seen",
    }))
    const again = said("tools", [ask, ...outputOf(first.json()), ...outputs], { tools })
    expect((await gateway.post("/v1/responses", again)).status).toBe(200)
    expect(sizes()).toEqual([1, 2])
  })

  test.each<[string, readonly JsonObject[], JsonObject]>([
    ["other instructions", [], { instructions: "Be brief." }],
    ["another effort", [], { reasoning: { effort: "high" } }],
    ["another tool", [], { tools: [{ type: "function", name: "x", parameters: { type: "object", properties: {} } }] }],
    ["an edited beginning", [user("edited")], {}],
  ])("send everything after %s", async (what, edited, more) => {
    const first = await gateway.post("/v1/responses", said(what, [user("one")]))
    const history = [...(edited.length > 0 ? edited : [user("one")]), ...outputOf(first.json()), user("two")]
    expect((await gateway.post("/v1/responses", said(what, history, more))).status).toBe(200)
    const { frames } = seen()
    expect(frames.map(({ body }) => isChained(body))).toEqual([false, false])
    expect(sizes()[1]).toBe(history.length)
  })

  test.each([
    {
      dialect: "chat",
      path: "/v1/chat/completions",
      first: { messages: [{ role: "user", content: `${PROMPT_MARK} one` }], reasoning_effort: "low" },
      next: (answer: JsonObject) => ({
        messages: [
          { role: "user", content: `${PROMPT_MARK} one` },
          messageOf(answer),
          { role: "user", content: "two" },
        ],
        reasoning_effort: "low",
      }),
    },
    {
      dialect: "messages",
      path: "/v1/messages",
      first: { max_tokens: 1000, messages: [{ role: "user", content: `${PROMPT_MARK} one` }] },
      next: (answer: JsonObject) => ({
        max_tokens: 1000,
        messages: [
          { role: "user", content: `${PROMPT_MARK} one` },
          { role: "assistant", content: answer["content"] ?? [] },
          { role: "user", content: "two" },
        ],
      }),
    },
  ])("are incremental for a client that speaks $dialect", async ({ path, first, next }) => {
    gateway.control.script({ scenario: "text" })
    const head = { model: "gpt-5.5-low" }
    const one = await gateway.post(path, { ...head, ...first })
    expect(one.status).toBe(200)
    expect((await gateway.post(path, { ...head, ...next(one.json()) })).status).toBe(200)
    expect(seen().frames.map(({ body }) => isChained(body))).toEqual([false, true])
    expect(sizes()).toEqual([1, 1])
  })

  test("that run at the same time do not share it: the second goes over HTTP", async () => {
    await using own = await startOwnGateway({ accounts: 1, settings: SETTINGS })
    own.control.script({ scenario: "hold", times: 1 })
    const first = own.post("/v1/responses", said("parallel", [user("one")]))
    await own.control.untilWaiting("default", 1)
    expect((await own.post("/v1/responses", said("parallel", [user("other")]))).status).toBe(200)
    own.control.release()
    expect((await first).status).toBe(200)
    expect([seen(own).frames.length, seen(own).posts.length]).toEqual([1, 1])
  })

  test("carry a Codex client's turn state and telemetry inside the frame", async () => {
    const codex = { originator: "codex_cli_rs", "x-codex-window-id": "window-1" }
    const first = await gateway.open("/v1/responses", said("state", [user("one")], { stream: true }), codex)
    await first.ended
    const state = first.headers()["x-codex-turn-state"] ?? ""
    expect(state).not.toBe("")
    await gateway.open("/v1/responses", said("state", [user("two")], { stream: true }), {
      ...codex,
      "x-codex-turn-state": state,
    }).ended
    const [, frame] = seen().frames
    expect(frame?.body).toMatchObject({
      client_metadata: { "x-codex-turn-state": state, "x-codex-window-id": "window-1" },
    })
    expect(frame?.headers).not.toHaveProperty("x-codex-turn-state")
  })

  test("go over HTTP as soon as the setting says so, and back", async () => {
    await using own = await startOwnGateway({ accounts: 1, settings: SETTINGS })
    await own.post("/v1/responses", said("live", [user("one")]))
    await own.configure({ "upstream-transport": "http" })
    await until("a turn goes over HTTP", async () => {
      await own.post("/v1/responses", said("live", [user("two")]))
      return seen(own).posts.length > 0
    })
    expect(seen(own).frames.length).toBeGreaterThan(0)
  })
})

describe("fault 49: a socket that breaks with 1006 inside a turn", () => {
  test("after output ends the answer in the dialect's way, and everything it held is free", async () => {
    const history = [user("one")]
    const whole = await gateway.post("/v1/responses", said("broken", history))
    history.push(...outputOf(whole.json()), user("two"))
    gateway.control.script({ scenario: "text", settings: { cut: "reset", cutAfterEvents: 6 }, times: 1 })
    const cut = gateway.open("/v1/responses", said("broken", history, { stream: true }))
    expect(await cut.ended).toBe("cut")
    const last = readEvents(cut.text()).at(-1)
    expect([last?.event, last?.data.includes("upstream_stream_break")]).toEqual(["error", true])
    await gateway.idle()
    await gateway.control.untilSockets(0)
    // The next turn: same account, a new socket, and everything anew, for the context died with the old one.
    expect((await gateway.post("/v1/responses", said("broken", history))).status).toBe(200)
    const { frames, posts } = seen()
    expect(posts).toHaveLength(0)
    expect(frames.map(({ body }) => isChained(body))).toEqual([false, true, false])
    expect(new Set(frames.map(({ account }) => account)).size).toBe(1)
    expect(frames[2]?.socket).not.toBe(frames[1]?.socket ?? 0)
  })

  test.each([
    ["before any event", { cut: "reset", cutAfterEvents: 0 }],
    ["before any output", { cut: "reset", cutAfterEvents: 2 }],
    ["cleanly before any output", { cut: "end", cutAfterEvents: 2, closeCode: 1001 }],
  ] as const)("%s is tried once more on the same account", async (_, settings) => {
    await gateway.earnRetries(3)
    gateway.control.clearRecorded()
    gateway.control.script({ scenario: "text", settings, times: 1 })
    const reply = await gateway.post("/v1/responses", said(`early ${settings.cut}`, [user("one")], { stream: true }))
    expect(reply.status).toBe(200)
    expect(readEvents(reply.text).filter(({ event }) => event === "response.created")).toHaveLength(1)
    const { frames, posts } = seen()
    expect([frames.length, posts.length]).toEqual([2, 0])
    expect(frames[0]?.account).toBe(frames[1]?.account ?? "")
  })
})

describe("fault 50: a socket whose turn was given up", () => {
  test("is closed at once and never used again", async () => {
    gateway.control.script({ scenario: "hold", settings: { sequence: "text", text: "of the first" }, times: 1 })
    const first = gateway.open("/v1/responses", said("aborted", [user("one")], { stream: true }))
    await gateway.control.untilWaiting("default", 1)
    first.leave()
    await gateway.idle()
    // The gate stays shut: only the end of the connection can have ended the wait.
    await until("the upstream sees the end of the turn", () => gateway.control.waiting("default") === 0)
    await gateway.control.untilSockets(0)
    const second = await gateway.post("/v1/responses", said("aborted", [user("two")], { stream: true }))
    expect(second.text).not.toContain("of the first")
    const { frames, posts } = seen()
    expect([frames.length, posts.length]).toEqual([2, 0])
    expect(frames[1]?.socket).not.toBe(frames[0]?.socket ?? 0)
  })

  test("gives nothing to another user, who has a socket of his own under the same session", async () => {
    const secret = (who: string) =>
      said("shared name", [user(`[[simulate: text text="${who} secret"]] hi`)], { stream: true })
    const asSecond = { authorization: `Bearer ${SECOND_KEY}` }
    gateway.control.script({ scenario: "hold", times: 2 })
    const mine = gateway.open("/v1/responses", secret("my"))
    const theirs = gateway.open("/v1/responses", secret("their"), asSecond)
    await gateway.control.untilWaiting("default", 2)
    mine.leave()
    await until("the first is gone", () => gateway.control.waiting("default") === 1)
    gateway.control.release()
    expect(await theirs.ended).toBe("whole")
    expect(theirs.text()).toContain("their secret")
    expect(theirs.text()).not.toContain("my secret")
    const { frames } = seen()
    expect(new Set(frames.map(({ socket }) => socket)).size).toBe(2)
    expect(new Set(frames.map(({ headers }) => headers["session-id"])).size).toBe(2)
  })
})

describe("what the upstream refuses on a socket", () => {
  test("counts as it does over HTTP: a spent window rests the account until its reset and another one serves", async () => {
    const before = await gateway.post("/v1/responses", said("spent", [user("one")]))
    const account = seen().frames[0]?.account ?? ""
    gateway.control.script({ scenario: "usage-limit", settings: { resetsInSec: 7200 }, account, times: 1 })
    const history = [user("one"), ...outputOf(before.json()), user("two")]
    expect((await gateway.post("/v1/responses", said("spent", history))).status).toBe(200)
    const { frames } = seen()
    expect(frames.map(({ status }) => status)).toEqual([200, 429, 200])
    expect(frames[2]?.account).not.toBe(account)
    // The chain belongs to a socket of the first account; its reasoning cannot be read by the second.
    expect(isChained(frames[2]?.body)).toBe(false)
    const { accounts } = (await gateway.get("/stats")).json() as { accounts: { reason?: string; until?: string }[] }
    const untils = accounts.flatMap(({ until: end }) => (end === undefined ? [] : [Date.parse(end) - Date.now()]))
    expect(untils.filter(ms => ms > 7_000_000 && ms < 7_400_000)).toHaveLength(1)
  })

  test("is answered as it is when it is the request's fault", async () => {
    gateway.control.script({ scenario: "context-length", times: 1 })
    const reply = await gateway.post("/v1/responses", said("long", [user("one")]))
    expect(reply.status).toBe(400)
    expect(reply.json()).toMatchObject({ error: { code: "context_length_exceeded" } })
    expect(seen().frames).toHaveLength(1)
  })

  test("is asked again in full when only the chain is unknown", async () => {
    const first = await gateway.post("/v1/responses", said("lost", [user("one")]))
    gateway.control.script({ scenario: "previous-response", times: 1 })
    const history = [user("one"), ...outputOf(first.json()), user("two")]
    expect((await gateway.post("/v1/responses", said("lost", history))).status).toBe(200)
    const { frames, posts } = seen()
    expect(frames.map(({ body }) => isChained(body))).toEqual([false, true, false])
    expect(new Set(frames.map(({ account }) => account)).size).toBe(1)
    // The reasoning goes along: nothing had to be stripped.
    expect(sizes()[2]).toBe(history.length)
    expect(posts).toHaveLength(0)
  })

  test("a failure event before output moves the turn on, and the socket with it", async () => {
    await gateway.earnRetries(3)
    gateway.control.clearRecorded()
    gateway.control.script({ scenario: "failure", settings: { code: "server_error" }, times: 1 })
    const reply = await gateway.post("/v1/responses", said("failing", [user("one")]))
    expect(reply.status).toBe(200)
    const { frames } = seen()
    expect(frames).toHaveLength(2)
    expect(frames[0]?.socket).not.toBe(frames[1]?.socket ?? 0)
  })
})

test.each([
  ["whose upstream says nothing at all", -1],
  ["whose upstream falls silent before any output", 2],
])("a turn %s ends by the deadline, and its socket with it", async (_, holdAfterEvents) => {
  await using own = await startOwnGateway({ accounts: 1, settings: { ...SETTINGS, "first-byte-timeout": 1 } })
  own.control.script({ scenario: "hold", settings: { sequence: "text", holdAfterEvents }, times: 1 })
  const reply = await own.post("/v1/responses", said("silent", [user("one")]))
  expect([reply.status, reply.json()["error"]]).toMatchObject([504, { code: "upstream_timeout" }])
  await own.control.untilSockets(0)
  expect((await own.post("/v1/responses", said("silent", [user("one")]))).status).toBe(200)
  expect(seen(own).frames.map(({ socket }) => socket)).toEqual([1, 2])
})

test.each([true, false])("with auto, a model goes over WebSocket as its list says: %p", async preferSockets => {
  const settings = { "upstream-transport": "auto" }
  await using own = await startOwnGateway({
    accounts: 1,
    settings,
    prepare: async (_, control) => control.setRules({ preferSockets }),
  })
  await until("the list has come", async () => {
    // Words of the simulator's own entries; the ones the gateway begins with have others.
    return (await own.get("/v1/models/catalog")).text.includes("A simulated stand-in")
  })
  await own.post("/v1/responses", said("auto", [user("one")]))
  expect([seen(own).frames.length, seen(own).posts.length]).toEqual(preferSockets ? [1, 0] : [0, 1])
})

describe("a socket that closes between turns", () => {
  test("is replaced, and the turn asked in full", async () => {
    gateway.control.script({ scenario: "closing", times: 1 })
    const first = await gateway.post("/v1/responses", said("closing", [user("one")]))
    await gateway.control.untilSockets(0)
    const history = [user("one"), ...outputOf(first.json()), user("two")]
    expect((await gateway.post("/v1/responses", said("closing", history))).status).toBe(200)
    const { frames, posts } = seen()
    expect(frames.map(({ body }) => isChained(body))).toEqual([false, false])
    expect(posts).toHaveLength(0)
  })

  test("fault 51: one that the upstream calls too old is replaced at once, without a failure", async () => {
    const first = await gateway.post("/v1/responses", said("aged", [user("one")]))
    gateway.control.setRules({ socketLifetimeSec: 0 })
    const history = [user("one"), ...outputOf(first.json()), user("two")]
    const reply = await gateway.post("/v1/responses", said("aged", history))
    expect(reply.status).toBe(200)
    // Every new socket is too old as well here: what stays is HTTP.
    expect(seen().posts).toHaveLength(1)
  })
})

describe("where WebSockets do not work", () => {
  test.each([
    ["426", "upgrade-required"],
    ["403", "too-many-sockets"],
    ["401", "token-expired"],
    ["402", "deactivated-workspace"],
  ])("a handshake refused with %s leaves the account as it is: the turn goes over HTTP", async (_, scenario) => {
    await using own = await startOwnGateway({ accounts: 1, settings: SETTINGS })
    own.control.script({ endpoint: "socket", scenario })
    for (const text of ["one", "two"]) {
      expect((await own.post("/v1/responses", turn({ text }))).status).toBe(200)
    }
    const { frames, posts, handshakes } = seen(own)
    // The second turn does not knock again.
    expect([frames.length, posts.length, handshakes.length]).toEqual([0, 2, 1])
    const { accounts } = (await own.get("/stats")).json() as { accounts: { status: string; reason?: string }[] }
    expect(accounts).toMatchObject([{ status: "ready" }])
    expect(own.control.recorded({ path: "/oauth/token" })).toHaveLength(0)
  })

  test("a token that is refused at the handshake is refreshed by what HTTP says of it", async () => {
    await using own = await startOwnGateway({ accounts: 1, settings: SETTINGS })
    own.control.markAccess("account-1", "expired")
    expect((await own.post("/v1/responses", turn({ text: "one" }))).status).toBe(200)
    const { frames, posts, handshakes } = seen(own)
    expect(posts.map(({ status }) => status)).toEqual([401])
    // The new token is another credential: it may try a socket at once.
    expect([frames.length, handshakes.map(({ status }) => status)]).toEqual([1, [401, 101]])
  })

  test("a socket that was opened with an older token is not used after a refresh", async () => {
    await using own = await startOwnGateway({ accounts: 1, settings: SETTINGS })
    const first = await own.post("/v1/responses", said("renewed", [user("one")]))
    const account = (await own.get("/api/admin/accounts")).json()
    expect(JSON.stringify(account)).toContain("acc_")
    expect((await own.post("/refresh", {})).status).toBe(200)
    const history = [user("one"), ...outputOf(first.json()), user("two")]
    expect((await own.post("/v1/responses", said("renewed", history))).status).toBe(200)
    const { frames } = seen(own)
    expect(frames.map(({ body }) => isChained(body))).toEqual([false, false])
    expect(frames[0]?.headers["authorization"]).not.toBe(frames[1]?.headers["authorization"] ?? "")
  })

  test("a frame that is too large goes over HTTP, and later ones of that size at once", async () => {
    await using own = await startOwnGateway({ accounts: 1, settings: SETTINGS, simulator: { maxFrameBytes: 20_000 } })
    const large = "x".repeat(30_000)
    for (const text of [large, `${large}again`, "small"]) {
      expect((await own.post("/v1/responses", said(text.slice(-5), [user(text)]))).status).toBe(200)
    }
    const { frames, posts, handshakes } = seen(own)
    expect([frames.length, posts.length, handshakes.length]).toEqual([1, 2, 2])
  })
})
