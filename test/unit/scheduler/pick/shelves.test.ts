/** The shelves under every policy, against a search over plain objects. */

import { describe, expect, test } from "bun:test"

import fc from "fast-check"

import { addClass, makeClassMask } from "#scheduler/pick/class-mask.ts"
import { makeShelves, type Shelves } from "#scheduler/pick/shelves.ts"
import { keepsRoom, STRATEGIES, type Strategy } from "#scheduler/pick/strategies.ts"

const ACCOUNTS = 12
const CLASSES = 40
/** Several classes share a rank, and numbers say nothing about ranks. */
const rankOfClass = (classId: number) => (classId * 7) % 5

/** `key` is what `least-used` goes by: uses, counted from what the others had when the account came. */
type Model = { classId: number; load: number; cap: number; open: boolean; uses: number; key: number }

const layout = () => {
  const classAt = Array.from({ length: CLASSES }, (_, classId) => classId)
  classAt.sort((left, right) => rankOfClass(left) - rankOfClass(right))
  const positionOf: number[] = []
  classAt.forEach((classId, position) => {
    positionOf[classId] = position
  })
  return { classAt, rankAt: classAt.map(rankOfClass), positionOf }
}
const { positionOf } = layout()
const maskOf = (classIds: readonly number[]) => {
  const mask = makeClassMask(CLASSES)
  for (const classId of classIds) addClass(mask, positionOf[classId] ?? 0)
  return mask
}
const levelOf = ({ load, cap }: Model) => Math.floor((16 * load) / cap)
/** Bands do not count here: with five ranks all classes are of one priority and tier. */
const isCrowded = ({ load, cap }: Model) => 3 * load >= cap
const isFree = (account: Model) => account.open && account.load < account.cap

function makePair(strategy: Strategy, random: () => number = () => 0) {
  const shelves = makeShelves({ random, strategy })
  shelves.arrange(layout())
  const models: Model[] = Array.from({ length: ACCOUNTS }, (_, account) => {
    shelves.enter(account)
    const model = { classId: 0, load: 0, cap: 1, open: false, uses: 0, key: Number.NaN }
    put(shelves, account, model)
    return model
  })
  return { shelves, models }
}

function put(shelves: Shelves, account: number, { classId, cap, open }: Model): void {
  shelves.put(account, classId, { cap, open, probing: false, weight: 1 })
}

const action = fc.record({
  type: fc.constantFrom("class", "cap", "open", "pick", "pick", "pick", "give", "give", "policy"),
  account: fc.nat(ACCOUNTS - 1),
  value: fc.nat(2 ** 20),
})
type Step = { readonly type: string; readonly account: number; readonly value: number }
type World = { strategy: Strategy; turn: number; floor: number } & ReturnType<typeof makePair>

function apply(world: World, { type, account, value }: Step): void {
  const { shelves, models } = world
  const model = models[account]
  if (model === undefined) return
  if (type === "class") model.classId = value % CLASSES
  // No slots at all is what a banned account has.
  if (type === "cap") model.cap = value % 20
  if (type === "open") model.open = value % 4 > 0
  if (type === "class" || type === "cap" || type === "open") put(shelves, account, model)
  if (type === "pick") pickAndCompare(world, { skipped: account, bits: value })
  if (type === "policy") switchPolicy(world, STRATEGIES[value % STRATEGIES.length] ?? "least-loaded")
  if (type === "give" && model.load > 0) {
    shelves.give(account)
    model.load -= 1
  }
  for (const each of models) if (isFree(each) && Number.isNaN(each.key)) each.key = Math.max(each.uses, world.floor)
}

function switchPolicy(world: World, strategy: Strategy): void {
  world.strategy = strategy
  world.shelves.setStrategy(strategy)
  world.floor = 0
  for (const each of world.models) each.key = Number.NaN
}

function roomyFirst(possible: Model[]): Model[] {
  const roomy = possible.filter(each => !isCrowded(each))
  return roomy.length > 0 ? roomy : possible
}

