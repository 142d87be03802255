/** Names, suffixes, aliases and prefixes: what a client's model name is taken for. */

import { describe, expect, test } from "bun:test"

import fc from "fast-check"

import { REASONING_EFFORTS } from "#core/model-info.ts"
import { BUILT_IN_MODELS } from "#gateway/models/built-in-models.ts"
import { LEGACY_MODELS, looseLegacySlug } from "#gateway/models/legacy-models.ts"
import { parseModelName, renderModelName } from "#gateway/models/parse-model-name.ts"

const SLUGS = new Set(BUILT_IN_MODELS.map(({ slug }) => slug))

function parse(name: string, aliases: Record<string, string> = {}, known: ReadonlySet<string> = SLUGS) {
  return parseModelName(name, { isKnown: slug => known.has(slug), aliases })
}

/** Suffixes that users of earlier gateways have in their settings, model by model. */
const SUFFIX_TABLE: readonly (readonly [slug: string, efforts: readonly string[]])[] = [
  ["gpt-5", ["low", "medium", "high", "auto"]],
  ["gpt-5-codex", ["low", "medium", "high", "auto"]],
  ["gpt-5-codex-mini", ["low", "medium", "high", "auto"]],
  ["gpt-5.1-codex-mini", ["low", "medium", "high", "auto"]],
  ["gpt-5.1", ["low", "medium", "high", "none", "auto"]],
  ["gpt-5.1-codex", ["low", "medium", "high", "auto"]],
  ["gpt-5.1-codex-max", ["low", "medium", "high", "xhigh", "auto"]],
  ["gpt-5.2-codex", ["low", "medium", "high", "xhigh", "auto"]],
  ["gpt-5.2", ["low", "medium", "high", "xhigh", "none", "auto"]],
  ["gpt-5.3-codex", ["low", "medium", "high", "xhigh", "none", "auto"]],
  ["gpt-5.4", ["low", "medium", "high", "xhigh", "none", "auto"]],
]

describe("suffixes of retired models", () => {
  for (const [slug, efforts] of SUFFIX_TABLE) {
    test(`${slug} keeps its name and its suffixes`, () => {
      expect(parse(slug)).toEqual({ slug, fast: false, longContext: false })
      expect(parse(`${slug}-fast`)).toEqual({ slug, fast: true, longContext: false })
      for (const effort of efforts) {
        expect(parse(`${slug}-${effort}`)).toMatchObject({ slug, effort, fast: false })
        expect(parse(`${slug}-${effort}-fast`)).toMatchObject({ slug, effort, fast: true })
        expect(parse(`${slug}-fast-${effort}`)).toMatchObject({ slug, effort, fast: true })
      }
    })
  }

  test("a slug that ends with an effort word is a model, not an effort", () => {
    expect(parse("gpt-5.1-codex-max")).toEqual({ slug: "gpt-5.1-codex-max", fast: false, longContext: false })
    expect(parse("gpt-5.1-codex-max-fast")).toMatchObject({ slug: "gpt-5.1-codex-max", fast: true })
    expect(parse("gpt-5.1-codex(max)")).toMatchObject({ slug: "gpt-5.1-codex", effort: "max" })
  })

  test("a live slug that ends with suffix words is never taken apart", () => {
    const known = new Set(["gpt-7", "gpt-7-high", "gpt-7-fast"])
    expect(parse("gpt-7-high", {}, known)).toEqual({ slug: "gpt-7-high", fast: false, longContext: false })
    expect(parse("gpt-7-fast-low", {}, known)).toMatchObject({ slug: "gpt-7-fast", effort: "low", fast: false })
    expect(parse("gpt-7-low", {}, known)).toMatchObject({ slug: "gpt-7", effort: "low" })
  })
})

