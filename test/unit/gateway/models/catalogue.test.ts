/** The catalogue: which models, through which accounts, before and after lists are known. */

import { describe, expect, test } from "bun:test"

import type { AccountId } from "#core/ids.ts"
import type { ModelInfo } from "#core/model-info.ts"
import { BUILT_IN_MODELS } from "#gateway/models/built-in-models.ts"
import { type CatalogueParts, makeCatalogue } from "#gateway/models/catalogue.ts"
import { readModelOverrides } from "#gateway/models/model-override.ts"
import { readCodexModels, readPublicModels } from "#providers/read-models.ts"

// Ids have no form the catalogue would look at.
const ANNA = "acc_anna" as AccountId
const BERT = "acc_bert" as AccountId

function make(parts: Partial<CatalogueParts> = {}) {
  const time = { nowMs: 1_000 }
  return { time, catalogue: makeCatalogue({ clock: () => time.nowMs, ...parts }) }
}

function codex(...slugs: readonly string[]): readonly ModelInfo[] {
  return readCodexModels({ models: slugs.map((slug, index) => ({ slug, priority: index + 1 })) })
}

describe("before any list is known", () => {
  test("the built-in models stand in, and any account may serve them", () => {
    const { catalogue } = make()
    expect(catalogue.isLive()).toBe(false)
    expect(catalogue.list()).toEqual([...BUILT_IN_MODELS])
    expect(catalogue.find("gpt-5.5")?.defaultEffort).toBe("medium")
    expect(catalogue.accountsFor("gpt-5.5").size).toBe(0)
    expect(catalogue.mayServe(ANNA, "gpt-5.5")).toBe(true)
  })
})

describe("live lists", () => {
  test("the union over accounts replaces the built-in models", () => {
    const { catalogue } = make()
    catalogue.setModels(ANNA, { models: codex("gpt-a", "gpt-b") })
    catalogue.setModels(BERT, { models: codex("gpt-b", "gpt-c") })
    expect(catalogue.isLive()).toBe(true)
    expect(
      catalogue
        .list()
        .map(({ slug }) => slug)
        .sort(),
    ).toEqual(["gpt-a", "gpt-b", "gpt-c"])
    expect(catalogue.find("gpt-5.5")).toBeUndefined()
    expect([...catalogue.accountsFor("gpt-b")]).toEqual([ANNA, BERT])
    expect([...catalogue.accountsFor("gpt-c")]).toEqual([BERT])
    expect(catalogue.mayServe(ANNA, "gpt-c")).toBe(false)
  })

  test("an account without a list may serve anything", () => {
    const { catalogue } = make()
    catalogue.setModels(ANNA, { models: codex("gpt-a") })
    expect(catalogue.mayServe(BERT, "gpt-a")).toBe(true)
  })

  test("the later list decides how a model looks", () => {
    const { catalogue, time } = make()
    catalogue.setModels(ANNA, { models: readCodexModels({ models: [{ slug: "gpt-a", context_window: 1 }] }) })
    time.nowMs += 1
    catalogue.setModels(BERT, { models: readCodexModels({ models: [{ slug: "gpt-a", context_window: 2 }] }) })
    expect(catalogue.find("gpt-a")?.contextTokens).toBe(2)
    time.nowMs += 1
    catalogue.confirmModels(ANNA)
    catalogue.setModels(BERT, { models: readCodexModels({ models: [{ slug: "gpt-a", context_window: 3 }] }) })
    expect(catalogue.find("gpt-a")?.contextTokens).toBe(3)
  })

  test("a bare id never hides an entry with details", () => {
    const { catalogue, time } = make()
    catalogue.setModels(ANNA, { models: readCodexModels({ models: [{ slug: "gpt-a", display_name: "A" }] }) })
    time.nowMs += 1
    catalogue.setModels(BERT, { models: readPublicModels({ data: [{ id: "gpt-a" }] }) })
    expect(catalogue.find("gpt-a")?.displayName).toBe("A")
    expect([...catalogue.accountsFor("gpt-a")].sort()).toEqual([ANNA, BERT])
  })

  test("an empty answer does not wipe a list that is known", () => {
    const { catalogue } = make()
    catalogue.setModels(ANNA, { models: codex("gpt-a") })
    catalogue.setModels(ANNA, { models: [] })
    expect(catalogue.find("gpt-a")).toBeDefined()
  })

  test("a removed account takes its models along", () => {
    const { catalogue } = make()
    catalogue.setModels(ANNA, { models: codex("gpt-a") })
    catalogue.setModels(BERT, { models: codex("gpt-b") })
    const before = catalogue.revision()
    catalogue.removeAccount(ANNA)
    expect(catalogue.find("gpt-a")).toBeUndefined()
    expect(catalogue.revision()).toBeGreaterThan(before)
  })

  test("tag and time of a list are kept for asking again", () => {
    const { catalogue, time } = make()
    expect(catalogue.etagOf(ANNA)).toBeUndefined()
    catalogue.setModels(ANNA, { models: codex("gpt-a"), etag: 'W/"1"' })
    time.nowMs = 5_000
    expect(catalogue.fetchedAtMsOf(ANNA)).toBe(1_000)
    catalogue.confirmModels(ANNA)
    expect(catalogue.etagOf(ANNA)).toBe('W/"1"')
    expect(catalogue.fetchedAtMsOf(ANNA)).toBe(5_000)
  })
})

