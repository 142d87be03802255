import { describe, expect, test } from "bun:test"

import fc from "fast-check"

import { makeTimerHeap } from "#scheduler/timers/timer-heap.ts"

import { makeManualTime } from "../../../support/manual-timers.ts"

describe("timer heap", () => {
  test("fires every deadline once, at its time, whatever was moved and cleared before", () => {
    const step = fc.record({ handle: fc.nat(15), atMs: fc.nat(1000), clear: fc.boolean() })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), steps => {
        const time = makeManualTime(0)
        const heap = makeTimerHeap(time)
        const fired: [number, number][] = []
        const handles = Array.from({ length: 16 }, (_, index) => heap.add(() => fired.push([time.clock(), index])))
        const expected = new Map<number, number>()
        for (const { handle, atMs, clear } of steps) {
          if (clear) {
            heap.clear(handles[handle] ?? -1)
            expected.delete(handle)
          } else {
            heap.set(handles[handle] ?? -1, atMs)
            expected.set(handle, atMs)
          }
        }
        expect(heap.size()).toBe(expected.size)
        time.advance(2000)
        const byTime = (list: [number, number][]) => list.toSorted((a, b) => a[0] - b[0] || a[1] - b[1])
        expect(byTime(fired)).toEqual(byTime([...expected].map(([handle, atMs]) => [atMs, handle])))
        expect(heap.size()).toBe(0)
      }),
    )
  })

  test("a thousand deadlines need one timer", () => {
    const time = makeManualTime(0)
    const heap = makeTimerHeap(time)
    for (let at = 1000; at > 0; at--)
      heap.set(
        heap.add(() => undefined),
        at,
      )
    expect(time.waiting()).toEqual([1])
  })

  test("a deadline months away fires then and not at once", () => {
    const time = makeManualTime(0)
    const heap = makeTimerHeap(time)
    const dueMs = 90 * 86_400_000
    let firedAtMs = -1
    heap.set(
      heap.add(() => {
        firedAtMs = time.clock()
      }),
      dueMs,
    )
    expect(Math.max(...time.waiting())).toBe(2 ** 31 - 1)
    time.advance(dueMs - 1)
    expect(firedAtMs).toBe(-1)
    time.advance(1)
    expect(firedAtMs).toBe(dueMs)
  })
})
