import { describe, expect, test } from "bun:test"

import fc from "fast-check"

import { mapToolNames } from "#protocols/openai-responses/encode/tool-names.ts"

const ACCEPTABLE = /^[A-Za-z0-9_-]{1,64}$/

describe("tool names", () => {
  test("acceptable names stay and need no way back", () => {
    const names = mapToolNames(["a", "b-1"])
    expect(names.toUpstream("a")).toBe("a")
    expect(names.toClient.size).toBe(0)
  })

  test("a long MCP name keeps its prefix and last segment", () => {
    const long = `mcp__${"server_".repeat(12)}__read_file`
    const names = mapToolNames([long])
    expect(names.toUpstream(long)).toBe("mcp__read_file")
    expect(names.toClient.get("mcp__read_file")).toBe(long)
  })

  test("two MCP tools with one last segment stay apart", () => {
    const [a, b] = [`mcp__${"a".repeat(70)}__read`, `mcp__${"b".repeat(70)}__read`]
    const names = mapToolNames([a, b])
    expect([names.toUpstream(a), names.toUpstream(b)]).toEqual(["mcp__read", "mcp__read_1"])
  })

  test("an acceptable name is never taken by a shortened one, whatever the order", () => {
    const names = mapToolNames(["a.b", "a_b"])
    expect(names.toUpstream("a_b")).toBe("a_b")
    expect(names.toUpstream("a.b")).toBe("a_b_1")
  })

  test("a suffix still fits into 64 characters", () => {
    const stem = "x".repeat(64)
    const names = mapToolNames([`${stem}1`, `${stem}2`])
    expect(names.toUpstream(`${stem}2`)).toBe(`${"x".repeat(62)}_1`)
  })

  test("an undeclared name is shortened by the same rule", () => {
    expect(mapToolNames([]).toUpstream("x".repeat(80))).toBe("x".repeat(64))
  })

  test("any set of names maps to distinct acceptable names and back", () => {
    const name = fc.oneof(
      fc.string({ minLength: 1, maxLength: 90 }),
      fc.string({ minLength: 60, maxLength: 90 }).map(text => `mcp__${text}__go`),
      fc.constantFrom("a", "a.b", "a_b", "a/b"),
    )
    fc.assert(
      fc.property(fc.uniqueArray(name, { maxLength: 20 }), declared => {
        const names = mapToolNames(declared)
        const upstream = declared.map(names.toUpstream)
        expect(new Set(upstream).size).toBe(declared.length)
        expect(upstream.every(text => ACCEPTABLE.test(text))).toBe(true)
        expect(upstream.map(text => names.toClient.get(text) ?? text)).toEqual(declared)
      }),
    )
  })
})