describe("snapshots", () => {
  test("a restored catalogue is the one that was saved", () => {
    const first = make().catalogue
    first.setModels(ANNA, { models: codex("gpt-a", "gpt-b"), etag: "x" })
    first.setModels(BERT, { models: readPublicModels({ data: [{ id: "gpt-c" }] }) })
    const saved: unknown = JSON.parse(JSON.stringify(first.snapshot()))
    const second = make().catalogue
    second.restore(saved)
    expect(second.list()).toEqual(first.list())
    expect(second.etagOf(ANNA)).toBe("x")
    expect([...second.accountsFor("gpt-c")]).toEqual([BERT])
  })

  test("what is known already is newer than the snapshot", () => {
    const { catalogue } = make()
    catalogue.setModels(ANNA, { models: codex("gpt-old") })
    const saved = catalogue.snapshot()
    const second = make().catalogue
    second.setModels(ANNA, { models: codex("gpt-new") })
    second.restore(saved)
    expect(second.find("gpt-old")).toBeUndefined()
  })

  test.each([
    [null],
    [{}],
    [{ version: 2, accounts: {} }],
    [{ version: 1, accounts: { a: 1, b: { models: [{}, 3] } } }],
  ])("a damaged snapshot %j gives nothing and hurts nothing", value => {
    const { catalogue } = make()
    catalogue.restore(value)
    expect(catalogue.isLive()).toBe(false)
    expect(catalogue.find("gpt-5.5")).toBeDefined()
  })
})

describe("the operator's models file", () => {
  const overrides = readModelOverrides({
    models: [
      { slug: "gpt-a", display_name: "Ours", supported_reasoning_levels: ["low", { effort: "high" }] },
      { slug: "gpt-own", context_window: 64_000, service_tiers: [{ id: "priority" }], visibility: "hide" },
      { slug: "gpt-b", remove: true },
      { display_name: "no slug" },
      "nonsense",
    ],
  })

  test("entries correct, add and remove models", () => {
    const { catalogue } = make({ overrides })
    catalogue.setModels(ANNA, { models: codex("gpt-a", "gpt-b") })
    expect(catalogue.find("gpt-a")).toMatchObject({ displayName: "Ours", efforts: ["low", "high"], priority: 1 })
    expect(catalogue.find("gpt-a")?.raw).toMatchObject({ slug: "gpt-a", display_name: "Ours" })
    expect(catalogue.find("gpt-b")).toBeUndefined()
    expect(catalogue.find("gpt-own")).toMatchObject({ contextTokens: 64_000, visibility: "hide" })
    expect(catalogue.mayServe(ANNA, "gpt-own")).toBe(true)
  })

  test("a file that is no catalogue changes nothing", () => {
    for (const json of [null, 3, "x", {}, { models: 1 }]) expect(readModelOverrides(json)).toEqual([])
  })
})
