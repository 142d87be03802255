import { describe, expect, test } from "bun:test"

import type { AccountScope } from "#scheduler/pick/account-scope.ts"
import type { AccountFacts } from "#scheduler/types.ts"

import { block, id, makeHarness } from "./harness.ts"

function scopeOf(parts: Partial<Omit<AccountScope, "key">>): AccountScope {
  const scope = { anyTag: [], noTag: [], anyPlan: [], noPlan: [], ...parts }
  return { ...scope, key: JSON.stringify(scope) }
}

const FACTS: Readonly<Record<string, Partial<AccountFacts>>> = {
  a: { tags: ["team-a"], plan: "plus" },
  ab: { tags: ["team-a", "team-b"], plan: "pro" },
  b: { tags: ["team-b"], plan: "plus" },
  none: {},
}

function harness() {
  const made = makeHarness({ accountConcurrency: 1 })
  for (const [name, facts] of Object.entries(FACTS)) made.add(name, facts)
  return made
}

describe("a request of a key with a scope", () => {
  test.each([
    [{ anyTag: ["team-a"] }, ["a", "ab"]],
    [{ anyTag: ["team-a"], noTag: ["team-b"] }, ["a"]],
    [{ noTag: ["team-a"] }, ["b", "none"]],
    [{ anyPlan: ["plus"] }, ["a", "b"]],
    [{ noPlan: ["plus"] }, ["ab", "none"]],
    [{ anyTag: ["team-b"], anyPlan: ["pro", "plus"] }, ["ab", "b"]],
  ])("%j gets all of its accounts and no others", (parts, expected) => {
    const made = harness()
    const got = expected.map(() => String(made.lease({ scope: scopeOf(parts) }).account))
    expect(got.sort()).toEqual([...expected])
    expect(made.ask({ scope: scopeOf(parts) }).type).toBe("wait")
    expect(made.ask().type).toBe("lease")
  })

  test("is not given an account outside of it, neither as the preferred one nor as the last resort", () => {
    const made = harness()
    expect(made.lease({ prefer: id("b"), scope: scopeOf({ anyTag: ["team-a"] }) }).account).not.toBe(id("b"))
    const other = harness()
    for (const name of ["a", "ab", "b"]) other.report(name, block("network", 60_000))
    const { account } = other.lease({ scope: scopeOf({ anyTag: ["team-b"] }) })
    expect(["ab", "b"]).toContain(String(account))
  })

  test("that waits is served by its own accounts only, while others wait for theirs", async () => {
    const made = harness()
    const leases = Object.keys(FACTS).map(() => made.lease())
    const mine = made.ask({ scope: scopeOf({ anyPlan: ["pro"] }), keyId: "mine" })
    const theirs = made.ask({ keyId: "theirs" })
    if (mine.type !== "wait" || theirs.type !== "wait") throw new Error("nobody waits")
    leases.find(lease => lease.account === id("b"))?.release()
    expect((await theirs.lease).account).toBe(id("b"))
    leases.find(lease => lease.account === id("ab"))?.release()
    expect((await mine.lease).account).toBe(id("ab"))
  })

  test("for which there is no account is refused at once, and told that it is about the key", () => {
    const error = harness().refusal({ scope: scopeOf({ anyTag: ["nobody"] }) })
    expect(error).toMatchObject({ kind: "no-account", code: "no_account" })
    expect(error.message).toContain("set aside for this API key")
  })
})
