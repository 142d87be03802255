/** The names clients may pick from, and their form in the Messages dialect. */

import { describe, expect, test } from "bun:test"

import { arrayAt, isJsonObject, type JsonObject } from "#core/json.ts"
import { BUILT_IN_MODELS } from "#gateway/models/built-in-models.ts"
import { makeCatalogue } from "#gateway/models/catalogue.ts"
import { makeModelEndpoints } from "#gateway/models/endpoints.ts"
import { planModel } from "#gateway/models/plan-model.ts"
import { renderMessagesModel, renderMessagesModels } from "#protocols/anthropic-messages/model-list.ts"

function endpointsWith(aliases: Readonly<Record<string, string>> = {}) {
  const catalogue = makeCatalogue({ clock: () => 0 })
  const config = { aliases, effortPrecedence: "suffix", legacyModels: "map" } as const
  const slugOf = (name: string) => planModel({ name, config, catalogue }).slug
  return makeModelEndpoints({ catalogue, slugOf, aliases: () => aliases })
}

function entries(body: JsonObject): readonly JsonObject[] {
  return (arrayAt(body, "data") ?? []).filter(isJsonObject)
}

describe("the names clients may pick from", () => {
  test("every listed name is served, and by the model it names", () => {
    const endpoints = endpointsWith({ quick: "gpt-5.5-low", "claude-house-*": "gpt-5.5" })
    const listed = endpoints.listed()
    expect(new Set(listed.map(({ id }) => id)).size).toBe(listed.length)
    for (const { id, info } of listed) expect(endpoints.listedOne(id).info).toBe(info)
  })

  test("clients that show only their vendor's names get every visible model under such a one", () => {
    const shown = endpointsWith()
      .listed()
      .filter(({ id }) => /claude|anthropic/i.test(id))
    const visible = BUILT_IN_MODELS.filter(({ visibility }) => visibility === "list").map(({ slug }) => slug)
    expect(new Set(shown.map(({ info }) => info.slug))).toEqual(new Set(visible))
    expect(shown.map(({ displayName }) => displayName)).toContain("Opus (GPT-6 Sol)")
  })

  test("an alias is listed by its name, a pattern by what stands before its star", () => {
    const ids = endpointsWith({ quick: "gpt-5.5-low", "claude-house-*": "gpt-5.5", "*-x": "gpt-5.5", lost: "gpt-0" })
      .listed()
      .map(({ id }) => id)
    expect(ids).toContain("quick")
    expect(ids).toContain("claude-house")
    expect(ids).not.toContain("lost")
    expect(ids.some(id => id.includes("*"))).toBe(false)
  })

  test("the list of the Messages dialect is one page with typed entries", () => {
    const body = renderMessagesModels(endpointsWith().listed())
    expect(body).toMatchObject({ has_more: false, first_id: "claude-opus" })
    for (const entry of entries(body)) {
      expect(entry).toMatchObject({ type: "model", id: expect.any(String), display_name: expect.any(String) })
      expect(String(entry["created_at"])).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    }
    expect(entries(body)[0]).toMatchObject({ anthropic_family_tier: "opus", max_input_tokens: 272_000 })
  })

  test("one entry answers to the name that was asked for", () => {
    expect(renderMessagesModel(endpointsWith().listedOne("claude-opus-5-5[1m]"))).toMatchObject({
      id: "claude-opus-5-5[1m]",
      display_name: "GPT-6 Sol",
    })
  })
})
