/** What follows a failed try, by what failed and how far the request had got; whole requests in virtual time. */

import { describe, expect, setDefaultTimeout, test } from "bun:test"

import { GatewayError } from "#core/errors.ts"
import type { JsonObject } from "#core/json.ts"

import {
  CREATED,
  EMPTY,
  failedWith,
  GOOD,
  goodAfter,
  makeTurnWorld,
  OUTPUT,
  refusal,
  type Script,
  type WorldOptions,
} from "../support/turn-world.ts"

// A busy machine: nothing here waits for real time.
setDefaultTimeout(20_000)

/** Sends one request whose first try meets `first`; who was asked, and what the client got. */
async function tryOnce(first: Script, options: WorldOptions & { readonly ask?: JsonObject } = {}) {
  const world = makeTurnWorld(options)
  world.next("*", first)
  const startedMs = world.time.clock()
  const { status, error } = await world.settle(world.ask(options.ask))
  const { kind, code, status: failedStatus } = (error ?? {}) as Partial<GatewayError>
  const [one, two] = world.seen
  return {
    world,
    status: failedStatus ?? status,
    kind,
    code,
    asked: world.accounts(),
    gapMs: two === undefined || one === undefined ? undefined : two.atMs - one.atMs,
    endedAfterMs: world.time.clock() - startedMs,
  }
}

/** The same failure before the headers (phase 1) and inside a 200 before any output (phase 2). */
function inBothPhases(status: number, error: JsonObject): readonly (readonly [string, Script])[] {
  return [
    ["as a status", refusal(status, error)],
    ["inside a 200, before output", { stream: [CREATED + failedWith(error)] }],
  ]
}

describe("a failure of the network", () => {
  test("before anything was sent, without a proxy: once more on the same account, as every account has this way out", async () => {
    const { asked, status, gapMs } = await tryOnce({ throws: "ECONNREFUSED" })
    expect({ asked, status }).toEqual({ asked: ["a", "a"], status: 200 })
    expect(gapMs).toBeLessThanOrEqual(1_000)
  })

  test("of the proxy: an account with another way out serves at once", async () => {
    const { asked, status, endedAfterMs } = await tryOnce(
      { throws: "ERR_PROXY_TUNNEL", proxied: true },
      { egress: { a: "one" } },
    )
    expect({ asked, status, endedAfterMs }).toEqual({ asked: ["a", "b"], status: 200, endedAfterMs: 0 })
  })

  test.each([
    ["before the headers", { throws: "ECONNRESET" }],
    ["before output", { stream: [CREATED, { breaks: true }] }],
    ["by a clean end before output", { stream: [CREATED] }],
  ] as const)("%s: once more on the same account, then another", async (_, script) => {
    const once = await tryOnce(script)
    expect({ asked: once.asked, status: once.status }).toEqual({ asked: ["a", "a"], status: 200 })
    const world = makeTurnWorld()
    world.next("a", script, script)
    expect((await world.settle(world.ask())).status).toBe(200)
    expect(world.accounts()).toEqual(["a", "a", "b"])
  })
})

describe("fault 41: an upstream that breaks off after a long silence", () => {
  test.each([15_000, 40_000, 119_000])(
    "of %d ms costs no second account, and the client is told of a timeout",
    async silentMs => {
      const { asked, status, kind, code } = await tryOnce({ stream: [CREATED, { waitMs: silentMs }, { breaks: true }] })
      expect({ asked, status, kind, code }).toEqual({
        asked: ["a"],
        status: 504,
        kind: "timeout",
        code: "upstream_stream_break",
      })
    },
  )

  test("says so by a clean end as well", async () => {
    const { asked, status } = await tryOnce({ stream: [CREATED, { waitMs: 60_000 }] })
    expect({ asked, status }).toEqual({ asked: ["a"], status: 504 })
  })

  test("before its headers, after a minute, is not asked for the same on another account", async () => {
    const { asked, status } = await tryOnce({ throws: "ECONNRESET", afterMs: 60_000 })
    expect({ asked, status }).toEqual({ asked: ["a"], status: 504 })
  })

  test("of less than 15 s is asked once more", async () => {
    const { asked, status } = await tryOnce({ stream: [CREATED, { waitMs: 14_000 }, { breaks: true }] })
    expect({ asked, status }).toEqual({ asked: ["a", "a"], status: 200 })
  })

  test("counts from its last word, not from the beginning", async () => {
    const slow = { stream: [{ waitMs: 14_000 }, CREATED, { waitMs: 14_000 }, { breaks: true }] } as const
    expect((await tryOnce(slow)).asked).toEqual(["a", "a"])
  })

  test("leaves the account as it was", async () => {
    const { world } = await tryOnce({ stream: [CREATED, { waitMs: 60_000 }, { breaks: true }] })
    const [account] = world.scheduler.view()
    expect(account).toMatchObject({ available: true, score: 100, blocks: [] })
  })
})

