/** The operator's own catalogue entries: corrections of listed models, and models no list knows. */

import { arrayAt, isJsonObject, type JsonObject, type MutableJsonObject, numberAt, stringAt } from "#core/json.ts"
import type { ModelInfo } from "#core/model-info.ts"

/** One entry of the models file. Only what is present changes anything. */
export type ModelOverride = { readonly slug: string; readonly remove: boolean } & Partial<
  Pick<
    ModelInfo,
    | "displayName"
    | "description"
    | "visibility"
    | "priority"
    | "efforts"
    | "defaultEffort"
    | "serviceTiers"
    | "contextTokens"
    | "maxContextTokens"
    | "inputModalities"
  >
>

/** Entries of the operator come before listed ones unless they say otherwise. */
const OVERRIDE_PRIORITY = 0

/**
 * Reads a models file: `{models:[…]}` or a list; entries in the upstream's spelling (`slug`, `display_name`,
 * `context_window`, `supported_reasoning_levels`, …), `"remove": true` hides a model. Entries without slug are skipped.
 */
export function readModelOverrides(json: unknown): readonly ModelOverride[] {
  const entries = isJsonObject(json) ? arrayAt(json, "models") : json
  if (!Array.isArray(entries)) return []
  return entries.flatMap(entry => {
    const override = isJsonObject(entry) ? readOverride(entry) : undefined
    return override === undefined ? [] : [override]
  })
}

/** Returns the model with the override's fields, its upstream object included so that Codex clients see them too. */
export function applyOverride(info: ModelInfo, override: ModelOverride): ModelInfo {
  const { slug: _slug, remove: _remove, ...fields } = override
  const raw = info.raw === undefined ? {} : { raw: { ...info.raw, ...rawFields(override) } }
  return { ...info, ...fields, ...raw }
}

/** Returns a model that no list knows. */
export function modelOfOverride(override: ModelOverride): ModelInfo {
  return applyOverride(
    {
      slug: override.slug,
      visibility: "list",
      priority: OVERRIDE_PRIORITY,
      efforts: [],
      serviceTiers: [],
      inputModalities: ["text", "image"],
      supportsSummary: true,
      supportsVerbosity: true,
      supportsImageTool: true,
      plans: [],
    },
    override,
  )
}

function readOverride(entry: JsonObject): ModelOverride | undefined {
  const slug = stringAt(entry, "slug")
  if (slug === undefined || slug === "") return undefined
  const texts = { displayName: "display_name", description: "description", defaultEffort: "default_reasoning_level" }
  const numbers = { priority: "priority", contextTokens: "context_window", maxContextTokens: "max_context_window" }
  const lists = {
    efforts: "supported_reasoning_levels",
    serviceTiers: "service_tiers",
    inputModalities: "input_modalities",
  }
  const visibility = stringAt(entry, "visibility")
  return {
    slug,
    remove: entry["remove"] === true,
    ...pick(texts, key => stringAt(entry, key)),
    ...pick(numbers, key => numberAt(entry, key)),
    ...pick(lists, key => namesAt(entry, key)),
    ...(visibility !== undefined && { visibility: visibility === "list" ? "list" : "hide" }),
  }
}

/** Returns the fields whose wire key is present. */
function pick<Name extends string, Value>(
  keys: Readonly<Record<Name, string>>,
  read: (key: string) => Value | undefined,
): { readonly [name in Name]?: Value } {
  const found: { [name in Name]?: Value } = {}
  // Object.entries widens the names; they are the keys of `keys`.
  for (const [name, key] of Object.entries(keys) as [Name, string][]) {
    const value = read(key)
    if (value !== undefined) found[name] = value
  }
  return found
}

function namesAt(entry: JsonObject, key: string): readonly string[] | undefined {
  return arrayAt(entry, key)?.flatMap(value => {
    const name = isJsonObject(value) ? (stringAt(value, "effort") ?? stringAt(value, "id")) : value
    return typeof name === "string" ? [name] : []
  })
}

function rawFields(override: ModelOverride): JsonObject {
  const raw: MutableJsonObject = {}
  if (override.displayName !== undefined) raw["display_name"] = override.displayName
  if (override.description !== undefined) raw["description"] = override.description
  if (override.visibility !== undefined) raw["visibility"] = override.visibility
  if (override.priority !== undefined) raw["priority"] = override.priority
  if (override.defaultEffort !== undefined) raw["default_reasoning_level"] = override.defaultEffort
  if (override.contextTokens !== undefined) raw["context_window"] = override.contextTokens
  if (override.maxContextTokens !== undefined) raw["max_context_window"] = override.maxContextTokens
  if (override.inputModalities !== undefined) raw["input_modalities"] = override.inputModalities
  if (override.efforts !== undefined) {
    raw["supported_reasoning_levels"] = override.efforts.map(effort => ({ effort, description: effort }))
  }
  if (override.serviceTiers !== undefined) {
    raw["service_tiers"] = override.serviceTiers.map(id => ({ id, name: id, description: id }))
  }
  return raw
}
