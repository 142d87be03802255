/** Limits of client keys: what fits, what is refused and until when, what is held and given back. */

import { afterEach, beforeEach, describe, expect, test } from "bun:test"

import { makeClientKey } from "#gateway/keys/client-key.ts"

import { answered, makeKeyWorld, turnOf } from "./world.ts"

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

let world: ReturnType<typeof makeKeyWorld>

beforeEach(() => {
  world = makeKeyWorld()
})

afterEach(() => world.stop())

describe("requests a minute", () => {
  test("fault 69: of 200 requests at once on a key with 10 a minute exactly 10 are let in", () => {
    const { id } = world.add({ limits: { rpm: 10 } })
    const asked = Array.from({ length: 200 }, () => world.ask(id))
    expect(asked.filter(({ refusal }) => refusal === undefined)).toHaveLength(10)
    const refusal = asked.at(-1)?.refusal
    expect(refusal).toMatchObject({ kind: "key-limit", code: "rate_limit_exceeded", retryAfterMs: 6_000 })
    expect(refusal?.message).toContain("`rpm` of 10 requests a minute")
  })

  test("fault 69: what was used flows back evenly, one request every six seconds, however often one asks between", () => {
    const { id } = world.add({ limits: { rpm: 10 } })
    for (let sent = 0; sent < 10; sent++) world.ask(id)
    let admitted = 0
    for (let second = 0; second < 60; second++) {
      world.time.advance(1_000)
      for (let tries = 0; tries < 5; tries++) if (world.ask(id).refusal === undefined) admitted += 1
    }
    expect(admitted).toBe(10)
  })

  test("keys have rates of their own", () => {
    const [one, other] = [world.add({ limits: { rpm: 1 } }), world.add({ limits: { rpm: 1 } })]
    expect(world.ask(one.id).refusal).toBeUndefined()
    expect(world.ask(other.id).refusal).toBeUndefined()
    expect(world.ask(one.id).refusal?.kind).toBe("key-limit")
  })
})

describe("tokens a minute", () => {
  test("are held at the bound the client names, and what was not used goes back", () => {
    const { id } = world.add({ limits: { tpm: 1_000 } })
    const first = world.ask(id, { max_tokens: 900 })
    expect(world.ask(id, { max_tokens: 900 }).refusal).toMatchObject({ kind: "key-limit" })
    first.charge.settle(answered(10, 90))
    expect(world.ask(id, { max_tokens: 900 }).refusal).toBeUndefined()
  })

  test("a request that is larger than a whole minute goes alone, and the next one waits for it", () => {
    const { id } = world.add({ limits: { tpm: 1_000 } })
    const { charge, refusal } = world.ask(id, { max_tokens: 5_000 })
    expect(refusal).toBeUndefined()
    charge.settle(answered(0, 5_000))
    expect(world.ask(id, { max_tokens: 1 }).refusal?.retryAfterMs).toBeGreaterThan(4 * MINUTE_MS - 1_000)
    world.time.advance(4 * MINUTE_MS + 1_000)
    expect(world.ask(id, { max_tokens: 1 }).refusal).toBeUndefined()
  })
})