describe.each(inBothPhases(401, { code: "token_expired", message: "expired" }))("401 %s", (_, script) => {
  test("is cured by one refresh, on the same account", async () => {
    const { asked, status, world } = await tryOnce(script)
    expect({ asked, status, refreshed: world.refreshed }).toEqual({ asked: ["a", "a"], status: 200, refreshed: ["a"] })
  })

  test("twice sends the request elsewhere", async () => {
    const world = makeTurnWorld()
    world.next("a", script, script)
    expect((await world.settle(world.ask())).status).toBe(200)
    expect(world.accounts()).toEqual(["a", "a", "b"])
    expect(world.refreshed).toEqual(["a"])
  })
})

test("a challenge page sends the request to another way out", async () => {
  const page = {
    status: 403,
    body: "<html><title>Just a moment...</title></html>",
    headers: { "content-type": "text/html" },
  }
  const { asked, status } = await tryOnce(page, { egress: { a: "one", b: "one", c: "two" } })
  expect({ asked, status }).toEqual({ asked: ["a", "c"], status: 200 })
})

test.each(inBothPhases(429, { type: "usage_limit_reached", message: "spent", resets_in_seconds: 3_600 }))(
  "a spent quota %s sends the request to another account",
  async (_, script) => {
    const { asked, status, world } = await tryOnce(script)
    expect({ asked, status }).toEqual({ asked: ["a", "b"], status: 200 })
    expect(world.scheduler.standingOf(world.scheduler.view()[0]?.id ?? expect.unreachable(), "gpt-5.5").type).toBe(
      "resting",
    )
  },
)

const BURST = { code: "rate_limit_exceeded", message: "Rate limit reached." }
const CONCURRENCY = { message: "Concurrency limit exceeded for user, please retry later" }

describe.each([
  ...inBothPhases(429, BURST).map(([phase, script]) => [`a burst limit ${phase}`, script] as const),
  ...inBothPhases(429, CONCURRENCY).map(([phase, script]) => [`a concurrency limit ${phase}`, script] as const),
])("%s", (_, script) => {
  test("is no failure: another account serves", async () => {
    const { asked, status } = await tryOnce(script)
    expect({ asked, status }).toEqual({ asked: ["a", "b"], status: 200 })
  })

  test("puts the request back in line when there is no other account", async () => {
    const { asked, status, gapMs, endedAfterMs } = await tryOnce(script, { accounts: ["a"] })
    expect({ asked, status }).toEqual({ asked: ["a", "a"], status: 200 })
    expect(gapMs).toBeGreaterThanOrEqual(500)
    expect(endedAfterMs).toBeLessThan(30_000)
  })

  test("that goes on is told after four tries", async () => {
    const world = makeTurnWorld({ accounts: ["a"] })
    world.always(script)
    const { error } = await world.settle(world.ask())
    expect((error as GatewayError).kind).toBe("rate-limited")
    expect(world.accounts().length).toBeLessThanOrEqual(4)
  })
})

test("a conversation whose account is at a burst limit waits for it, and keeps it", async () => {
  const world = makeTurnWorld()
  const talk = { prompt_cache_key: "talk" }
  await world.settle(world.ask(talk))
  world.next("a", refusal(429, BURST))
  expect((await world.settle(world.ask(talk))).status).toBe(200)
  expect(world.accounts()).toEqual(["a", "a", "a"])
})

