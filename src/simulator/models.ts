/** The model catalogue of the simulated backend and who may see what of it. */

import type { JsonObject } from "#core/json.ts"

import type { SimulatedAccount } from "./accounts/accounts.ts"
import { sha256Hex } from "./ids.ts"
import { isOlderVersion } from "./versions.ts"

/** One model with everything the gates and the catalogue need. */
export type SimulatedModel = {
  readonly slug: string
  readonly displayName: string
  readonly description: string
  readonly efforts: readonly string[]
  readonly defaultEffort: string
  readonly contextTokens: number
  readonly maxContextTokens: number
  readonly acceptsImages: boolean
  readonly hasFastTier: boolean
  readonly minimalClientVersion: string
  /** The request needs a Codex client's `originator` and `User-Agent`. */
  readonly isIdentityGated: boolean
  readonly isLite: boolean
  readonly isListed: boolean
  /** Counts against a limit of its own and knows neither summaries nor the image tool. */
  readonly isSpark: boolean
  /** Plans that have it; undefined = all. */
  readonly plans?: readonly string[]
}

const TO_XHIGH = ["low", "medium", "high", "xhigh"] as const
const TO_MAX = [...TO_XHIGH, "max"] as const
const TO_ULTRA = [...TO_MAX, "ultra"] as const

const BASE = {
  description: "A simulated stand-in; it repeats what it is asked.",
  efforts: TO_XHIGH,
  defaultEffort: "medium",
  contextTokens: 272_000,
  maxContextTokens: 272_000,
  acceptsImages: true,
  hasFastTier: true,
  isIdentityGated: false,
  isLite: false,
  isListed: true,
  isSpark: false,
} as const

const LARGE = { ...BASE, maxContextTokens: 872_000, isLite: true } as const
const SIX = { ...LARGE, isIdentityGated: true } as const

/** Every model served, in the order of the picker. */
export const SIMULATED_MODELS: readonly SimulatedModel[] = [
  { ...SIX, slug: "gpt-6-sol", displayName: "GPT-6 Sol", efforts: TO_ULTRA, minimalClientVersion: "0.155.0" },
  { ...SIX, slug: "gpt-6-luna", displayName: "GPT-6 Luna", efforts: TO_MAX, minimalClientVersion: "0.155.0" },
  {
    ...SIX,
    slug: "gpt-6-astra",
    displayName: "GPT-6 Astra",
    efforts: TO_ULTRA,
    defaultEffort: "low",
    minimalClientVersion: "0.153.0",
  },
  {
    ...LARGE,
    slug: "gpt-5.6-sol",
    displayName: "GPT-5.6 Sol",
    efforts: TO_ULTRA,
    defaultEffort: "low",
    minimalClientVersion: "0.144.0",
  },
  {
    ...LARGE,
    slug: "gpt-5.6-terra",
    displayName: "GPT-5.6 Terra",
    efforts: TO_ULTRA,
    minimalClientVersion: "0.144.0",
  },
  {
    ...LARGE,
    slug: "gpt-5.6-luna",
    displayName: "GPT-5.6 Luna",
    efforts: TO_MAX,
    minimalClientVersion: "0.144.0",
    isIdentityGated: true,
  },
  { ...BASE, slug: "gpt-5.5", displayName: "GPT-5.5", minimalClientVersion: "0.124.0" },
  {
    ...BASE,
    slug: "gpt-5.3-codex-spark",
    displayName: "GPT-5.3 Codex Spark",
    defaultEffort: "high",
    contextTokens: 128_000,
    maxContextTokens: 128_000,
    acceptsImages: false,
    hasFastTier: false,
    minimalClientVersion: "0.100.0",
    isSpark: true,
    plans: ["pro", "prolite"],
  },
  {
    ...LARGE,
    slug: "codex-auto-review",
    displayName: "Codex Auto Review",
    efforts: TO_MAX,
    minimalClientVersion: "0.98.0",
    isListed: false,
  },
]