describe("other spellings", () => {
  test.each(["gpt-5.5-high", "gpt-5.5(high)", "gpt-5.5:high", "gpt-5.5_high", "GPT-5.5-High", " gpt-5.5-high "])(
    "%p asks for high",
    name => {
      expect(parse(name)).toEqual({ slug: "gpt-5.5", effort: "high", fast: false, longContext: false })
    },
  )

  test("the long-context suffix is understood in any place", () => {
    for (const name of [
      "gpt-5.5-1m-high-fast",
      "gpt-5.5-high-1m-fast",
      "gpt-5.5-high-fast-1m",
      "gpt-5.5-high-fast[1m]",
    ]) {
      expect(parse(name)).toEqual({ slug: "gpt-5.5", effort: "high", fast: true, longContext: true })
    }
  })

  test("43: Ollama's tag says nothing, in front of suffixes or behind them", () => {
    const plain = parse("gpt-5.5")
    expect(parse("gpt-5.5:latest")).toEqual(plain)
    expect(parse("GPT-5.5:LATEST")).toEqual(plain)
    expect(parse("gpt-5.5-high:latest")).toEqual(parse("gpt-5.5-high"))
    expect(parse("gpt-5.5:latest-high")).toEqual(parse("gpt-5.5-high"))
    expect(parse(":latest")).toBeUndefined()
    expect(parse("no-such-model:latest")).toBeUndefined()
  })

  test("a provider prefix falls away when the rest is known", () => {
    expect(parse("openai/gpt-5.5")).toMatchObject({ slug: "gpt-5.5" })
    expect(parse("codex/gpt-5.6-sol-xhigh")).toMatchObject({ slug: "gpt-5.6-sol", effort: "xhigh" })
    expect(parse("anything/gpt-5.5(low)")).toMatchObject({ slug: "gpt-5.5", effort: "low" })
    expect(parse("openai/gpt-5-codex-preview")).toMatchObject({ slug: "gpt-5-codex" })
    expect(parse("elsewhere/some-codex-model")).toBeUndefined()
  })

  test("a listed id may contain a slash itself", () => {
    const known = new Set(["openai/gpt-5.5", "gpt-5.5"])
    expect(parse("openai/gpt-5.5-low", {}, known)).toMatchObject({ slug: "openai/gpt-5.5", effort: "low" })
  })

  test("family names mean a model only while it is served", () => {
    expect(parse("gpt-5.6-high")).toMatchObject({ slug: "gpt-5.6-terra", effort: "high" })
    expect(parse("gpt-6", {}, new Set(["gpt-5.5"]))).toBeUndefined()
  })

  test.each(["", "  ", "gpt-4o", "gpt-4.1-mini", "o3", "high", "-fast", "gpt-5.7-codex", "gpt-9-high", "llama-sonnet"])(
    "%p means no model",
    name => {
      expect(parse(name)).toBeUndefined()
    },
  )
})

describe("names of other vendors' families", () => {
  test.each([
    ["claude-opus-5-5", "gpt-6-sol"],
    ["claude-3-opus-20240229", "gpt-6-sol"],
    ["claude-fable-1", "gpt-6-sol"],
    ["anthropic/claude-sonnet-4.5", "gpt-5.6-terra"],
    ["Claude-Haiku-4-5", "gpt-6-luna"],
    ["claude-instant", "gpt-5.6-terra"],
  ])("%p is served by %p", (name, slug) => {
    expect(parse(name)).toEqual({ slug, fast: false, longContext: false })
  })

  test("31: the window's mark and other suffixes are taken off first", () => {
    expect(parse("claude-opus-5-5[1m]")).toMatchObject({ slug: "gpt-6-sol", longContext: true })
    expect(parse("claude-opus-5-5[1M]")).toMatchObject({ slug: "gpt-6-sol", longContext: true })
    expect(parse("claude-opus-5-5:1m")).toMatchObject({ slug: "gpt-6-sol", longContext: true })
    expect(parse("claude-haiku-4-5-high")).toMatchObject({ slug: "gpt-6-luna", effort: "high" })
  })

  test("a family whose first choices no account lists takes the next one, and none when there is none", () => {
    expect(parse("claude-opus-5", {}, new Set(["gpt-5.5"]))?.slug).toBe("gpt-5.5")
    expect(parse("claude-opus-5", {}, new Set(["gpt-9"]))).toBeUndefined()
  })

  test("a name in front of a slash is cut off before any family is asked", () => {
    expect(parse("claude-code/gpt-5.5")?.slug).toBe("gpt-5.5")
  })
})

