/** The model lists that clients read: the OpenAI list, one model's details, and the whole catalogue. */

import type { Json, JsonObject } from "#core/json.ts"
import type { ModelInfo } from "#core/model-info.ts"

import { renderModelName } from "./parse-model-name.ts"

/** The upstream states no creation time; clients only insist on an integer. 2025-08-07, when the family began. */
const CREATED_AT_SEC = 1_754_524_800

/** How `/v1/models` looks. */
export type ListOptions = {
  /** List `slug-high`, `slug-fast`, … as models of their own, for clients without an effort setting. */
  readonly variants: boolean
}

/**
 * Renders `GET /v1/models`. Models that pickers hide are left out, but served.
 * Source: https://platform.openai.com/docs/api-reference/models/list
 */
export function renderModelList(models: readonly ModelInfo[], options: ListOptions): JsonObject {
  const visible = models.filter(({ visibility }) => visibility === "list")
  const entries = visible.flatMap(info => {
    const names = options.variants ? [info.slug, ...variantNames(info)] : [info.slug]
    return names.map(name => renderModel(info, name))
  })
  return { object: "list", data: entries }
}

/** Renders `GET /v1/models/{id}`; `id` is the name the client asked for. */
export function renderModel(info: ModelInfo, id = info.slug): JsonObject {
  return { id, object: "model", created: createdOf(info), owned_by: "openai" }
}

/** Renders `GET /v1/models/{id}/info`. `accounts` counts the accounts whose own list has the model. */
export function renderModelInfo(info: ModelInfo, accounts: number): JsonObject {
  return {
    ...renderModel(info),
    display_name: info.displayName ?? info.slug,
    description: info.description ?? null,
    visibility: info.visibility,
    context_window: info.contextTokens ?? null,
    max_context_window: info.maxContextTokens ?? null,
    reasoning_efforts: info.efforts,
    default_reasoning_effort: info.defaultEffort ?? null,
    service_tiers: info.serviceTiers,
    input_modalities: info.inputModalities,
    supports_reasoning_summary: info.supportsSummary,
    supports_verbosity: info.supportsVerbosity,
    supports_image_tool: info.supportsImageTool,
    plans: info.plans,
    accounts,
  }
}

/** Renders `GET /v1/models/catalog`: every model, hidden ones too, with its variants. */
export function renderCatalog(models: readonly ModelInfo[], accountsOf: (slug: string) => number): JsonObject {
  return {
    object: "list",
    data: models.map(info => ({ ...renderModelInfo(info, accountsOf(info.slug)), variants: variantNames(info) })),
  }
}

/** Returns the model's names with suffixes: each effort, and each again with `-fast` where that tier exists. */
export function variantNames(info: ModelInfo): readonly string[] {
  const { slug } = info
  const efforts = info.efforts.map(effort => renderModelName({ slug, effort }))
  if (!info.serviceTiers.includes("priority")) return efforts
  const fast = info.efforts.map(effort => renderModelName({ slug, effort, fast: true }))
  return [...efforts, renderModelName({ slug, fast: true }), ...fast]
}

function createdOf(info: ModelInfo): number {
  const created: Json | undefined = info.raw?.["created"]
  return typeof created === "number" && Number.isInteger(created) ? created : CREATED_AT_SEC
}