function pickAndCompare(world: World, { skipped, bits }: { skipped: number; bits: number }) {
  const { shelves, models, strategy } = world
  const wanted = Array.from({ length: CLASSES }, (_, classId) => classId).filter(
    classId => (bits >> (classId % 20)) & 1,
  )
  const possible = models.filter((each, index) => index !== skipped && isFree(each) && wanted.includes(each.classId))
  const candidates = keepsRoom(strategy) ? roomyFirst(possible) : possible
  const index = shelves.pick(maskOf(wanted), each => each === skipped)
  const picked = models[index]
  if (picked === undefined) {
    expect(candidates).toEqual([])
    return
  }
  expect(candidates).toContain(picked)
  const ranks = candidates.map(({ classId }) => rankOfClass(classId))
  expect(rankOfClass(picked.classId)).toBe(Math.min(...ranks))
  const equals = candidates.filter(({ classId }) => rankOfClass(classId) === rankOfClass(picked.classId))
  if (["least-loaded", "quota-balanced", "soonest-reset"].includes(strategy)) {
    expect(levelOf(picked)).toBe(Math.min(...equals.map(levelOf)))
  }
  if (strategy === "fill-first") expect(index).toBe(Math.min(...equals.map(each => models.indexOf(each))))
  if (strategy === "least-used") expect(picked.key).toBe(Math.min(...equals.map(({ key }) => key)))
  world.turn += 1
  shelves.take(index, world.turn)
  picked.load += 1
  picked.uses += 1
  world.floor = picked.key
  picked.key += 1
}

