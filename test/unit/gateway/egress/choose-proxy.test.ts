/** Which proxy of the pool an account gets, and when it gets another. */

import { describe, expect, test } from "bun:test"

import type { AccountSettings, SettingsChanges } from "#accounts/sources/account-settings.ts"
import type { Account } from "#core/account.ts"
import { proxyEgressName } from "#core/egress-names.ts"
import type { AccountId } from "#core/ids.ts"
import { chooseProxy } from "#gateway/egress/choose-proxy.ts"
import { type PoolMembersParts, settlePoolMembers } from "#gateway/egress/pool-members.ts"
import type { KeptProxy } from "#gateway/egress/proxy-book.ts"
import { PROVEN_DOWN_MS, type ProxyHealth, UNCHECKED } from "#gateway/egress/proxy-health.ts"

const NOW_MS = 1_800_000_000_000
const ACCOUNTS = Array.from({ length: 600 }, (_, index) => `acc_${index.toString(16).padStart(16, "0")}` as AccountId)
const proxyIds = (count: number) => Array.from({ length: count }, (_, index) => `px_${index}`)

/** A pool of accounts, all of them members, over proxies that a test may change. */
function world(proxies: Map<string, ProxyHealth>) {
  const settings = new Map<AccountId, AccountSettings>(ACCOUNTS.map(id => [id, { egress: { mode: "pool" } }]))
  const kept = (id: string): KeptProxy => ({
    id,
    name: id,
    url: `http://${id}:1`,
    enabled: true,
    maxConcurrent: 0,
    health: proxies.get(id) ?? UNCHECKED,
    createdAtMs: 0,
  })
  let nowMs = NOW_MS
  let writes = 0
  const accounts = {
    accounts: () => ACCOUNTS.map(id => ({ id }) as Account),
    archived: () => [],
    settingsOf: (id: AccountId) => settings.get(id) ?? {},
    changeSettings: (ids: readonly AccountId[], changes: SettingsChanges) => {
      writes += 1
      if (typeof changes !== "function") throw new Error("one change each")
      for (const id of ids) settings.set(id, changes(id) as AccountSettings)
    },
  }
  const parts: PoolMembersParts = {
    book: {
      list: () => [...proxies.keys()].map(kept),
      get: id => (proxies.has(id) ? kept(id) : undefined),
      faultOf: name => {
        const id = [...proxies.keys()].find(one => proxyEgressName(one) === name)
        if (id === undefined) return "proxy-missing"
        return proxies.get(id)?.state === "down" ? "proxy-down" : undefined
      },
    },
    accounts: () => accounts,
    clock: () => nowMs,
  }
  return {
    settle: () => settlePoolMembers(parts),
    assigned: () =>
      new Map(
        ACCOUNTS.map(id => {
          const { egress } = settings.get(id) ?? {}
          return [id, egress?.mode === "pool" ? egress.proxy : undefined] as const
        }),
      ),
    wait: (ms: number) => {
      nowMs += ms
    },
    writes: () => writes,
  }
}

const up = (...ids: readonly string[]) => new Map<string, ProxyHealth>(ids.map(id => [id, UNCHECKED]))
const down = (sinceMs: number): ProxyHealth => ({
  state: "down",
  failStreak: 3,
  successStreak: 0,
  downSinceMs: sinceMs,
})

describe("fault 75: a pool that grows by one proxy", () => {
  test("moves no account, because each keeps what was chosen for it", () => {
    const proxies = up(...proxyIds(5))
    const pool = world(proxies)
    expect(pool.settle()).toHaveLength(ACCOUNTS.length)
    const before = pool.assigned()
    proxies.set("px_5", UNCHECKED)
    expect(pool.settle()).toEqual([])
    expect(pool.assigned()).toEqual(before)
    expect(pool.writes()).toBe(1)
  })

  test("would move one in n even if nothing was kept, and only to the new one", () => {
    const [five, six] = [proxyIds(5), proxyIds(6)]
    const moved = ACCOUNTS.filter(id => chooseProxy(id, five) !== chooseProxy(id, six))
    expect(new Set(moved.map(id => chooseProxy(id, six)))).toEqual(new Set(["px_5"]))
    // 100 of 600 on average; the hash is fixed, so this is a number, not a chance.
    expect(moved.length).toBeGreaterThan(70)
    expect(moved.length).toBeLessThan(130)
  })
})

test("the choice does not depend on the order of the proxies, and spreads the accounts", () => {
  const ids = proxyIds(4)
  const counts = new Map<string, number>()
  for (const id of ACCOUNTS) {
    const chosen = chooseProxy(id, ids) ?? ""
    expect(chooseProxy(id, ids.toReversed())).toBe(chosen)
    counts.set(chosen, (counts.get(chosen) ?? 0) + 1)
  }
  expect([...counts.keys()].toSorted()).toEqual(ids)
  expect(Math.min(...counts.values())).toBeGreaterThan(100)
  expect(chooseProxy("acc_1", [])).toBeUndefined()
})

test("a proxy that is down keeps its accounts for half an hour, then they move and stay where they are", () => {
  const proxies = up("px_0", "px_1")
  const pool = world(proxies)
  pool.settle()
  const [before, onFirst] = [pool.assigned(), [...pool.assigned()].filter(([, proxy]) => proxy === "px_0")]
  proxies.set("px_0", down(NOW_MS))
  pool.wait(PROVEN_DOWN_MS - 1)
  expect(pool.settle()).toEqual([])
  pool.wait(1)
  expect(pool.settle()).toEqual(onFirst.map(([account]) => ({ account, from: "px_0", to: "px_1" })))
  proxies.set("px_0", UNCHECKED)
  expect(pool.settle()).toEqual([])
  expect([...before.values()]).toContain("px_0")
})

test("when no other proxy will do, accounts stay where they are; a removed one sends them away at once", () => {
  const proxies = up("px_0", "px_1")
  const pool = world(proxies)
  pool.settle()
  const before = pool.assigned()
  for (const id of ["px_0", "px_1"]) proxies.set(id, down(NOW_MS - 2 * PROVEN_DOWN_MS))
  expect(pool.settle()).toEqual([])
  expect(pool.assigned()).toEqual(before)
  proxies.set("px_1", UNCHECKED)
  proxies.delete("px_0")
  pool.settle()
  expect(new Set(pool.assigned().values())).toEqual(new Set(["px_1"]))
})

test("an account that joins while there is no proxy gets one with the first", () => {
  const proxies = up()
  const pool = world(proxies)
  expect(pool.settle()).toEqual([])
  proxies.set("px_0", UNCHECKED)
  expect(pool.settle()).toHaveLength(ACCOUNTS.length)
})
