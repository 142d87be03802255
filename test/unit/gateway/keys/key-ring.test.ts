/** Stored keys over restarts and damage: what they were stays, what they have used stays, and "cannot tell" is not "wrong". */

import { Database } from "bun:sqlite"
import { afterEach, beforeEach, describe, expect, test } from "bun:test"

import { parseAddress, parseRange } from "#core/address-range.ts"
import type { GatewayError } from "#core/errors.ts"
import { stateOf } from "#gateway/keys/key-rights.ts"
import { makeStoredKeys } from "#gateway/keys/stored-keys.ts"
import { makeAdmission } from "#http/admission.ts"

import { answered, makeKeyWorld, turnOf } from "./world.ts"

let world: ReturnType<typeof makeKeyWorld>

beforeEach(() => {
  world = makeKeyWorld()
})

afterEach(() => world.stop())

function door(trusted: readonly string[] = [], isRequired = false) {
  const trustedProxies = trusted.map(parseRange).filter(range => range !== undefined)
  const stored = makeStoredKeys({
    clock: world.time.clock,
    ring: world.ring(),
    isRequired: () => isRequired,
    trustedProxies: () => trustedProxies,
  })
  return makeAdmission([], stored)
}

function enter(
  text: string,
  from = "127.0.0.1",
  headers: Record<string, string> = {},
  trusted: readonly string[] = [],
) {
  const request = new Request("http://127.0.0.1:8080/v1/models", { headers: { "x-api-key": text, ...headers } })
  try {
    return door(trusted).admit(request, new URL(request.url), () => from).keyId
  } catch (cause) {
    // Whatever else is thrown has no kind, and the test says so.
    return (cause as GatewayError).kind
  }
}

const damage = (sql: string) => () => {
  const database = new Database(world.path)
  database.run(sql)
  database.close()
}

describe("the store", () => {
  test("knows a key again after a restart, and holds neither the key nor its plain hash", () => {
    const { text, id } = world.add()
    world.restart("stopped")
    expect(enter(text)).toBe(id)
    expect(enter("sk-another")).toBe("unauthorized")
    world.restart("stopped", () => {
      const bytes = new Database(world.path, { readonly: true }).serialize()
      const plain = new Bun.CryptoHasher("sha256").update(text).digest("hex")
      expect(bytes.includes(text)).toBe(false)
      expect(bytes.includes(plain)).toBe(false)
    })
  })

  test("a key that is deleted is unknown, and leaves no rows behind", () => {
    const { text, id } = world.add()
    world.ask(id).charge.settle(answered(1, 1))
    world.time.advance(1_000)
    expect(world.store().listKeyCounters().length).toBeGreaterThan(0)
    world.ring().remove(id)
    world.add()
    expect(enter(text)).toBe("unauthorized")
    expect(world.store().listKeyCounters()).toEqual([])
  })

  test("without any key nobody needs one, and with one everybody does", () => {
    const address = new Request("http://127.0.0.1/v1/models")
    const admit = () => door().admit(address, new URL(address.url), () => "127.0.0.1")
    expect(admit().keyId).toBe("anonymous")
    const { id } = world.add({}, { enabled: false })
    expect(admit).toThrow("No API key was sent")
    world.ring().remove(id)
    expect(admit().keyId).toBe("anonymous")
    // Behind an address others can reach, the operator wants one before there is any.
    expect(() => door([], true).admit(address, new URL(address.url), () => "127.0.0.1")).toThrow("No API key was sent")
  })
})

