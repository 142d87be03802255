import { describe, expect, test } from "bun:test"

import type { JsonObject } from "#core/json.ts"
import type { ListedModel } from "#core/model-info.ts"
import { renderShow, renderTags } from "#protocols/ollama/model-list.ts"

import { makeModelInfo } from "../request-kit.ts"

const listed = (id: string, more: Partial<ListedModel> = {}): ListedModel => ({
  id,
  displayName: id,
  info: makeModelInfo({ inputModalities: ["text", "image"], contextTokens: 1000 }),
  ...more,
})
const SHOWN = { isVisionHidden: false }

function tagsOf(...models: readonly ListedModel[]): readonly JsonObject[] {
  const { models: tags } = renderTags(models, SHOWN)
  return tags as readonly JsonObject[]
}

describe("tags", () => {
  test("48, O8: names and digests are each there once, names with a tag", () => {
    const tags = tagsOf(listed("a"), listed("b"), listed("a:latest"), listed("mine:v2"), listed("team/x"))
    const names = tags.map(tag => tag["name"])
    expect(names).toEqual(["a:latest", "b:latest", "mine:v2", "team/x:latest"])
    expect(tags.map(tag => tag["model"])).toEqual(names)
    expect(new Set(tags.map(tag => tag["digest"])).size).toBe(4)
    for (const tag of tags) {
      expect(tag["digest"]).toMatch(/^[0-9a-f]{64}$/)
      expect(Number(tag["size"])).toBeGreaterThan(0)
      expect(Date.parse(String(tag["modified_at"]))).toBeGreaterThan(0)
    }
    expect(tagsOf(listed("a"))).toEqual(tags.slice(0, 1))
  })
  test("names for other vendors' programs are not offered", () => {
    expect(tagsOf(listed("claude-opus", { family: "opus" }), listed("claude-code/gpt-5.5"))).toEqual([])
  })
})

describe("show", () => {
  test("49, O9: capabilities, and the context under the architecture's name", () => {
    const shown = renderShow(listed("a"), "a:latest", SHOWN)
    const info = shown["model_info"] as JsonObject
    expect(shown["capabilities"]).toEqual(["completion", "tools", "thinking", "vision"])
    expect(info[`${info["general.architecture"]}.context_length`]).toBe(1000)
    expect(info["general.basename"]).toBe("a:latest")
    expect(shown["parameters"]).not.toContain("\n\n")
    expect(shown["template"]).not.toContain("Suffix")
    expect(shown["template"]).not.toBe("")
  })
  test("vision can be hidden, and is not claimed for models that read text only", () => {
    expect(renderShow(listed("a"), "a", { isVisionHidden: true })["capabilities"]).not.toContain("vision")
    const blind = listed("a", { info: makeModelInfo({ inputModalities: ["text"] }) })
    expect(renderShow(blind, "a", SHOWN)["capabilities"]).not.toContain("vision")
  })
  test("a context that nobody states is a positive number all the same", () => {
    const info = makeModelInfo()
    const { model_info } = renderShow(listed("a", { info }), "a", SHOWN) as { model_info: JsonObject }
    expect(Number(model_info["gpt.context_length"])).toBeGreaterThan(0)
  })
})
