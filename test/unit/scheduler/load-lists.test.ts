import { describe, expect, test } from "bun:test"
import fc from "fast-check"

import { addClass, makeClassMask } from "#scheduler/class-mask.ts"
import { makeLoadLists } from "#scheduler/load-lists.ts"

const ACCOUNTS = 12
const CLASSES = 40

type Model = { classId: number; load: number; cap: number; open: boolean }

const levelOf = ({ load, cap }: Model) => Math.floor((16 * load) / cap)
const isFree = (account: Model) => account.open && account.load < account.cap

const action = fc.oneof(
  fc.record({ type: fc.constant("place" as const), account: fc.nat(ACCOUNTS - 1), value: fc.nat(CLASSES - 1) }),
  fc.record({ type: fc.constant("cap" as const), account: fc.nat(ACCOUNTS - 1), value: fc.integer({ min: 1, max: 20 }) }),
  fc.record({ type: fc.constant("open" as const), account: fc.nat(ACCOUNTS - 1), value: fc.nat(1) }),
  fc.record({ type: fc.constant("pick" as const), account: fc.nat(ACCOUNTS - 1), value: fc.nat(2 ** 20) }),
  fc.record({ type: fc.constant("give" as const), account: fc.nat(ACCOUNTS - 1), value: fc.nat(0) }),
)

describe("load lists", () => {
  test("pick agrees with a search over all accounts: lowest utilisation among the eligible, never full or closed", () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 300 }), actions => {
        const lists = makeLoadLists()
        const models: Model[] = Array.from({ length: ACCOUNTS }, () => ({ classId: 0, load: 0, cap: 1, open: false }))
        models.forEach((_, account) => {
          lists.place(account, 0)
        })
        for (const { type, account, value } of actions) {
          const model = models[account]
          if (model === undefined) continue
          if (type === "place") {
            lists.place(account, value)
            model.classId = value
          } else if (type === "cap") {
            lists.setCap(account, value)
            model.cap = value
          } else if (type === "open") {
            lists.setOpen(account, value === 1)
            model.open = value === 1
          } else if (type === "give" && model.load > 0) {
            lists.give(account)
            model.load -= 1
          } else if (type === "pick") {
            const wanted = Array.from({ length: CLASSES }, (_, classId) => classId).filter(c => (value >> (c % 20)) & 1)
            const mask = makeClassMask(CLASSES)
            for (const classId of wanted) addClass(mask, classId)
            const candidates = models.filter(
              (other, index) => index !== account && isFree(other) && wanted.includes(other.classId),
            )
            const picked = models[lists.pick(mask, index => index === account)]
            if (candidates.length === 0) expect(picked).toBeUndefined()
            else {
              if (picked === undefined) throw new Error("nothing picked")
              expect(candidates).toContain(picked)
              expect(levelOf(picked)).toBe(Math.min(...candidates.map(levelOf)))
              lists.take(models.indexOf(picked))
              picked.load += 1
            }
          }
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
