/** The plan: slug, effort and tier that go upstream for a name and a body. */

import { describe, expect, test } from "bun:test"

import { GatewayError } from "#core/errors.ts"
import type { AccountId } from "#core/ids.ts"
import { makeCatalogue } from "#gateway/models/catalogue.ts"
import { type ModelsConfig, type ModelWish, planModel } from "#gateway/models/plan-model.ts"
import { readCodexModels, readPublicModels } from "#providers/read-models.ts"

const CONFIG: ModelsConfig = { aliases: {}, effortPrecedence: "suffix", legacyModels: "map" }
// Ids have no form the catalogue would look at.
const ANNA = "acc_anna" as AccountId

function plan(name: string, rest: Partial<ModelWish> = {}) {
  return planModel({ name, config: CONFIG, catalogue: makeCatalogue({ clock: () => 0 }), ...rest })
}

function catalogueOf(...models: readonly Record<string, unknown>[]) {
  const catalogue = makeCatalogue({ clock: () => 0 })
  catalogue.setModels(ANNA, { models: readCodexModels({ models }) })
  return catalogue
}

function refusal(run: () => unknown): GatewayError {
  try {
    run()
  } catch (error) {
    if (error instanceof GatewayError) return error
  }
  throw new Error("expected a GatewayError")
}

describe("efforts", () => {
  test("a plain name sends neither effort nor tier", () => {
    const result = plan("gpt-5.5")
    expect(result.slug).toBe("gpt-5.5")
    expect(result.warnings).toEqual([])
    expect("effort" in result).toBe(false)
    expect("serviceTier" in result).toBe(false)
  })

  test("the suffix wins over the body, unless the operator says otherwise", () => {
    expect(plan("gpt-5.5-high", { bodyEffort: "low" }).effort).toBe("high")
    const config: ModelsConfig = { ...CONFIG, effortPrecedence: "body" }
    expect(plan("gpt-5.5-high", { bodyEffort: "low", config }).effort).toBe("low")
    expect(plan("gpt-5.5-high", { config }).effort).toBe("high")
  })

  test("the auto suffix lifts the body's effort", () => {
    expect(plan("gpt-5.5-auto", { bodyEffort: "low" }).effort).toBeUndefined()
  })

  test("an effort the model lacks is lowered and said so", () => {
    expect(plan("gpt-5.5-max")).toMatchObject({
      effort: "xhigh",
      warnings: [{ type: "effort-clamped", requested: "max", used: "xhigh" }],
    })
  })

  test("ultra goes out as max without a warning where the model has it", () => {
    expect(plan("gpt-5.6-sol-ultra")).toMatchObject({ effort: "max", warnings: [] })
    expect(plan("gpt-5.6-luna-ultra").effort).toBe("max")
  })

  test("a word nobody knows gives the default and a warning", () => {
    expect(plan("gpt-5.5", { bodyEffort: "heroic" })).toMatchObject({
      effort: "medium",
      warnings: [{ type: "effort-unknown", requested: "heroic" }],
    })
  })
})

describe("tiers", () => {
  test.each([
    ["gpt-5.5-fast", undefined, "priority"],
    ["gpt-5.5", "fast", "priority"],
    ["gpt-5.5", "priority", "priority"],
    ["gpt-5.5", "auto", undefined],
    ["gpt-5.5", "default", undefined],
    ["gpt-5.5", "flex", undefined],
    ["gpt-5.5", "scale", undefined],
  ])("%s with body tier %p sends %p", (name, bodyTier, serviceTier) => {
    const result = plan(name, { bodyTier })
    expect(result.serviceTier).toBe(serviceTier as "priority" | undefined)
    expect(result.warnings).toEqual([])
  })

  test("fast is dropped with a warning where the model has no such tier", () => {
    const result = plan("gpt-5.3-codex-spark-fast")
    expect(result.serviceTier).toBeUndefined()
    expect(result.warnings).toEqual([{ type: "tier-dropped", requested: "fast" }])
  })
})

