/** Model lists of both providers. */

import { describe, expect, test } from "bun:test"

import { readCodexModels, readPublicModels } from "#providers/read-models.ts"

describe("the Codex list", () => {
  test("a full entry", () => {
    const raw = {
      slug: "gpt-5.6-sol",
      display_name: "GPT-5.6-Sol",
      description: "d",
      visibility: "list",
      priority: 1,
      default_reasoning_level: "low",
      supported_reasoning_levels: [
        { effort: "high", description: "h" },
        { effort: "low", description: "l" },
        { effort: "ultra", description: "u" },
      ],
      service_tiers: [{ id: "priority", name: "Fast", description: "" }],
      additional_speed_tiers: ["fast"],
      context_window: 272_000,
      max_context_window: 872_000,
      input_modalities: ["text", "image"],
      supports_reasoning_summaries: true,
      support_verbosity: true,
      available_in_plans: ["plus", "pro"],
      something_new: { a: 1 },
    }
    expect(readCodexModels({ models: [raw] })).toEqual([
      {
        slug: "gpt-5.6-sol",
        displayName: "GPT-5.6-Sol",
        description: "d",
        visibility: "list",
        priority: 1,
        efforts: ["low", "high", "ultra"],
        defaultEffort: "low",
        serviceTiers: ["priority"],
        contextTokens: 272_000,
        maxContextTokens: 872_000,
        inputModalities: ["text", "image"],
        supportsSummary: true,
        supportsVerbosity: true,
        supportsImageTool: true,
        plans: ["plus", "pro"],
        raw,
      },
    ])
  })

  test("efforts and tiers may be plain strings, and unknown efforts come last", () => {
    const [info] = readCodexModels({
      models: [{ slug: "a", supported_reasoning_levels: ["turbo", "medium", "low"], service_tiers: ["fast"] }],
    })
    expect(info?.efforts).toEqual(["low", "medium", "turbo"])
    expect(info?.serviceTiers).toEqual(["priority"])
  })

  test("a bare slug is enough", () => {
    const [info] = readCodexModels({ models: [{ slug: "a" }] })
    expect(info).toMatchObject({ visibility: "list", efforts: [], serviceTiers: [], supportsSummary: true })
  })

  test("Spark takes no summaries, no images and no image tool", () => {
    const [info] = readCodexModels({
      models: [
        {
          slug: "gpt-5.3-codex-spark",
          supports_reasoning_summaries: true,
          supports_reasoning_summary_parameter: false,
          input_modalities: ["text"],
          visibility: "none",
        },
      ],
    })
    expect(info).toMatchObject({ supportsSummary: false, supportsImageTool: false, visibility: "hide" })
  })

  test("damaged entries are skipped, not the list", () => {
    const list = { models: [null, 3, {}, { slug: "" }, { slug: 5 }, { slug: "a", efforts: 7, priority: "x" }] }
    expect(readCodexModels(list).map(({ slug }) => slug)).toEqual(["a"])
    for (const json of [null, "x", {}, { models: {} }]) expect(readCodexModels(json)).toEqual([])
  })
})

describe("the public list", () => {
  test("ids become models of which nothing else is known", () => {
    const list = readPublicModels({ object: "list", data: [{ id: "gpt-5.1", object: "model" }, { id: "" }, null] })
    expect(list).toHaveLength(1)
    expect(list[0]).toMatchObject({ slug: "gpt-5.1", efforts: [], serviceTiers: ["priority"], plans: [] })
    expect(list[0]?.raw).toBeUndefined()
    expect(readPublicModels({ models: [] })).toEqual([])
  })
})