describe("budgets", () => {
  // 1,000 tokens of output cost $0.10 here.
  const EACH = { max_tokens: 1_000 }

  test("fault 70: of 50 requests at once a budget of 1 $ lets in as many as it can pay, and what they really cost is all of it that is gone", () => {
    const { id, entry } = world.add({ limits: { total: { cost_usd: 1 } } })
    const asked = Array.from({ length: 50 }, () => world.ask(id, EACH))
    const admitted = asked.filter(({ refusal }) => refusal === undefined)
    expect(admitted).toHaveLength(10)
    expect(asked.at(-1)?.refusal).toMatchObject({ kind: "key-limit", retryAfterMs: 2_000 })
    for (const { charge } of admitted) charge.settle(answered(0, 1_000))
    expect(entry().meter.total().costMicroUsd).toBe(1_000_000)
    const refusal = world.ask(id, EACH).refusal
    expect(refusal).toMatchObject({ kind: "key-limit", code: "insufficient_quota" })
    expect(refusal?.message).toContain("`total.cost_usd` of $1.00")
  })

  test("fault 70: the overshoot is no more than the answers were longer than what was held for them", () => {
    const { id, entry } = world.add({ limits: { total: { cost_usd: 1 } } })
    const admitted = Array.from({ length: 50 }, () => world.ask(id, EACH)).filter(one => one.refusal === undefined)
    for (const { charge } of admitted) charge.settle(answered(0, 1_200))
    const overMicroUsd = entry().meter.total().costMicroUsd - 1_000_000
    expect(overMicroUsd).toBe(admitted.length * 20_000)
    expect(world.ask(id, EACH).refusal?.kind).toBe("key-limit")
  })

  test("what was held and not used is free again for the next request", () => {
    const { id } = world.add({ limits: { total: { cost_usd: 1 } } })
    const admitted = Array.from({ length: 10 }, () => world.ask(id, EACH))
    expect(world.ask(id, EACH).refusal?.kind).toBe("key-limit")
    for (const { charge } of admitted) charge.settle(answered(0, 100))
    // 0.10 $ are gone, so that nine more fit.
    expect(Array.from({ length: 20 }, () => world.ask(id, EACH)).filter(one => one.refusal === undefined)).toHaveLength(
      9,
    )
  })

  test("a model without a price is refused where a limit is on cost, and costs nothing where none is", () => {
    const limited = world.add({ limits: { total: { cost_usd: 1 } } })
    const signal = new AbortController().signal
    expect(() => world.open(limited.id).admit(turnOf({}, "gpt-x"), signal)).toThrow("has no price here")
    const free = world.add()
    const charge = world.open(free.id)
    expect(charge.admit(turnOf({}, "gpt-x"), signal)).toBeUndefined()
    charge.settle(answered(100, 100, "gpt-x"))
    expect(free.entry().meter.total()).toMatchObject({ costMicroUsd: 0, outputTokens: 100 })
  })

  test("cached input costs its own price", () => {
    const { id, entry } = world.add()
    const { charge } = world.ask(id)
    charge.settle({ ...answered(1_000, 0), usage: { ...answered(1_000, 0).usage, inputCachedTokens: 600 } })
    expect(entry().meter.total().costMicroUsd).toBe(400 * 10 + 600)
  })
})

test("far from a limit the body's size is held, close to one its text is weighed: pictures are few tokens", () => {
  const { id, entry } = world.add({ limits: { tpm: 100_000, total: { input_tokens: 10_000 } } })
  const picture = () => ({ ...turnOf({}, "gpt-5", 100), call: { json: {}, bodyBytes: 4_000_000 } })
  const small = { ...turnOf({}, "gpt-5", 100), call: { json: {}, bodyBytes: 600 } }
  const signal = new AbortController().signal
  expect(world.open(id).admit(small, signal)).toBeUndefined()
  expect(entry().meter.reserved().inputTokens).toBe(150)
  expect(world.open(id).admit(picture(), signal)).toBeUndefined()
  expect(entry().meter.reserved().inputTokens).toBe(250)
})

