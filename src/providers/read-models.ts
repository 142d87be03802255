/** Reads model lists: the Codex catalogue with all its details, and the public list of bare ids. */

import { arrayAt, isJsonObject, type Json, type JsonObject, numberAt, stringAt } from "#core/json.ts"
import { type ModelInfo, REASONING_EFFORTS } from "#core/model-info.ts"

/** Entries without a stated priority come after those with one, in the order of the list. */
const UNRANKED_PRIORITY = 1000

/**
 * Reads `{models:[…]}` of the Codex backend. All but `slug` may be missing; efforts and tiers are objects or strings.
 * Source: https://github.com/openai/codex/blob/main/codex-rs/protocol/src/openai_models.rs
 */
export function readCodexModels(json: unknown): readonly ModelInfo[] {
  const entries = isJsonObject(json) ? (arrayAt(json, "models") ?? arrayAt(json, "data")) : json
  if (!Array.isArray(entries)) return []
  return entries.flatMap((entry, index) => {
    const info = isJsonObject(entry) ? readCodexModel(entry, index) : undefined
    return info === undefined ? [] : [info]
  })
}

/** Reads `{data:[{id}]}` of the public API. Source: https://platform.openai.com/docs/api-reference/models/list */
export function readPublicModels(json: unknown): readonly ModelInfo[] {
  const entries = isJsonObject(json) ? arrayAt(json, "data") : undefined
  return (entries ?? []).flatMap((entry, index) => {
    const slug = isJsonObject(entry) ? stringAt(entry, "id") : undefined
    return slug === undefined || slug === "" ? [] : [bareModel(slug, index)]
  })
}

function readCodexModel(raw: JsonObject, index: number): ModelInfo | undefined {
  const slug = stringAt(raw, "slug") ?? stringAt(raw, "id")
  if (slug === undefined || slug === "") return undefined
  const modalities = stringsAt(raw, "input_modalities")
  return {
    slug,
    ...optional("displayName", stringAt(raw, "display_name")),
    ...optional("description", stringAt(raw, "description")),
    visibility: (stringAt(raw, "visibility") ?? "list") === "list" ? "list" : "hide",
    priority: numberAt(raw, "priority") ?? UNRANKED_PRIORITY + index,
    efforts: ascending(namesAt(raw, "supported_reasoning_levels", "effort")),
    ...optional("defaultEffort", stringAt(raw, "default_reasoning_level")),
    serviceTiers: readTiers(raw),
    ...optional("contextTokens", numberAt(raw, "context_window")),
    ...optional("maxContextTokens", numberAt(raw, "max_context_window")),
    inputModalities: modalities.length > 0 ? modalities : ["text", "image"],
    supportsSummary: (raw["supports_reasoning_summary_parameter"] ?? raw["supports_reasoning_summaries"]) !== false,
    supportsVerbosity: raw["support_verbosity"] !== false,
    // No field says so; the one family without image input is also the one that refuses the image tool.
    supportsImageTool: modalities.length === 0 || modalities.includes("image"),
    plans: stringsAt(raw, "available_in_plans"),
    raw,
  }
}

/** The public list says nothing but the id: unknown lists stay empty, and the tier is left to the upstream. */
function bareModel(slug: string, index: number): ModelInfo {
  return {
    slug,
    visibility: "list",
    priority: UNRANKED_PRIORITY + index,
    efforts: [],
    serviceTiers: ["priority"],
    inputModalities: ["text", "image"],
    supportsSummary: true,
    supportsVerbosity: true,
    supportsImageTool: true,
    plans: [],
  }
}

/** `fast` is the clients' word for the tier whose wire name is `priority`. */
function readTiers(raw: JsonObject): readonly string[] {
  const named = [...namesAt(raw, "service_tiers", "id"), ...namesAt(raw, "additional_speed_tiers", "id")]
  return [...new Set(named.map(tier => (tier === "fast" ? "priority" : tier)))]
}

/** Unknown words come last, in the order of the list. */
function ascending(efforts: readonly string[]): readonly string[] {
  const known: readonly string[] = REASONING_EFFORTS.filter(effort => efforts.includes(effort))
  return [...known, ...new Set(efforts.filter(effort => !known.includes(effort)))]
}

/** Reads a list of strings, or of objects that carry the string under `key`. */
function namesAt(raw: JsonObject, list: string, key: string): readonly string[] {
  return (arrayAt(raw, list) ?? []).flatMap(entry => {
    const name = isJsonObject(entry) ? entry[key] : entry
    return typeof name === "string" && name !== "" ? [name] : []
  })
}

function stringsAt(raw: JsonObject, key: string): readonly string[] {
  return (arrayAt(raw, key) ?? []).filter((value: Json) => typeof value === "string")
}

function optional<Key extends string, Value>(key: Key, value: Value | undefined): { readonly [key in Key]?: Value } {
  // A computed key widens to `string`; the only key present is `Key`.
  return (value === undefined ? {} : { [key]: value }) as { readonly [key in Key]?: Value }
}
