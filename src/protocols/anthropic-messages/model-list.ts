/** Model lists in the form of the Messages dialect. */

import type { JsonObject } from "#core/json.ts"
import type { ListedModel } from "#core/model-info.ts"

/** The upstream states no release date; clients insist on one. 2025-08-07, when the family began. */
const CREATED_AT = "2025-08-07T00:00:00Z"

/**
 * Renders `GET /v1/models`: one page, whatever was asked for.
 * @see https://docs.claude.com/en/api/models-list
 */
export function renderMessagesModels(models: readonly ListedModel[]): JsonObject {
  const data = models.map(renderMessagesModel)
  return { data, has_more: false, first_id: models[0]?.id ?? null, last_id: models.at(-1)?.id ?? null }
}

/** Renders one entry. Families are marked for clients that look for them instead of names. */
export function renderMessagesModel({ id, displayName, family, info }: ListedModel): JsonObject {
  return {
    type: "model",
    id,
    display_name: displayName,
    created_at: CREATED_AT,
    max_input_tokens: info.contextTokens ?? null,
    max_tokens: null,
    capabilities: null,
    lifecycle: "active",
    line: family ?? null,
    deprecated_at: null,
    retires_at: null,
    ...(family !== undefined && { anthropic_family_tier: family, is_family_default: true }),
  }
}
