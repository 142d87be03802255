/** How many relay threads a machine gets. */

import { expect, test } from "bun:test"

import { relayCount } from "#cli/compose/relay-count.ts"

const linux = (cores: number) => ({ platform: "linux", cores }) as const

test.each([
  [1, 0],
  [2, 0],
  [3, 0],
  [4, 3],
  [8, 7],
  [9, 8],
  [64, 8],
])("auto on %d cores: %d", (cores, count) => {
  expect(relayCount("auto", linux(cores))).toEqual({ count })
})

test("a number is taken as it is; one worker is the owner itself", () => {
  expect(relayCount(1, linux(8))).toEqual({ count: 0 })
  expect(relayCount(2, linux(1))).toEqual({ count: 2 })
  expect(relayCount(16, linux(4))).toEqual({ count: 16 })
})

test.each(["darwin", "win32"] as const)(
  "on %s one thread carries everything, and who asked for more is told",
  platform => {
    expect(relayCount("auto", { platform, cores: 8 })).toEqual({ count: 0 })
    expect(relayCount(1, { platform, cores: 8 })).toEqual({ count: 0 })
    const refused = relayCount(4, { platform, cores: 8 })
    expect(refused.count).toBe(0)
    expect(refused.warning).toContain(platform)
  },
)