describe("retired names", () => {
  test("a successor serves the name, with the name's own efforts", () => {
    expect(plan("gpt-5-minimal")).toMatchObject({
      slug: "gpt-5.6-terra",
      effort: "low",
      warnings: [
        { type: "legacy-model", requested: "gpt-5", used: "gpt-5.6-terra" },
        { type: "effort-clamped", requested: "minimal", used: "low" },
      ],
    })
    expect(plan("gpt-5.1").effort).toBe("low")
    expect(plan("gpt-5.1-codex-mini")).toMatchObject({ slug: "gpt-5.6-luna", effort: "medium" })
    expect(plan("gpt-5-codex").effort).toBeUndefined()
    expect(plan("gpt-5-codex", { bodyEffort: "xhigh" }).effort).toBe("high")
  })

  test("the next successor serves when the first is not listed, and the first model when none is", () => {
    expect(plan("gpt-5.4", { catalogue: catalogueOf({ slug: "gpt-5.5" }) }).slug).toBe("gpt-5.5")
    const strange = catalogueOf({ slug: "gpt-9-b", priority: 2 }, { slug: "gpt-9-a", priority: 1 })
    expect(plan("gpt-5.4", { catalogue: strange }).slug).toBe("gpt-9-a")
  })

  test("a name that an account still lists is served as it is", () => {
    const listed = catalogueOf({ slug: "gpt-5.1", supported_reasoning_levels: ["none", "low"] })
    expect(plan("gpt-5.1-none", { catalogue: listed })).toMatchObject({ slug: "gpt-5.1", effort: "none", warnings: [] })
    const bare = catalogueOf({ slug: "gpt-5.1" })
    expect(plan("gpt-5.1-none", { catalogue: bare })).toMatchObject({ slug: "gpt-5.1", effort: "low" })
  })

  test("the public list states no efforts, so none is changed", () => {
    const catalogue = makeCatalogue({ clock: () => 0 })
    catalogue.setModels(ANNA, { models: readPublicModels({ data: [{ id: "gpt-5.1" }] }) })
    expect(plan("gpt-5.1-none", { catalogue })).toMatchObject({ effort: "none", warnings: [] })
    expect(plan("gpt-5.1", { catalogue }).effort).toBeUndefined()
  })

  test("the operator may have them refused", () => {
    const config: ModelsConfig = { ...CONFIG, legacyModels: "refuse" }
    expect(refusal(() => plan("gpt-5.4", { config })).kind).toBe("model-not-found")
    expect(plan("gpt-5.5", { config }).slug).toBe("gpt-5.5")
  })
})

describe("names that mean nothing", () => {
  test("the refusal names the nearest models and the parameter", () => {
    const error = refusal(() => plan("gpt-5.5-tera"))
    expect(error.kind).toBe("model-not-found")
    expect(error.status).toBe(404)
    expect(error.code).toBe("model_not_found")
    expect(error.param).toBe("model")
    expect(error.message).toContain('"gpt-5.5-tera"')
    expect(error.message).toContain("gpt-5.6-terra")
  })

  test("aliases are suggested too, and nothing far-fetched is", () => {
    const config: ModelsConfig = { ...CONFIG, aliases: { "house-model-5": "gpt-5.5", "house-*-7": "gpt-5.5" } }
    expect(refusal(() => plan("house-model-6", { config })).message).toContain("house-model-5")
    expect(refusal(() => plan("house-model-6", { config })).message).not.toContain("*")
    expect(refusal(() => plan("zzzzzzzzzzzzzzzzzzzzzz")).message).not.toContain("Did you mean")
  })

  test("a very long name is shortened in the message", () => {
    expect(refusal(() => plan("x".repeat(10_000))).message.length).toBeLessThan(300)
  })

  test("long context is ignored with a warning", () => {
    expect(plan("gpt-5.5-1m").warnings).toEqual([{ type: "long-context-ignored" }])
  })
})