describe("windows", () => {
  test.each([
    ["5h", 5 * HOUR_MS, MINUTE_MS],
    ["7d", 168 * HOUR_MS, HOUR_MS],
    ["30d", 720 * HOUR_MS, 24 * HOUR_MS],
  ] as const)("%s: is full until what was used lies outside, at most one step later", (window, lengthMs, stepMs) => {
    const { id } = world.add({ limits: { [window]: { requests: 2 } } })
    for (const _ of [1, 2]) world.ask(id).charge.settle(answered(1, 1))
    const refusal = world.ask(id).refusal
    expect(refusal?.message).toContain(`\`${window}.requests\` of 2 requests`)
    world.time.advance(lengthMs - 1)
    expect(world.ask(id).refusal?.kind).toBe("key-limit")
    world.time.advance(stepMs + 1)
    expect(world.ask(id).refusal).toBeUndefined()
  })

  test("the refusal says when the window opens, and it does then", () => {
    const { id } = world.add({ limits: { "5h": { output_tokens: 100 } } })
    world.ask(id, { max_tokens: 60 }).charge.settle(answered(0, 60))
    world.time.advance(HOUR_MS)
    world.ask(id, { max_tokens: 40 }).charge.settle(answered(0, 40))
    const refusal = world.ask(id, { max_tokens: 50 }).refusal
    world.time.advance((refusal?.retryAfterMs ?? 0) - 1)
    expect(world.ask(id, { max_tokens: 50 }).refusal?.kind).toBe("key-limit")
    world.time.advance(1)
    expect(world.ask(id, { max_tokens: 50 }).refusal).toBeUndefined()
  })

  test("a day ends at midnight of this machine's time zone", () => {
    const { id } = world.add({ limits: { rpd: 1 } })
    world.ask(id).charge.settle(answered(1, 1))
    const refusal = world.ask(id).refusal
    expect(refusal?.message).toContain("`rpd` of 1 request a calendar day")
    const midnight = new Date(world.time.clock())
    midnight.setHours(24, 0, 0, 0)
    expect(refusal?.retryAfterMs).toBe(midnight.getTime() - world.time.clock())
    world.time.advance(refusal?.retryAfterMs ?? 0)
    expect(world.ask(id).refusal).toBeUndefined()
  })

  test("a request under way counts, and its end is worth a short wait", () => {
    const { id } = world.add({ limits: { day: { requests: 1 } } })
    const { charge } = world.ask(id)
    expect(world.ask(id).refusal?.retryAfterMs).toBe(2_000)
    charge.settle({ attempts: 0, status: 503 })
    expect(world.ask(id).refusal).toBeUndefined()
  })
})

describe("what counts", () => {
  test("a request that never went upstream costs nothing", () => {
    const { id, entry } = world.add({ limits: { total: { tokens: 10_000 } } })
    world.ask(id).charge.settle({ attempts: 0, status: 503 })
    expect(entry().meter.total()).toEqual({ requests: 0, inputTokens: 0, outputTokens: 0, costMicroUsd: 0 })
  })

  test("one that failed before any output costs a request and no tokens", () => {
    const { id, entry } = world.add({ limits: { total: { tokens: 10_000 } } })
    world.ask(id).charge.settle({ attempts: 3, status: 502 })
    expect(entry().meter.total()).toMatchObject({ requests: 1, inputTokens: 0, outputTokens: 0 })
  })

  test("an answer without a word about its usage costs the estimate, and is marked as one", () => {
    const { id, entry } = world.add()
    world
      .ask(id, { max_tokens: 70 })
      .charge.settle({ attempts: 1, status: 502, firstByteMs: 3, upstreamModel: "gpt-5" })
    expect(entry().meter.total()).toMatchObject({ requests: 1, outputTokens: 70, costMicroUsd: 7_000 })
    expect(entry().meter.estimatedRequests()).toBe(1)
  })

  test("whoever goes away before the answer pays the input", () => {
    const { id, entry } = world.add()
    const charge = world.open(id)
    expect(charge.admit(turnOf({ max_tokens: 70 }, "gpt-5", 100), new AbortController().signal)).toBeUndefined()
    charge.settle({ attempts: 1, status: 499, upstreamModel: "gpt-5" })
    expect(entry().meter.total()).toMatchObject({ requests: 1, inputTokens: 100, outputTokens: 0, costMicroUsd: 1_000 })
  })

  test("a request that goes another way upstream pays once", () => {
    const { id, entry } = world.add({ limits: { rpm: 1 } })
    const { charge } = world.ask(id)
    expect(charge.admit(turnOf(), new AbortController().signal)).toBeUndefined()
    charge.settle(answered(5, 5))
    expect(entry().meter.total().requests).toBe(1)
  })

  test("without a bound the usual length of the key's answers is held", () => {
    const { id, entry } = world.add({ limits: { total: { output_tokens: 1_000_000 } } })
    world.ask(id).charge.settle(answered(0, 500))
    world.ask(id).charge.settle(answered(0, 1_000))
    world.ask(id)
    expect(entry().meter.reserved().outputTokens).toBe(600)
  })
})