describe("what was used", () => {
  test("is there again after a crash, but for the last second; what ran then counts by its estimate", () => {
    const { id } = world.add({ limits: { total: { output_tokens: 1_000 } } })
    world.ask(id, { max_tokens: 300 }).charge.settle(answered(0, 200))
    world.ask(id, { max_tokens: 400 })
    world.time.advance(1_000)
    world.restart("killed")
    const entry = world.ring().get(id)
    expect(entry?.meter.total()).toMatchObject({ requests: 2, outputTokens: 600 })
    expect(entry?.meter.estimatedRequests()).toBe(1)
    expect(world.ask(id, { max_tokens: 401 }).refusal?.kind).toBe("key-limit")
    expect(world.ask(id, { max_tokens: 400 }).refusal).toBeUndefined()
  })

  test("is not counted twice by a second crash", () => {
    const { id } = world.add({ limits: { "5h": { output_tokens: 1_000 } } })
    world.ask(id, { max_tokens: 400 })
    world.time.advance(1_000)
    for (const _ of [1, 2, 3]) world.restart("killed")
    expect(world.ring().get(id)?.meter.rings["5h"].sum(world.time.clock()).outputTokens).toBe(400)
  })

  test("windows move on while the gateway is down", () => {
    const { id } = world.add({ limits: { "5h": { requests: 1 }, "7d": { requests: 2 } } })
    world.ask(id).charge.settle(answered(1, 1))
    world.restart("stopped", () => world.time.advance(6 * 3_600_000))
    expect(world.ask(id).refusal).toBeUndefined()
    expect(world.ask(id).refusal?.message).toContain("`5h.requests`")
  })

  test("rows of spans that are over are deleted", () => {
    const { id } = world.add()
    const grainsAfter = (daysLater: number) => {
      world.time.advance(daysLater * 24 * 3_600_000)
      world.ask(id).charge.settle(answered(1, 1))
      world.time.advance(1_000)
      return Object.groupBy(world.store().listKeyCounters(), row => row.grain)
    }
    expect(grainsAfter(0)).toMatchObject({ "5h": { length: 1 }, "7d": { length: 1 }, date: { length: 1 } })
    expect(grainsAfter(3)).toMatchObject({ "5h": { length: 1 }, "7d": { length: 2 }, "30d": { length: 2 } })
    const late = grainsAfter(40)
    expect(late).toMatchObject({ "7d": { length: 1 }, "30d": { length: 1 }, date: { length: 1 }, total: { length: 1 } })
  })

  test("can be set back, for good", () => {
    const { id } = world.add({ limits: { total: { requests: 1 } } })
    world.ask(id).charge.settle(answered(1, 1))
    expect(world.ask(id).refusal?.kind).toBe("key-limit")
    world.ring().reset(id)
    world.restart("stopped")
    expect(world.ask(id).refusal).toBeUndefined()
  })

  test("a store that cannot be written to is tried again, and nothing is lost", () => {
    const { id } = world.add()
    const other = new Database(world.path)
    other.run("alter table key_counters rename to hidden")
    world.ask(id).charge.settle(answered(1, 7))
    world.time.advance(1_000)
    expect(world.failures).toHaveLength(1)
    other.run("alter table hidden rename to key_counters")
    other.close()
    world.time.advance(1_000)
    world.restart("killed")
    expect(world.ring().get(id)?.meter.total().outputTokens).toBe(7)
  })
})

describe("fault 71: a store that cannot be read", () => {
  test("fault 71: makes every key uncertain, not wrong, and opens no door", () => {
    const { text } = world.add()
    world.restart("stopped", damage("drop table client_keys"))
    expect(enter(text)).toBe("key-store-unavailable")
    expect(enter("sk-unknown")).toBe("key-store-unavailable")
    expect(door().needsKey()).toBe(true)
    const bare = new Request("http://127.0.0.1/v1/models")
    expect(() => door().admit(bare, new URL(bare.url), () => "127.0.0.1")).toThrow("cannot be checked right now")
    expect(world.failures[0]).toContain("reading the client keys")
  })

  test("fault 71: is asked again, and keys are good again without a restart", () => {
    const { text, id } = world.add()
    world.restart("stopped", damage("alter table client_keys rename to hidden"))
    expect(enter(text)).toBe("key-store-unavailable")
    damage("alter table hidden rename to client_keys")()
    expect(enter(text)).toBe("key-store-unavailable")
    world.time.advance(5_000)
    expect(enter(text)).toBe(id)
  })

  test("fault 71: one damaged row leaves the other keys alone", () => {
    const [bad, good] = [world.add(), world.add()]
    world.restart("stopped", damage(`update client_keys set policy_json = '{"limits": 7}' where key_id = '${bad.id}'`))
    expect(enter(bad.text)).toBe("key-store-unavailable")
    expect(enter(good.text)).toBe(good.id)
    expect(enter("sk-unknown")).toBe("unauthorized")
  })

  test("fault 71: counters that cannot be read keep out keys whose limits hang on them", () => {
    const { text } = world.add({ limits: { total: { requests: 1 } } })
    world.restart("stopped", damage("drop table key_counters"))
    expect(enter(text)).toBe("key-store-unavailable")
  })

  test("fault 71: a lost secret of the hashes is damage, not a reason to call every key wrong", () => {
    const { text } = world.add()
    world.restart("stopped", damage("delete from sealed_values"))
    expect(enter(text)).toBe("key-store-unavailable")
  })
})

