/** Efforts: what a model accepts of what was asked. */

import { describe, expect, test } from "bun:test"

import { clampEffort, clampLegacyEffort, wireEffort } from "#gateway/models/clamp-effort.ts"
import { LEGACY_MODELS } from "#gateway/models/legacy-models.ts"

const LOW_TO_XHIGH = ["low", "medium", "high", "xhigh"]

describe("current models", () => {
  test.each([
    ["low", "low"],
    ["xhigh", "xhigh"],
    ["none", "low"],
    ["minimal", "low"],
    ["max", "xhigh"],
    ["ultra", "xhigh"],
    [" HIGH ", "high"],
  ])("%s becomes %s on a model from low to xhigh", (requested, effort) => {
    expect(clampEffort(requested, { efforts: LOW_TO_XHIGH })).toEqual({ effort, isKnown: true })
  })

  test("a gap in the list is filled from below", () => {
    expect(clampEffort("high", { efforts: ["xhigh", "low"] })).toEqual({ effort: "low", isKnown: true })
  })

  test("auto sends no effort", () => {
    expect(clampEffort("auto", { efforts: LOW_TO_XHIGH, defaultEffort: "high" })).toEqual({ isKnown: true })
  })

  test("an unknown word gives the model's default", () => {
    expect(clampEffort("heroic", { efforts: LOW_TO_XHIGH, defaultEffort: "medium" })).toEqual({
      effort: "medium",
      isKnown: false,
    })
    expect(clampEffort("heroic", { efforts: LOW_TO_XHIGH })).toEqual({ isKnown: false })
  })

  test("a word that only the model's list knows is kept", () => {
    expect(clampEffort("turbo", { efforts: [...LOW_TO_XHIGH, "turbo"] })).toEqual({ effort: "turbo", isKnown: true })
  })

  test("nothing is clamped while the list is unknown", () => {
    expect(clampEffort("none", { efforts: [] })).toEqual({ effort: "none", isKnown: true })
  })

  test("ultra is max on the wire and nothing else changes", () => {
    expect(wireEffort("ultra")).toBe("max")
    expect(wireEffort("max")).toBe("max")
    expect(wireEffort("xhigh")).toBe("xhigh")
  })
})

describe("retired models", () => {
  /** none, minimal, low, medium, high, xhigh, nothing asked. */
  const TABLE: readonly (readonly [slug: string, row: readonly (string | undefined)[]])[] = [
    ["gpt-5", ["low", "minimal", "low", "medium", "high", "high", undefined]],
    ["gpt-5-codex", ["low", "minimal", "low", "medium", "high", "high", undefined]],
    ["gpt-5.1", ["low", "low", "low", "medium", "high", "high", "low"]],
    ["gpt-5.1-codex", ["low", "low", "low", "medium", "high", "high", "low"]],
    ["gpt-5.1-codex-max", ["low", "low", "low", "medium", "high", "xhigh", "low"]],
    ["gpt-5-codex-mini", ["medium", "medium", "medium", "medium", "high", "high", "medium"]],
    ["gpt-5.1-codex-mini", ["medium", "medium", "medium", "medium", "high", "high", "medium"]],
  ]
  const ASKED = ["none", "minimal", "low", "medium", "high", "xhigh", undefined]

  for (const [slug, row] of TABLE) {
    test(`${slug} coerces efforts by its own table`, () => {
      const model = LEGACY_MODELS.get(slug)
      if (model === undefined) throw new Error(`${slug} is missing`)
      expect(ASKED.map(asked => clampLegacyEffort(asked, model).effort)).toEqual([...row])
    })
  }
})