describe("requests at the same time", () => {
  const resolved = async (place: Promise<void> | undefined) =>
    Promise.race([place?.then(() => "in") ?? "in", new Promise(resolve => setImmediate(() => resolve("waits")))])

  test("those beyond wait in the order they came and go on as places get free", async () => {
    const { id } = world.add({ limits: { concurrency: 1 } })
    const asked = [1, 2, 3].map(() => world.ask(id))
    expect(await Promise.all(asked.map(one => resolved(one.place)))).toEqual(["in", "waits", "waits"])
    asked[0]?.charge.settle(answered(1, 1))
    expect(await Promise.all(asked.slice(1).map(one => resolved(one.place)))).toEqual(["in", "waits"])
    asked[1]?.charge.settle(answered(1, 1))
    expect(await resolved(asked[2]?.place)).toBe("in")
  })

  test("a line of twice as many as may run is full", async () => {
    const { id } = world.add({ limits: { concurrency: 2 } })
    const asked = Array.from({ length: 7 }, () => world.ask(id))
    await expect(asked.at(-1)?.place).rejects.toMatchObject({ kind: "key-limit", code: "key_concurrency_limit" })
    expect(world.lines().waiting(id)).toBe(4)
  })

  test("who waits too long is told so, and who goes away is forgotten", async () => {
    const { id } = world.add({ limits: { concurrency: 1 } })
    world.ask(id)
    const late = world.ask(id)
    const gone = new AbortController()
    const left = world.open(id).admit(turnOf(), gone.signal)
    gone.abort()
    await expect(left).rejects.toMatchObject({ kind: "cancelled" })
    const refused = late.place?.catch(cause => cause)
    world.time.advance(30_000)
    expect(await refused).toMatchObject({ kind: "key-limit", code: "key_concurrency_limit" })
    expect(world.lines().waiting(id)).toBe(0)
  })

  test("who stands in line when the key is deleted, disabled or narrowed goes no further", async () => {
    const refusalOf = async (change: (id: string) => void) => {
      const { id } = world.add({ limits: { concurrency: 1 } })
      const first = world.ask(id)
      const second = world.ask(id)
      const refusal = second.place?.catch(cause => cause)
      change(id)
      first.charge.settle(answered(1, 1))
      const { kind, code } = await refusal
      second.charge.settle({ attempts: 0, status: 401 })
      expect(world.lines().running(id)).toBe(0)
      return [kind, code]
    }
    const changed = (change: object) => (id: string) => {
      const entry = world.ring().get(id)
      if (entry !== undefined) world.ring().put(makeClientKey({ ...entry.key, ...change }))
    }
    expect(await refusalOf(world.ring().remove)).toEqual(["unauthorized", "invalid_api_key"])
    expect(await refusalOf(changed({ enabled: false }))).toEqual(["forbidden", "key_disabled"])
    expect(await refusalOf(changed({ policy: { models: { deny: ["*"] } } }))).toEqual([
      "forbidden",
      "key_model_not_allowed",
    ])
  })

  test("a refused request gives its place back", () => {
    const { id } = world.add({ limits: { concurrency: 1, rpm: 1 } })
    world.ask(id).charge.settle(answered(1, 1))
    expect(world.ask(id).refusal?.code).toBe("rate_limit_exceeded")
    expect(world.lines().running(id)).toBe(0)
  })
})