describe.each([
  ...inBothPhases(503, { code: "server_is_overloaded", message: "busy" }),
  ...inBothPhases(500, { code: "server_error", message: "failed" }),
])("an overloaded or failing upstream (%s)", (_, script) => {
  test("is asked once more on the same account after a pause, then elsewhere", async () => {
    const world = makeTurnWorld()
    world.next("a", script, script)
    expect((await world.settle(world.ask())).status).toBe(200)
    expect(world.accounts()).toEqual(["a", "a", "b"])
    const [one, two] = world.seen
    const pauseMs = (two?.atMs ?? 0) - (one?.atMs ?? 0)
    expect(pauseMs).toBeGreaterThanOrEqual(300)
    expect(pauseMs).toBeLessThanOrEqual(1_000)
  })
})

describe("a model that the plan lacks", () => {
  const script = {
    status: 400,
    body: { detail: "The 'gpt-5.5' model is not supported when using Codex with a ChatGPT account." },
  }
  const plans = { a: "free", b: "free", c: "plus" }

  test("is asked for on another plan", async () => {
    const { asked, status } = await tryOnce(script, { plans })
    expect({ asked, status }).toEqual({ asked: ["a", "c"], status: 200 })
  })

  test("is asked for on another account where there is no other plan", async () => {
    const { asked, status } = await tryOnce(script, { accounts: ["a", "b"], plans })
    expect({ asked, status }).toEqual({ asked: ["a", "b"], status: 200 })
  })

  test("is the client's error when nobody has it", async () => {
    const world = makeTurnWorld({ plans })
    world.always(script)
    const { error } = await world.settle(world.ask())
    expect(error).toMatchObject({ kind: "model-not-found", param: "model" })
    expect(new Set(world.accounts()).size).toBe(world.seen.length)
  })
})

describe.each([
  ...inBothPhases(400, { code: "invalid_encrypted_content", message: "could not be verified" }),
  ...inBothPhases(400, { code: null, message: "The encrypted content gAAA could not be decrypted or parsed." }),
  ...inBothPhases(400, { code: "previous_response_not_found", message: "not found" }),
])("fault 54: state that the account cannot read (%s)", (_, script) => {
  const reasoning = { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "sealed-text" }
  const ask = { input: [reasoning, { type: "message", role: "user", content: [{ type: "input_text", text: "and?" }] }] }

  test("is left out, once, on the same account", async () => {
    const { asked, status, world } = await tryOnce(script, { ask })
    expect({ asked, status }).toEqual({ asked: ["a", "a"], status: 200 })
    expect(world.seen.map(({ body }) => body.includes("sealed-text"))).toEqual([true, false])
  })

  test("and that is refused again is the client's error", async () => {
    const world = makeTurnWorld()
    world.always(script)
    expect((await world.settle(world.ask(ask))).error).toMatchObject({ kind: "invalid-request" })
    expect(world.accounts()).toEqual(["a", "a"])
  })
})

describe.each([
  ...inBothPhases(400, { code: "invalid_value", message: "no", param: "input" }),
  ...inBothPhases(400, { code: "context_length_exceeded", message: "too long" }),
  ...inBothPhases(400, { code: "content_policy_violation", message: "no" }),
  ["413", refusal(413, { message: "too large" })] as const,
  ["422", refusal(422, { message: "unprocessable" })] as const,
])("a refusal of the request itself (%s)", (_, script) => {
  test("is passed on at once", async () => {
    const { asked, kind, world } = await tryOnce(script)
    expect(asked).toEqual(["a"])
    expect(["invalid-request", "context-too-long"]).toContain(kind ?? "")
    expect(world.scheduler.counts().available).toBe(3)
  })
})

test("fault 46: an answer without anything in it is asked for once more elsewhere, then passed on", async () => {
  const once = await tryOnce(EMPTY)
  expect({ asked: once.asked, status: once.status }).toEqual({ asked: ["a", "b"], status: 200 })
  const world = makeTurnWorld()
  world.always(EMPTY)
  expect((await world.settle(world.ask())).status).toBe(200)
  expect(world.accounts()).toEqual(["a", "b"])
})

