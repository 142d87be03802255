/** Model lists in the form of the Gemini dialect. */

import type { JsonObject } from "#core/json.ts"
import type { ListedModel } from "#core/model-info.ts"

const METHODS = ["generateContent", "streamGenerateContent", "countTokens"]

/** Second names that only one client of another dialect needs. */
const OTHER_CLIENTS = "claude-code/"

const DEFAULT_PAGE = 50
const LARGEST_PAGE = 1000

/** Stated where the upstream says nothing, because clients do sums with it. */
const DEFAULT_INPUT_TOKENS = 272_000
const OUTPUT_TOKENS = 128_000

/** Renders one page. The token of the next page is absent on the last one: clients test for nothing else. */
export function renderGeminiModels(all: readonly ListedModel[], query: URLSearchParams): JsonObject {
  const size = Math.min(positive(query.get("pageSize")) ?? DEFAULT_PAGE, LARGEST_PAGE)
  const start = positive(query.get("pageToken")) ?? 0
  const end = start + size
  const models = all.filter(({ id }) => !id.startsWith(OTHER_CLIENTS))
  return {
    models: models.slice(start, end).map(renderGeminiModel),
    ...(end < models.length && { nextPageToken: String(end) }),
  }
}

/** Renders one entry. */
export function renderGeminiModel({ id, displayName, info }: ListedModel): JsonObject {
  return {
    name: `models/${id}`,
    baseModelId: id,
    version: "001",
    displayName,
    description: `${displayName}, served by this gateway.`,
    inputTokenLimit: info.contextTokens ?? DEFAULT_INPUT_TOKENS,
    outputTokenLimit: OUTPUT_TOKENS,
    supportedGenerationMethods: METHODS,
    thinking: true,
  }
}

function positive(text: string | null): number | undefined {
  const number = Number(text ?? Number.NaN)
  return Number.isInteger(number) && number > 0 ? number : undefined
}