describe("rights", () => {
  test("a key that is switched off or over is known and refused", () => {
    const off = world.add({}, { enabled: false })
    const over = world.add({}, { expiresAtMs: world.time.clock() + 1_000 })
    expect(enter(off.text)).toBe("forbidden")
    expect(enter(over.text)).toBe(over.id)
    world.time.advance(1_000)
    expect(enter(over.text)).toBe("forbidden")
  })

  test("a key that lasts from its first use does not age before it, nor start again after a restart", () => {
    const { id, text } = world.add({}, { expiresAfterUseMs: 3_600_000 })
    world.time.advance(7_200_000)
    expect(enter(text)).toBe(id)
    world.ask(id).charge.settle(answered(1, 1))
    world.restart("stopped", () => world.time.advance(3_599_000))
    const entry = world.ring().get(id)
    if (entry === undefined) throw new Error("the key is gone")
    expect(stateOf(entry, world.time.clock())).toBe("active")
    world.time.advance(1_000)
    expect(enter(text)).toBe("forbidden")
  })

  test.each([
    [{ allow: ["gpt-5*"] }, "gpt-5.5", true],
    [{ allow: ["gpt-5*"] }, "o3", false],
    [{ deny: ["*-pro"] }, "gpt-5-pro", false],
    [{ allow: ["gpt-5*"], deny: ["*-pro"] }, "gpt-5-pro", false],
    [{}, "anything", true],
  ])("models %p and %s: %p", (models, name, isAllowed) => {
    const { id } = world.add({ models })
    const admit = () => world.open(id).admit(turnOf({}, name), new AbortController().signal)
    if (isAllowed) expect(admit()).toBeUndefined()
    else expect(admit).toThrow("may not use the model")
  })

  test("an alias opens no model that is denied by its own name", () => {
    const { id } = world.add({ models: { deny: ["gpt-5-pro"] } })
    const turn = { ...turnOf({}, "gpt-5-pro"), request: turnOf({}, "my-favourite").request }
    expect(() => world.open(id).admit(turn, new AbortController().signal)).toThrow("may not use the model")
  })

  test("an address list keeps others out, and forwarded addresses count from trusted proxies only", () => {
    const { id, text } = world.add({ addresses: ["10.0.0.0/8", "2001:db8::/32"] })
    expect(enter(text, "10.1.2.3")).toBe(id)
    expect(enter(text, "::ffff:10.1.2.3")).toBe(id)
    expect(enter(text, "2001:db8:5::1")).toBe(id)
    expect(enter(text, "192.0.2.1")).toBe("forbidden")
    const forged = { "x-forwarded-for": "10.1.2.3" }
    expect(enter(text, "192.0.2.1", forged)).toBe("forbidden")
    expect(enter(text, "192.0.2.1", forged, ["192.0.2.0/24"])).toBe(id)
    // What the client itself has written stands first, what the proxy has seen last.
    const mixed = { "x-forwarded-for": "10.1.2.3, 198.51.100.7" }
    expect(enter(text, "192.0.2.1", mixed, ["192.0.2.0/24"])).toBe("forbidden")
    expect(enter(text, "192.0.2.1", { "x-forwarded-for": "nonsense" }, ["192.0.2.0/24"])).toBe("forbidden")
  })
})

describe("address ranges", () => {
  test.each(["10.0.0.0/33", "10.0.0", "10.0.0.256", "::1/129", "1::2::3", "host", "10.0.0.0/8/9", "12345::"])(
    "%s is none",
    text => expect(parseRange(text)).toBeUndefined(),
  )

  test("an address is read the same in all its spellings", () => {
    expect(parseAddress("2001:DB8:0:0::1")).toBe(parseAddress("2001:db8::1"))
    expect(parseAddress("[::ffff:192.0.2.1]")).toBe(parseAddress("192.0.2.1"))
  })
})