describe("fault 38: once output has gone out", () => {
  test.each([
    ["a broken connection", [{ breaks: true }]],
    ["an end without a last word", []],
    ["a broken connection after a minute's silence", [{ waitMs: 60_000 }, { breaks: true }]],
    ["an overload", [failedWith({ code: "server_is_overloaded", message: "busy" })]],
    ["a spent quota", [failedWith({ type: "usage_limit_reached", message: "spent", resets_in_seconds: 3_600 })]],
    ["a burst limit", [failedWith(BURST)]],
    ["a refused token", [failedWith({ code: "token_expired", message: "expired" })]],
    ["refused state", [failedWith({ code: "invalid_encrypted_content", message: "could not be verified" })]],
  ] as const)("%s ends the stream with a failure event, and nothing is tried again", async (_, rest) => {
    const world = makeTurnWorld()
    world.next("a", { stream: [CREATED + OUTPUT, ...rest] })
    const { body } = await world.ask({ stream: true })
    if (typeof body === "string") return expect.unreachable()
    const reading = readAll(body)
    await world.time.advanceAsync(61_000)
    const text = await reading
    expect(text).toContain("hello")
    expect(text).toMatch(/event: (error|response\.failed)\n/)
    expect(text).not.toContain("response.completed")
    expect(world.accounts()).toEqual(["a"])
    expect(world.scheduler.counts().leases).toBe(0)
  })
})

/** Everything up to the reset. */
async function readAll(body: ReadableStream<Uint8Array>): Promise<string> {
  const reader = body.getReader()
  const utf8 = new TextDecoder()
  let text = ""
  for (;;) {
    const part = await reader.read().catch(() => undefined)
    if (part === undefined || part.done) return text
    text += utf8.decode(part.value, { stream: true })
  }
}

describe("fault 43: a client that leaves", () => {
  test.each([
    ["before the connection stands", { throws: "ECONNREFUSED", afterMs: 5_000 }],
    ["before the headers", { throws: "ECONNRESET", afterMs: 5_000 }],
    ["before output", goodAfter(5_000)],
  ] as const)("%s takes its upstream request along at once, and is not tried again", async (_, script) => {
    const world = makeTurnWorld()
    world.always(script)
    const client = new AbortController()
    const pending = world.ask({}, client)
    await world.time.advanceAsync(1_000)
    client.abort()
    expect((await world.settle(pending)).error).toMatchObject({ kind: "cancelled" })
    expect(world.seen).toHaveLength(1)
    expect((world.seen[0]?.closedAtMs ?? Number.POSITIVE_INFINITY) - (world.seen[0]?.atMs ?? 0)).toBe(1_000)
    expect(world.scheduler.counts()).toMatchObject({ leases: 0, waiting: 0 })
  })

  test("in the middle of its answer takes its upstream request along at once", async () => {
    const world = makeTurnWorld()
    world.always({ stream: [CREATED + OUTPUT, { waitMs: 60_000 }] })
    const { body } = await world.ask({ stream: true })
    if (typeof body === "string") return expect.unreachable()
    const reader = body.getReader()
    await reader.read()
    await world.time.advanceAsync(1_000)
    await reader.cancel()
    expect(world.seen[0]?.closedAtMs).toBe(world.time.clock())
    expect(world.scheduler.counts().leases).toBe(0)
    expect(world.outcomes.at(-1)).toMatchObject({ status: 499, attempts: 1 })
  })
})

