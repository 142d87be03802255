/** What clients read about models: list, details, catalogue and the Codex manifest. */

import { describe, expect, test } from "bun:test"

import { BUILT_IN_MODELS } from "#gateway/models/built-in-models.ts"
import { parseModelName } from "#gateway/models/parse-model-name.ts"
import { renderManifest } from "#gateway/models/render-manifest.ts"
import {
  renderCatalog,
  renderModel,
  renderModelInfo,
  renderModelList,
  variantNames,
} from "#gateway/models/render-models.ts"
import { readCodexModels, readPublicModels } from "#providers/read-models.ts"

type Entry = Record<string, unknown> & { slug: string }

function entriesOf(body: string): readonly Entry[] {
  // The manifest is our own output.
  return (JSON.parse(body) as { models: Entry[] }).models
}

describe("the OpenAI list", () => {
  test("visible models only, each with integer time and owner", () => {
    const list = renderModelList(BUILT_IN_MODELS, { variants: false })
    expect(list["object"]).toBe("list")
    const data = list["data"] as Record<string, unknown>[]
    expect(data.map(({ id }) => id)).not.toContain("codex-auto-review")
    for (const entry of data) {
      expect(Object.keys(entry)).toEqual(["id", "object", "created", "owned_by"])
      expect(entry["object"]).toBe("model")
      expect(entry["owned_by"]).toBe("openai")
      expect(Number.isInteger(entry["created"])).toBe(true)
    }
  })

  test("variants are names that the parser takes apart again", () => {
    const known = new Set(BUILT_IN_MODELS.map(({ slug }) => slug))
    for (const info of BUILT_IN_MODELS) {
      for (const name of variantNames(info)) {
        expect(parseModelName(name, { isKnown: slug => known.has(slug), aliases: {} })?.slug).toBe(info.slug)
      }
    }
    const ids = (renderModelList(BUILT_IN_MODELS, { variants: true })["data"] as { id: string }[]).map(({ id }) => id)
    expect(ids).toContain("gpt-5.5-high-fast")
    expect(ids).toContain("gpt-5.3-codex-spark-high")
    expect(ids).not.toContain("gpt-5.3-codex-spark-fast")
    expect(new Set(ids).size).toBe(ids.length)
  })

  test("one model keeps the id it was asked by and the time the upstream states", () => {
    const [info] = readCodexModels({ models: [{ slug: "gpt-a", created: 1_700_000_000 }] })
    if (info === undefined) throw new Error("the model is missing")
    expect(renderModel(info, "alias")).toEqual({
      id: "alias",
      object: "model",
      created: 1_700_000_000,
      owned_by: "openai",
    })
  })

  test("details and catalogue say what is known and null what is not", () => {
    const [info] = readPublicModels({ data: [{ id: "gpt-a" }] })
    if (info === undefined) throw new Error("the model is missing")
    expect(renderModelInfo(info, 2)).toMatchObject({ id: "gpt-a", context_window: null, accounts: 2 })
    const catalog = renderCatalog(BUILT_IN_MODELS, slug => (slug === "gpt-5.5" ? 3 : 0))
    const entry = (catalog["data"] as Record<string, unknown>[]).find(({ id }) => id === "gpt-5.5")
    expect(entry).toMatchObject({
      context_window: 272_000,
      reasoning_efforts: ["low", "medium", "high", "xhigh"],
      default_reasoning_effort: "medium",
      service_tiers: ["priority"],
      accounts: 3,
    })
    expect(entry?.["variants"]).toContain("gpt-5.5-low")
  })
})

describe("the Codex manifest", () => {
  /** Fields without which some version of the client drops the whole list. */
  const REQUIRED: Record<string, string> = {
    slug: "string",
    display_name: "string",
    shell_type: "string",
    visibility: "string",
    supported_in_api: "boolean",
    priority: "number",
    base_instructions: "string",
    supports_reasoning_summaries: "boolean",
    support_verbosity: "boolean",
    apply_patch_tool_type: "string",
    supports_parallel_tool_calls: "boolean",
    truncation_policy: "object",
    context_window: "number",
    supported_reasoning_levels: "object",
    experimental_supported_tools: "object",
    input_modalities: "object",
  }

  test("built-in entries carry every field the client insists on", () => {
    const entries = entriesOf(renderManifest(BUILT_IN_MODELS, "0.155.0").body)
    expect(entries.map(({ slug }) => slug)).toEqual(BUILT_IN_MODELS.map(({ slug }) => slug))
    for (const entry of entries) {
      for (const [key, type] of Object.entries(REQUIRED)) expect([key, typeof entry[key]]).toEqual([key, type])
      expect(entry["apply_patch_tool_type"]).toBe("freeform")
      for (const level of entry["supported_reasoning_levels"] as Record<string, unknown>[]) {
        expect(Object.keys(level)).toEqual(["effort", "description"])
      }
    }
  })

  test("the upstream's own fields pass through whole", () => {
    const raw = { slug: "gpt-a", display_name: "A", base_instructions: "theirs", brand_new_field: { deep: [1] } }
    const [entry] = entriesOf(renderManifest(readCodexModels({ models: [raw] }), "0.155.0").body)
    expect(entry).toMatchObject(raw)
    expect(entry?.["apply_patch_tool_type"]).toBe("freeform")
  })

  test.each([
    ["0.152.9", false],
    ["0.153.0", true],
    ["0.153.1-alpha.2", true],
    ["1.0.0", true],
    ["0.0.0", true],
    [undefined, true],
    ["nonsense", true],
  ])("a model for 0.153.0 and newer is shown to %p: %p", (version, isShown) => {
    for (const minimal_client_version of ["0.153.0", [0, 153, 0]]) {
      const models = readCodexModels({ models: [{ slug: "gpt-a", minimal_client_version }] })
      expect(entriesOf(renderManifest(models, version).body).length).toBe(isShown ? 1 : 0)
    }
  })

  test("the tag names the content", () => {
    const first = renderManifest(BUILT_IN_MODELS, "0.155.0")
    expect(renderManifest([...BUILT_IN_MODELS], "0.155.0").etag).toBe(first.etag)
    expect(renderManifest(BUILT_IN_MODELS.slice(1), "0.155.0").etag).not.toBe(first.etag)
    expect(first.etag).toMatch(/^W\/"[0-9a-f]{24}"$/)
  })
})