describe("shelves", () => {
  test.each(STRATEGIES)(
    "%s: the best rank first, then what the policy says; never full, closed, skipped or unwanted",
    strategy => {
      fc.assert(
        fc.property(fc.array(action, { maxLength: 300, size: "max" }), actions => {
          const world: World = { strategy, turn: 0, floor: 0, ...makePair(strategy) }
          const { shelves, models } = world
          for (const step of actions) {
            apply(world, step)
            const shown = models.map((_, account) => [shelves.isFree(account), shelves.loadOf(account)])
            expect(shown).toEqual(models.map(model => [isFree(model), model.load]))
          }
        }),
        { numRuns: 40 },
      )
    },
  )

  test("among equally loaded accounts the one unused for longest comes first, across classes of a rank", () => {
    expect(picksOf("least-loaded", 8)).toEqual([0, 1, 2, 3, 0, 1, 2, 3])
  })

  test("chance chooses among the four unused for longest, and no others", () => {
    const last = () => 0.999
    const { shelves } = openAll("least-loaded", { accounts: 6, random: last, sameClass: true })
    expect(shelves.pick(maskOf([0]), () => false)).toBe(3)
  })

  test("round-robin gives everyone a turn, however long their requests last", () => {
    const { shelves } = openAll("round-robin", { accounts: 3, random: () => 0 })
    const picked: number[] = []
    for (let round = 0; round < 9; round++) {
      const account = shelves.pick(maskOf([0, 5]), () => false)
      shelves.take(account, round)
      // The first account's requests end at once, those of the others stay.
      if (account === 0) shelves.give(account)
      picked.push(account)
    }
    expect(picked).toEqual([0, 1, 2, 0, 1, 2, 0, 1, 2])
  })

  test("fill-first gives new work a third of an account before it touches the next, and goes back as soon as it can", () => {
    const { shelves } = openAll("fill-first", { accounts: 3, random: () => 0, cap: 6 })
    const take = () => {
      const account = shelves.pick(maskOf([0, 5]), () => false)
      shelves.take(account, 1)
      return account
    }
    expect([take(), take(), take()]).toEqual([0, 0, 1])
    shelves.give(0)
    expect(take()).toBe(0)
  })

  test("what fill-first keeps free is used, in order, once nobody has more room", () => {
    const { shelves } = openAll("fill-first", { accounts: 2, random: () => 0, cap: 3 })
    const picked = Array.from({ length: 7 }, () => {
      const account = shelves.pick(maskOf([0, 5]), () => false)
      if (account >= 0) shelves.take(account, 1)
      return account
    })
    expect(picked).toEqual([0, 1, 0, 0, 1, 1, -1])
  })

  test("room for conversations counts for less than priority and tier", () => {
    const shelves = makeShelves({ random: () => 0, strategy: "fill-first" })
    // Ranks of two groups: bands are eight apart.
    shelves.arrange({ classAt: [0, 1], rankAt: [0, 8], positionOf: [0, 1] })
    for (const account of [0, 1]) {
      shelves.enter(account)
      shelves.put(account, account, { cap: 3, open: true, probing: false, weight: 1 })
    }
    const mask = makeClassMask(2)
    for (const position of [0, 1]) addClass(mask, position)
    const picked = Array.from({ length: 4 }, () => {
      const account = shelves.pick(mask, () => false)
      shelves.take(account, 1)
      return account
    })
    expect(picked).toEqual([0, 0, 0, 1])
  })

  test("weighted serves in proportion to the weights", () => {
    const { shelves } = openAll("weighted", { accounts: 3, random: () => 0, cap: 100 })
    const counts = [0, 0, 0]
    ;[1, 2, 5].forEach((weight, account) => {
      shelves.put(account, account % 2 === 0 ? 0 : 5, { cap: 100, open: true, probing: false, weight })
    })
    for (let round = 0; round < 800; round++) {
      const account = shelves.pick(maskOf([0, 5]), () => false)
      shelves.take(account, round)
      shelves.give(account)
      counts[account] = (counts[account] ?? 0) + 1
    }
    for (const [account, share] of [100, 200, 500].entries()) {
      expect(Math.abs((counts[account] ?? 0) - share)).toBeLessThanOrEqual(2)
    }
  })

  test.each(["least-used", "weighted"] as const)(
    "under %s a newcomer does not get everything until it has caught up",
    strategy => {
      const { shelves } = openAll(strategy, { accounts: 2, random: () => 0.5, cap: 1000 })
      const counts = [0, 0, 0]
      const serve = (rounds: number) => {
        for (let round = 0; round < rounds; round++) {
          const account = shelves.pick(maskOf([0, 5]), () => false)
          shelves.take(account, round)
          counts[account] = (counts[account] ?? 0) + 1
        }
      }
      serve(200)
      shelves.enter(2)
      shelves.put(2, 0, { cap: 1000, open: true, probing: false, weight: 1 })
      serve(30)
      expect(counts[2]).toBeGreaterThanOrEqual(8)
      expect(counts[2]).toBeLessThanOrEqual(12)
    },
  )

  test("a change of policy keeps loads and takes effect with the next pick", () => {
    const { shelves } = openAll("least-loaded", { accounts: 3, random: () => 0 })
    shelves.take(0, 1)
    shelves.setStrategy("fill-first")
    expect(shelves.pick(maskOf([0, 5]), () => false)).toBe(0)
    shelves.setStrategy("least-loaded")
    expect(shelves.pick(maskOf([0, 5]), () => false)).toBe(1)
    expect(shelves.loadOf(0)).toBe(1)
  })

  test("room grows with the account numbers", () => {
    const { shelves } = openAll("least-loaded", { accounts: 1000, random: () => 0, cap: 1 })
    const picked = new Set<number>()
    for (let round = 0; round < 1000; round++) {
      const account = shelves.pick(maskOf([0, 5]), () => false)
      shelves.take(account, round)
      picked.add(account)
    }
    expect(picked.size).toBe(1000)
    expect(shelves.pick(maskOf([0, 5]), () => false)).toBe(-1)
  })
})

type Opened = {
  readonly accounts: number
  readonly random: () => number
  readonly cap?: number
  readonly sameClass?: true
}

/** Accounts 0 … n−1, open and idle, in two classes of one rank by turns. */
function openAll(strategy: Strategy, { accounts, random, cap = 4, sameClass }: Opened) {
  const shelves = makeShelves({ random, strategy })
  shelves.arrange(layout())
  for (let account = 0; account < accounts; account++) {
    shelves.enter(account)
    const classId = sameClass || account % 2 === 0 ? 0 : 5
    shelves.put(account, classId, { cap, open: true, probing: false, weight: 1 })
  }
  return { shelves }
}

function picksOf(strategy: Strategy, rounds: number): readonly number[] {
  const { shelves } = openAll(strategy, { accounts: 4, random: () => 0 })
  return Array.from({ length: rounds }, (_, round) => {
    const account = shelves.pick(maskOf([0, 5]), () => false)
    shelves.take(account, round)
    shelves.give(account)
    return account
  })
}