describe("the bounds of one request", () => {
  test("three accounts, whatever the pool has", async () => {
    const world = makeTurnWorld({ accounts: ["a", "b", "c", "d", "e"] })
    world.always(refusal(402, { code: "payment_required", message: "pay" }))
    await world.settle(world.ask())
    expect(world.accounts()).toEqual(["a", "b", "c"])
  })

  test("four tries, whatever is allowed besides", async () => {
    const world = makeTurnWorld({ accounts: ["a", "b", "c", "d", "e", "f"], turn: { maxAccounts: 6 } })
    world.always(refusal(402, { code: "payment_required", message: "pay" }))
    await world.settle(world.ask())
    expect(world.seen).toHaveLength(4)
  })

  test("one deadline for all tries together, and none once output has begun", async () => {
    const world = makeTurnWorld({ turn: { firstByteTimeoutMs: 20_000 } })
    world.next("*", { throws: "ECONNRESET", afterMs: 10_000 })
    world.always(goodAfter(11_000))
    const { error } = await world.settle(world.ask())
    expect(error).toMatchObject({ kind: "timeout", code: "upstream_timeout" })
    expect((world.seen[1]?.closedAtMs ?? 0) - (world.seen[0]?.atMs ?? 0)).toBe(20_000)
    const long = makeTurnWorld({ turn: { firstByteTimeoutMs: 20_000 } })
    long.always({ stream: [CREATED + OUTPUT, { waitMs: 60_000 }, ...("stream" in GOOD ? GOOD.stream : [])] })
    expect((await long.settle(long.ask())).status).toBe(200)
  })
})

test("fault 48: in a lasting storm the tries stay within 1.2 times the requests", async () => {
  const world = makeTurnWorld({
    accounts: Array.from({ length: 20 }, (_, index) => `a${index}`),
    scheduler: { accountConcurrency: 100 },
  })
  world.always(refusal(500, { code: "server_error", message: "failed" }))
  const pending: Promise<unknown>[] = []
  let requests = 0
  for (let second = 0; second < 60; second += 1) {
    for (let each = 0; each < 20; each += 1) pending.push(world.ask().catch(() => undefined))
    requests += 20
    await world.time.advanceAsync(1_000)
  }
  await world.time.advanceAsync(10_000)
  await Promise.all(pending)
  expect(world.seen.length).toBeLessThanOrEqual(requests * 1.2 + 10)
})

describe("encrypted content that its own maker refuses", () => {
  const ACCOUNTS = ["a", "b", "c", "d", "e", "f", "g", "h"]

  /** Every account is asked to read its own reasoning, or somebody else's, and the whole pool refuses. */
  async function refuseEverywhere(made: "own" | "foreign") {
    const world = makeTurnWorld({ accounts: ACCOUNTS })
    await world.settle(world.ask())
    await world.time.advanceAsync(1_000)
    world.always(refusal(400, { code: "invalid_encrypted_content", message: "could not be verified" }))
    for (const name of ACCOUNTS) {
      const text = `sealed by ${made === "own" ? name : "nobody here"} ${name}`
      if (made === "own")
        world.affinity.blobs.set(text, world.scheduler.view().find(({ id }) => id === name)?.id ?? expect.unreachable())
      const reasoning = { type: "reasoning", id: "rs_1", summary: [], encrypted_content: text }
      const message = { type: "message", role: "user", content: [{ type: "input_text", text: `for ${name}` }] }
      await world.settle(world.ask({ input: [reasoning, message] }))
    }
    return world.scheduler.counts()
  }

  test("on many accounts at once is an outage of the upstream, and no account's fault", async () => {
    expect(await refuseEverywhere("own")).toMatchObject({ available: 8, breaker: { failure: "sealed-content" } })
  })

  test("is told apart from what clients bring along from elsewhere", async () => {
    expect((await refuseEverywhere("foreign")).breaker).toBeUndefined()
  })
})

describe("fault 38: an answer that breaks off after output", () => {
  const broken = (world: ReturnType<typeof makeTurnWorld>) =>
    world.next("a", { stream: [CREATED + OUTPUT, OUTPUT, { breaks: true }] })

  test.each([
    ["streamed", true],
    ["whole", false],
  ] as const)("%s is counted by what had come of it", async (_, stream) => {
    const world = makeTurnWorld()
    broken(world)
    const { body } = await world.ask({ stream }).catch(() => ({ body: "" }))
    const reading = typeof body === "string" ? undefined : readAll(body)
    await world.time.advanceAsync(1_000)
    await reading
    expect(world.outcomes).toMatchObject([{ status: 502, attempts: 1, isUsageEstimated: true }])
    const { inputTokens = 0, outputTokens = 0 } = world.outcomes[0]?.usage ?? {}
    expect(inputTokens).toBeGreaterThan(0)
    expect(outputTokens).toBeGreaterThan(0)
  })

  test("costs the account nothing and keeps its conversation", async () => {
    const world = makeTurnWorld()
    const talk = { prompt_cache_key: "talk" }
    await world.settle(world.ask(talk))
    broken(world)
    expect((await world.settle(world.ask(talk))).error).toMatchObject({ kind: "upstream-protocol" })
    expect(world.scheduler.view()[0]).toMatchObject({ available: true, score: 100, blocks: [] })
    expect((await world.settle(world.ask(talk))).status).toBe(200)
    expect(world.accounts()).toEqual(["a", "a", "a"])
  })
})

