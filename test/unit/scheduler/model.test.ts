/** The scheduler against a model that keeps every fact in plain lists and searches them. */

import { describe, expect, test } from "bun:test"

import fc from "fast-check"

import type { AccountId } from "#core/ids.ts"
import type { BlockCause } from "#core/outcome.ts"
import type { Tier } from "#scheduler/pick/ranks.ts"
import type { Lease, Lifecycle } from "#scheduler/types.ts"

import { block, type Harness, id, makeHarness } from "./harness.ts"

const NAMES = ["a", "b", "c", "d", "e"]
const MODELS = ["gpt-5", "gpt-5-mini"]
const LIFECYCLES: readonly Lifecycle[] = ["enabled", "enabled", "enabled", "paused", "needs-login"]
/** Without the causes that a pool rather ignores than refuses: their rules have tests of their own. */
const CAUSES: readonly BlockCause[] = ["quota", "burst", "credential"]

const name = fc.constantFrom(...NAMES)
const model = fc.constantFrom(...MODELS)
const key = fc.constantFrom("k1", "k2", "k3")
const command = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("ask" as const),
      model,
      key,
      exclude: fc.subarray(NAMES, { maxLength: 2 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("release" as const), nth: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("cancel" as const), nth: fc.nat(20) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("lifecycle" as const), name, lifecycle: fc.constantFrom(...LIFECYCLES) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("models" as const),
      name,
      models: fc.option(fc.subarray(MODELS), { nil: undefined }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("block" as const),
      name,
      model,
      wide: fc.boolean(),
      cause: fc.constantFrom(...CAUSES),
      forMs: fc.integer({ min: 1_000, max: 60_000 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("succeed" as const), name, model }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("upsert" as const), name, cap: fc.integer({ min: 1, max: 5 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("remove" as const), name }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("advance" as const), ms: fc.integer({ min: 1, max: 20_000 }) }) },
)

const TIERS: readonly Tier[] = ["healthy", "warm", "risky", "banned"]

type Waiting = {
  readonly key: string
  readonly model: string
  readonly exclude: ReadonlySet<AccountId>
  readonly cancel: () => void
}

class World {
  readonly harness: Harness = makeHarness({ accountConcurrency: 2, queueTimeoutMs: 15_000 })
  readonly leases: Lease[] = []
  readonly waiting = new Set<Waiting>()
  readonly models = new Map<string, readonly string[] | undefined>()

  constructor() {
    for (const each of NAMES) this.harness.add(each)
  }

  /** What the displayed state alone says about who could serve. */
  eligible(wanted: { model: string; exclude: ReadonlySet<AccountId> }) {
    return this.harness.scheduler.view().filter(account => {
      if (!account.available || wanted.exclude.has(account.id)) return false
      if (this.models.get(account.id)?.includes(wanted.model) === false) return false
      return !account.blocks.some(({ scope }) => scope.type === "model" && scope.model === wanted.model)
    })
  }

  someoneRestsFromBurst(): boolean {
    return this.harness.scheduler.view().some(({ blocks }) => blocks.some(({ cause }) => cause === "burst"))
  }

  ask(command: { model: string; key: string; exclude: readonly string[] }) {
    const wanted = { model: command.model, exclude: new Set(command.exclude.map(id)), keyId: command.key }
    const eligible = this.eligible(wanted)
    const free = eligible.filter(({ load, cap }) => load < cap)
    // Without a request under way nobody can be probing.
    const steady = free.filter(({ probing, load }) => !probing || load === 0)
    const acquired = this.harness.ask(wanted)
    if (acquired.type === "refusal") {
      expect(eligible).toEqual([])
      return
    }
    if (acquired.type === "wait") {
      expect(steady).toEqual([])
      expect(eligible.length > 0 || this.someoneRestsFromBurst()).toBe(true)
      const waiting: Waiting = { key: command.key, ...wanted, cancel: acquired.cancel }
      this.waiting.add(waiting)
      acquired.lease.then(
        lease => {
          this.waiting.delete(waiting)
          this.leases.push(lease)
        },
        () => this.waiting.delete(waiting),
      )
      return
    }
    const picked = free.find(account => account.id === acquired.lease.account)
    expect(free.map(account => account.id)).toContain(acquired.lease.account)
    const level = (account: { load: number; cap: number; tier: Tier }) =>
      TIERS.indexOf(account.tier) * 16 + Math.floor((16 * account.load) / account.cap)
    if (picked !== undefined) for (const other of steady) expect(level(picked)).toBeLessThanOrEqual(level(other))
    this.leases.push(acquired.lease)
  }

  async check() {
    // Hand-overs settle their promises before the books are compared.
    await new Promise<void>(resolve => setImmediate(resolve))
    const { scheduler } = this.harness
    const counts = scheduler.counts()
    expect(counts.leases).toBe(this.leases.length)
    expect(counts.waiting).toBe(this.waiting.size)
    for (const account of scheduler.view()) {
      expect(account.load).toBe(this.leases.filter(lease => lease.account === account.id).length)
    }
    for (const wanted of this.waiting) {
      const idle = this.eligible(wanted).filter(({ load, cap, probing }) => load < cap && (!probing || load === 0))
      expect(idle).toEqual([])
    }
  }
}

async function runCommand(world: World, command: (typeof sample)[number]): Promise<void> {
  const { harness } = world
  switch (command.do) {
    case "ask":
      return world.ask(command)
    case "release": {
      const [lease] = world.leases.splice(command.nth % Math.max(1, world.leases.length), 1)
      lease?.release()
      lease?.release()
      return
    }
    case "cancel":
      return [...world.waiting][command.nth % Math.max(1, world.waiting.size)]?.cancel()
    case "lifecycle":
      return harness.scheduler.setLifecycle(id(command.name), command.lifecycle)
    case "models":
      if (harness.scheduler.view().some(account => account.id === command.name)) {
        world.models.set(command.name, command.models)
        harness.scheduler.setModels(id(command.name), command.models && new Set(command.models))
      }
      return
    case "block":
      return harness.report(
        command.name,
        block(
          command.cause,
          command.forMs,
          command.wide ? { type: "account" } : { type: "model", model: command.model },
        ),
        { model: command.model },
      )
    case "succeed":
      return harness.succeed(command.name, { model: command.model })
    case "upsert":
      return harness.add(command.name, { cap: command.cap })
    case "remove":
      world.models.delete(command.name)
      return harness.scheduler.remove(id(command.name))
    case "advance":
      return harness.time.advance(command.ms)
  }
}

const sample = fc.sample(command, 1)

describe("the scheduler keeps its promises under any sequence of events", () => {
  test("slots equal leases, picks are eligible, below the cap and least loaded, nobody waits beside a free slot", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 120, size: "max" }), async commands => {
        const world = new World()
        for (const each of commands) {
          await runCommand(world, each)
          await world.check()
        }
        for (const lease of world.leases.splice(0)) lease.release()
        for (const waiting of world.waiting) waiting.cancel()
        await new Promise<void>(resolve => setImmediate(resolve))
        for (const lease of world.leases.splice(0)) lease.release()
        expect(world.harness.scheduler.counts()).toMatchObject({ leases: 0, waiting: 0 })
        for (const each of NAMES) world.harness.scheduler.remove(id(each))
        world.harness.time.advance(120_000)
        expect(world.harness.time.waiting()).toEqual([])
      }),
      { numRuns: 120 },
    )
  }, 60_000)
})
