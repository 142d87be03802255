/** The model manifest that Codex clients read: `GET …/models?client_version=`. */

import type { Json, JsonObject } from "#core/json.ts"
import type { ModelInfo } from "#core/model-info.ts"

/** A manifest and the tag that names this very content. */
export type Manifest = { readonly body: string; readonly etag: string }

/**
 * Renders the manifest: the upstream's own objects where we have them, complete static ones where not, because a
 * client that misses one required field drops the whole list, and without `apply_patch_tool_type` it loses its editor.
 * Models that ask for a newer client than `clientVersion` are left out: their fields may be unreadable to it.
 * Source: https://github.com/openai/codex/blob/main/codex-rs/protocol/src/openai_models.rs
 */
export function renderManifest(models: readonly ModelInfo[], clientVersion?: string): Manifest {
  const client = readVersion(clientVersion)
  const entries = models.map(manifestEntry).filter(entry => isReadable(entry, client))
  const body = JSON.stringify({ models: entries })
  return { body, etag: `W/"${new Bun.CryptoHasher("sha256").update(body).digest("hex").slice(0, 24)}"` }
}

function manifestEntry(info: ModelInfo): JsonObject {
  const base = staticEntry(info)
  return info.raw === undefined ? base : { ...base, ...info.raw, slug: info.slug }
}

function staticEntry(info: ModelInfo): JsonObject {
  const takesImages = info.inputModalities.includes("image")
  const isFast = info.serviceTiers.includes("priority")
  return {
    slug: info.slug,
    display_name: info.displayName ?? info.slug,
    description: info.description ?? null,
    ...reasoningFields(info),
    shell_type: "shell_command",
    visibility: info.visibility,
    supported_in_api: true,
    priority: info.priority,
    additional_speed_tiers: isFast ? ["fast"] : [],
    service_tiers: isFast ? [{ id: "priority", name: "Fast", description: "Faster answers, more quota." }] : [],
    default_service_tier: null,
    availability_nux: null,
    upgrade: null,
    base_instructions: BASE_INSTRUCTIONS,
    model_messages: null,
    include_skills_usage_instructions: true,
    support_verbosity: info.supportsVerbosity,
    default_verbosity: info.supportsVerbosity ? "low" : null,
    apply_patch_tool_type: "freeform",
    web_search_tool_type: takesImages ? "text_and_image" : "text",
    truncation_policy: { mode: "tokens", limit: 10_000 },
    supports_parallel_tool_calls: true,
    supports_image_detail_original: takesImages,
    context_window: info.contextTokens ?? DEFAULT_CONTEXT_TOKENS,
    max_context_window: info.maxContextTokens ?? info.contextTokens ?? DEFAULT_CONTEXT_TOKENS,
    auto_compact_token_limit: null,
    effective_context_window_percent: 95,
    experimental_supported_tools: [],
    input_modalities: info.inputModalities,
    supports_search_tool: false,
    use_responses_lite: false,
    prefer_websockets: false,
    auto_review_model_override: null,
    tool_mode: null,
    multi_agent_version: null,
  }
}

function reasoningFields(info: ModelInfo): JsonObject {
  return {
    ...(info.defaultEffort !== undefined && { default_reasoning_level: info.defaultEffort }),
    supported_reasoning_levels: info.efforts.map(effort => ({
      effort,
      description: EFFORT_DESCRIPTIONS[effort] ?? effort,
    })),
    supports_reasoning_summaries: info.supportsSummary,
    supports_reasoning_summary_parameter: info.supportsSummary,
    default_reasoning_summary: info.supportsSummary ? "auto" : "none",
  }
}

type Version = readonly [number, number, number]

/** The upstream writes `minimal_client_version` as text or as three numbers. A build without version reads all. */
function isReadable(entry: JsonObject, client: Version | undefined): boolean {
  const minimum = readVersion(entry["minimal_client_version"])
  if (client === undefined || minimum === undefined || client.every(part => part === 0)) return true
  const differs = client.findIndex((part, index) => part !== minimum[index])
  return differs < 0 || (client[differs] ?? 0) > (minimum[differs] ?? 0)
}

function readVersion(value: Json | undefined): Version | undefined {
  const parts = typeof value === "string" ? (/^v?(\d+)\.(\d+)\.(\d+)/.exec(value)?.slice(1) ?? []) : value
  if (!Array.isArray(parts)) return undefined
  const [major, minor, patch] = parts.map(Number)
  if (major === undefined || minor === undefined || patch === undefined) return undefined
  return [major, minor, patch].every(Number.isInteger) ? [major, minor, patch] : undefined
}

const DEFAULT_CONTEXT_TOKENS = 272_000

const EFFORT_DESCRIPTIONS: Readonly<Record<string, string>> = {
  none: "No thinking before the answer",
  minimal: "Hardly any thinking",
  low: "Short thinking, quick answers",
  medium: "A balance for everyday work",
  high: "Longer thinking for hard tasks",
  xhigh: "Very long thinking for very hard tasks",
  max: "As much thinking as the model has",
  ultra: "As much thinking as the model has, with tasks handed to helpers",
}

/** Stands in for the upstream's prompt, which only its own list carries. */
const BASE_INSTRUCTIONS = [
  "You are Codex, a coding agent that works in the user's workspace.",
  "Read the code before you change it, keep changes small and in the style of the project, and check them.",
  "Edit files with the apply_patch tool and run commands with the shell tool.",
  "Never undo work that is not yours, and ask before anything that cannot be undone.",
  "Finish with a short account of what was done and what was not.",
].join("\n")