test.each([
  ["an error of the server", { code: "server_error", message: "failed" }],
  ["a spent quota", { type: "usage_limit_reached", message: "spent", resets_in_seconds: 3_600 }],
] as const)(
  "fault 42: after %s inside a 200, before any output, the client sees one clean stream",
  async (_, error) => {
    const world = makeTurnWorld()
    const failure = { stream: [CREATED + failedWith(error)] }
    world.next("a", failure, failure)
    const pending = world.ask({ stream: true })
    await world.time.advanceAsync(2_000)
    const { body } = await pending
    const text = typeof body === "string" ? body : await readAll(body)
    expect(text.match(/event: response\.created\n/g)).toHaveLength(1)
    expect(text.match(/event: response\.completed\n/g)).toHaveLength(1)
    expect(text).not.toContain("response.failed")
    expect(world.accounts().at(-1)).toBe("b")
  },
)

test("fault 47: when three of many accounts are at a burst limit the client is told to come back, not that it was too fast", async () => {
  const world = makeTurnWorld({ accounts: Array.from({ length: 28 }, (_, index) => `a${index}`) })
  world.always(refusal(429, BURST))
  const { error } = await world.settle(world.ask())
  expect(error).toMatchObject({ kind: "no-account", status: 503, code: "accounts_busy" })
  expect(new Set(world.accounts()).size).toBe(3)
})

test("fault 36: while a token is being refreshed its old one still serves others", async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const world = makeTurnWorld({ accounts: ["a"], refreshing: () => promise })
  world.next("a", refusal(401, { code: "token_expired", message: "expired" }))
  const refused = world.ask()
  await world.time.advanceAsync(1_000)
  expect((await world.settle(world.ask())).status).toBe(200)
  resolve()
  expect((await world.settle(refused)).status).toBe(200)
  expect(world.accounts()).toEqual(["a", "a", "a"])
})

describe("fault 31: an account whose token is refused and cannot be renewed", () => {
  const refused = refusal(401, { code: "token_expired", message: "expired" })

  function start() {
    let canRenew = false
    const refreshing = async (account: string) => {
      if (account === "a" && !canRenew) throw new GatewayError("credential-rejected", "cannot be renewed")
    }
    // A lower tier would keep it from requests as well, while others are free.
    const scheduler = { strategy: "round-robin", healthTiers: false } as const
    const world = makeTurnWorld({ accounts: ["a", "b"], refreshing, scheduler })
    world.always(account => (account === "a" && !canRenew ? refused : GOOD))
    const renew = () => {
      canRenew = true
      for (const account of world.pool.accounts()) if (account.label === "a") world.pool.renew(account)
    }
    return { world, renew }
  }

  test("is not asked again by every request, but once a minute", async () => {
    const { world } = start()
    for (let request = 0; request < 8; request += 1) expect((await world.settle(world.ask())).status).toBe(200)
    expect(world.accounts().filter(account => account === "a")).toHaveLength(1)
    world.time.advance(61_000)
    for (let request = 0; request < 8; request += 1) expect((await world.settle(world.ask())).status).toBe(200)
    expect(world.accounts().filter(account => account === "a")).toHaveLength(2)
  })

  test("serves again as soon as it is renewed", async () => {
    const { world, renew } = start()
    await world.settle(world.ask())
    await world.time.advanceAsync(1_000)
    renew()
    expect(world.scheduler.view()[0]).toMatchObject({ available: true, score: expect.any(Number), blocks: [] })
    await world.settle(world.ask())
    await world.settle(world.ask())
    expect(world.accounts().slice(2)).toContain("a")
  })
})