describe("aliases", () => {
  test("a pattern stands for every name that fits it, in the order written, and comes before the families", () => {
    const aliases = { "claude-opus-*": "gpt-5.5-high", "claude-*": "gpt-5.6-luna", "claude-opus-4": "gpt-6-astra" }
    expect(parse("claude-opus-5-5", aliases)).toMatchObject({ slug: "gpt-5.5", effort: "high" })
    expect(parse("claude-opus", aliases)).toMatchObject({ slug: "gpt-5.5", effort: "high" })
    expect(parse("CLAUDE-sonnet-9", aliases)?.slug).toBe("gpt-5.6-luna")
    expect(parse("claude-opus-4", aliases)?.slug).toBe("gpt-6-astra")
    expect(parse("gpt-5.5", { "*": "gpt-6-sol" })?.slug).toBe("gpt-5.5")
  })

  test("patterns in a circle mean no model", () => {
    expect(parse("house-a", { "house-*": "house-b" })).toBeUndefined()
  })

  test("an alias carries its own suffixes and the client's win", () => {
    const aliases = { quick: "gpt-5.5-low-fast", deep: "quick-high" }
    expect(parse("quick", aliases)).toMatchObject({ slug: "gpt-5.5", effort: "low", fast: true })
    expect(parse("quick-medium", aliases)).toMatchObject({ slug: "gpt-5.5", effort: "medium", fast: true })
    expect(parse("deep", aliases)).toMatchObject({ slug: "gpt-5.5", effort: "high", fast: true })
  })

  test("aliases in a circle mean no model", () => {
    expect(parse("a", { a: "b", b: "a" })).toBeUndefined()
    expect(parse("a", { a: "a-high" })).toBeUndefined()
  })

  test("names of object members are no aliases", () => {
    expect(parse("constructor")).toBeUndefined()
    expect(parse("__proto__-high")).toBeUndefined()
  })
})

describe("loose names of retired models", () => {
  test.each([
    ["gpt-5-2025-08-07", "gpt-5"],
    ["gpt-5-turbo", "gpt-5"],
    ["gpt-5-codex-latest", "gpt-5-codex"],
    ["codex", "gpt-5-codex"],
    ["my-codex-build", "gpt-5-codex"],
    ["gpt-5-codex-mini-latest", "gpt-5-codex-mini"],
    ["gpt-5.1-2025-11-13", "gpt-5.1"],
    ["gpt-5.1-codex-preview", "gpt-5.1-codex"],
    ["gpt-5.1-codex-mini-2", "gpt-5.1-codex-mini"],
    ["gpt-5.1-codex-max-2025", "gpt-5.1-codex-max"],
  ])("%s means %s", (name, slug) => {
    expect(looseLegacySlug(name)).toBe(slug)
    expect(parse(`${name}-high`)).toMatchObject({ slug, effort: "high" })
  })

  test.each(["gpt-5.7-codex", "gpt-5.10", "gpt-50", "gpt-4-codex", "gpt-6-codex"])("%s is not guessed at", name => {
    expect(looseLegacySlug(name)).toBeUndefined()
  })
})

describe("parse and render", () => {
  const slugs = [...SLUGS, ...LEGACY_MODELS.keys()]
  const everyName = fc.record({
    slug: fc.constantFrom(...slugs),
    effort: fc.option(fc.constantFrom(...REASONING_EFFORTS, "auto" as const), { nil: undefined }),
    fast: fc.boolean(),
    fastFirst: fc.boolean(),
  })

  test("a rendered name reads back as what it was made of, in any order of suffixes", () => {
    fc.assert(
      fc.property(everyName, ({ slug, effort, fast, fastFirst }) => {
        fc.pre(!slugs.includes(`${slug}-${effort}`))
        const suffix = effort === undefined ? "" : `-${effort}`
        const name =
          fast && fastFirst
            ? `${slug}-fast${suffix}`
            : renderModelName({ slug, fast, ...(effort !== undefined && { effort }) })
        expect(parse(name)).toEqual({ slug, fast, longContext: false, ...(effort !== undefined && { effort }) })
      }),
    )
  })

  test("no text makes the parser throw or run away", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), text => {
        const parsed = parse(text)
        expect(parsed === undefined || SLUGS.has(parsed.slug) || LEGACY_MODELS.has(parsed.slug)).toBe(true)
      }),
    )
    expect(parse(`${"-high".repeat(5000)}`)).toBeUndefined()
    expect(parse(`codex${"-high".repeat(5000)}`)).toBeUndefined()
  })
})
