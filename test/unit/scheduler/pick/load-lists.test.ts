import { describe, expect, test } from "bun:test"

import fc from "fast-check"

import { addClass, makeClassMask } from "#scheduler/pick/class-mask.ts"
import { type LoadLists, makeLoadLists } from "#scheduler/pick/load-lists.ts"

const ACCOUNTS = 12
const CLASSES = 40

type Model = { classId: number; load: number; cap: number; open: boolean }

const levelOf = ({ load, cap }: Model) => Math.floor((16 * load) / cap)
const isFree = (account: Model) => account.open && account.load < account.cap

const action = fc.oneof(
  fc.record({ type: fc.constant("place" as const), account: fc.nat(ACCOUNTS - 1), value: fc.nat(CLASSES - 1) }),
  fc.record({
    type: fc.constant("cap" as const),
    account: fc.nat(ACCOUNTS - 1),
    value: fc.integer({ min: 1, max: 20 }),
  }),
  fc.record({ type: fc.constant("open" as const), account: fc.nat(ACCOUNTS - 1), value: fc.nat(1) }),
  fc.record({ type: fc.constant("pick" as const), account: fc.nat(ACCOUNTS - 1), value: fc.nat(2 ** 20) }),
  fc.record({ type: fc.constant("give" as const), account: fc.nat(ACCOUNTS - 1), value: fc.nat(0) }),
)

type Step = {
  readonly type: "place" | "cap" | "open" | "pick" | "give"
  readonly account: number
  readonly value: number
}

function apply(lists: LoadLists, models: readonly Model[], { type, account, value }: Step): void {
  const model = models[account]
  if (model === undefined) return
  switch (type) {
    case "place":
      lists.place(account, value)
      model.classId = value
      return
    case "cap":
      lists.setCap(account, value)
      model.cap = value
      return
    case "open":
      lists.setOpen(account, value === 1)
      model.open = value === 1
      return
    case "give":
      if (model.load === 0) return
      lists.give(account)
      model.load -= 1
      return
    case "pick":
      pickAndCompare(lists, models, { skipped: account, bits: value })
      return
  }
}

function pickAndCompare(
  lists: LoadLists,
  models: readonly Model[],
  { skipped, bits }: { skipped: number; bits: number },
) {
  const wanted = Array.from({ length: CLASSES }, (_, classId) => classId).filter(
    classId => (bits >> (classId % 20)) & 1,
  )
  const mask = makeClassMask(CLASSES)
  for (const classId of wanted) addClass(mask, classId)
  const candidates = models.filter((each, index) => index !== skipped && isFree(each) && wanted.includes(each.classId))
  const index = lists.pick(mask, each => each === skipped)
  const picked = models[index]
  if (picked === undefined) {
    expect(candidates).toEqual([])
    return
  }
  expect(candidates).toContain(picked)
  expect(levelOf(picked)).toBe(Math.min(...candidates.map(levelOf)))
  lists.take(index)
  picked.load += 1
}

describe("load lists", () => {
  test("pick agrees with a search over all accounts: lowest utilisation among the eligible, never full or closed", () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 300, size: "max" }), actions => {
        const lists = makeLoadLists()
        const models: Model[] = Array.from({ length: ACCOUNTS }, () => ({ classId: 0, load: 0, cap: 1, open: false }))
        models.forEach((_, account) => {
          lists.place(account, 0)
        })
        for (const step of actions) {
          apply(lists, models, step)
          models.forEach((other, index) => {
            expect(lists.isFree(index)).toBe(isFree(other))
          })
        }
      }),
      { numRuns: 150 },
    )
  })

  test("among equally loaded accounts the one unused for longest comes first, across classes", () => {
    const lists = makeLoadLists()
    const mask = makeClassMask(2)
    addClass(mask, 0)
    addClass(mask, 1)
    for (const account of [0, 1, 2, 3]) {
      lists.place(account, account % 2)
      lists.setOpen(account, true)
    }
    const picked: number[] = []
    for (let round = 0; round < 8; round++) {
      const account = lists.pick(mask, () => false)
      lists.take(account)
      lists.give(account)
      picked.push(account)
    }
    expect(picked).toEqual([0, 1, 2, 3, 0, 1, 2, 3])
  })

  test("room grows with the account numbers", () => {
    const lists = makeLoadLists()
    const mask = makeClassMask(1)
    addClass(mask, 0)
    for (let account = 0; account < 1000; account++) {
      lists.place(account, 0)
      lists.setOpen(account, true)
    }
    const picked = new Set<number>()
    for (let round = 0; round < 1000; round++) {
      const account = lists.pick(mask, () => false)
      lists.take(account)
      picked.add(account)
    }
    expect(picked.size).toBe(1000)
    expect(lists.pick(mask, () => false)).toBe(-1)
  })
})