/** Slugs the backend once served and now refuses for every plan. */
const RETIRED = new Set([
  "gpt-5.4",
  "gpt-5.4-mini",
  "gpt-5.2",
  "gpt-5.2-codex",
  "gpt-5.3-codex",
  "gpt-5",
  "gpt-5-codex",
  "gpt-5-codex-mini",
  "gpt-5.1",
  "gpt-5.1-codex",
  "gpt-5.1-codex-mini",
  "gpt-5.1-codex-max",
  "codex-mini-latest",
])

/** Returns the model with exactly this slug. */
export function findModel(slug: string): SimulatedModel | undefined {
  return SIMULATED_MODELS.find(model => model.slug === slug)
}

/** True for a slug of the past, which is refused with another text than an unknown one. */
export function isRetiredModel(slug: string): boolean {
  return RETIRED.has(slug)
}

/** True when the account's plan has the model and it is not kept from the account. */
export function hasModel(account: SimulatedAccount, model: SimulatedModel): boolean {
  if (account.hiddenModels.includes(model.slug)) return false
  return model.plans === undefined || model.plans.includes(account.plan)
}

/** The models one account sees with one client version (`1.2.3`; "" sees none that state a minimum). */
export function modelsFor(account: SimulatedAccount, clientVersion: string): readonly SimulatedModel[] {
  return SIMULATED_MODELS.filter(
    model => hasModel(account, model) && !isOlderVersion(clientVersion, model.minimalClientVersion),
  )
}

/** The list's ETag: a weak one over its slugs and the catalogue's revision. */
export function modelsEtag(models: readonly SimulatedModel[], revision: number): string {
  return `W/"${sha256Hex(`${revision}:${models.map(model => model.slug).join(",")}`).slice(0, 24)}"`
}

/** Writes one catalogue entry with the fields Codex clients read. */
export function modelInfo(model: SimulatedModel, priority: number): JsonObject {
  return {
    slug: model.slug,
    display_name: model.displayName,
    description: model.description,
    visibility: model.isListed ? "list" : "hide",
    supported_in_api: !model.isSpark,
    priority,
    default_reasoning_level: model.defaultEffort,
    supported_reasoning_levels: model.efforts.map(effort => ({ effort, description: `Simulated ${effort} effort` })),
    default_reasoning_summary: model.isSpark ? "none" : "auto",
    supports_reasoning_summaries: !model.isSpark,
    supports_reasoning_summary_parameter: !model.isSpark,
    support_verbosity: !model.isSpark,
    default_verbosity: model.isSpark ? null : "low",
    service_tiers: model.hasFastTier ? [{ id: "priority", name: "Fast", description: "Simulated fast lane" }] : [],
    additional_speed_tiers: model.hasFastTier ? ["fast"] : [],
    default_service_tier: null,
    context_window: model.contextTokens,
    max_context_window: model.maxContextTokens,
    effective_context_window_percent: 95,
    auto_compact_token_limit: null,
    input_modalities: model.acceptsImages ? ["text", "image"] : ["text"],
    supports_image_detail_original: model.isLite,
    supports_parallel_tool_calls: true,
    supports_search_tool: !model.isSpark,
    web_search_tool_type: model.acceptsImages ? "text_and_image" : "text",
    apply_patch_tool_type: "freeform",
    shell_type: "shell_command",
    experimental_supported_tools: [],
    truncation_policy: { mode: "tokens", limit: 10_000 },
    base_instructions: "You are a simulated model. Nothing you say comes from a real one.",
    model_messages: null,
    use_responses_lite: model.isLite,
    minimal_client_version: model.minimalClientVersion,
    available_in_plans: model.plans ?? [
      "free",
      "go",
      "plus",
      "pro",
      "prolite",
      "team",
      "business",
      "enterprise",
      "edu",
    ],
    upgrade: null,
    availability_nux: null,
    comp_hash: sha256Hex(model.slug).slice(0, 16),
  }
}
