/** Models in the forms of the Ollama dialect: the list of tags, and what is shown of one model. */

import type { JsonObject } from "#core/json.ts"
import type { ListedModel } from "#core/model-info.ts"

/** What clients without a tag look for, and what they show when there is none. */
const TAG = ":latest"

/** Second names that only one client of another dialect needs. */
const OTHER_CLIENTS = "claude-code/"

/** The upstream states no time; clients sort by it, so that it must not change. */
const MODIFIED_AT = "2025-08-07T00:00:00Z"

/** Stated where the upstream says nothing, because clients do sums with it. */
const DEFAULT_CONTEXT_TOKENS = 272_000

/** Nothing lies on this machine, and clients want a positive number. */
const SIZE_BYTES = 1

/** What is said of things that only files of weights have. */
const UNKNOWN = "unknown"

/** `isVisionHidden` keeps images out of what models are said to take. */
export type ModelListOptions = { readonly isVisionHidden: boolean }

/** Renders `GET /api/tags`: the upstream's models and the operator's names, each once. */
export function renderTags(all: readonly ListedModel[], options: ModelListOptions): JsonObject {
  // Names that stand for another vendor's families are served, but would only puzzle whoever picks from this list.
  const own = all.filter(({ id, family }) => family === undefined && !id.startsWith(OTHER_CLIENTS))
  const byName = new Map(own.map(entry => [taggedName(entry.id), entry]))
  return { models: [...byName].map(([name, entry]) => renderTag(name, entry, options)) }
}

function renderTag(name: string, entry: ListedModel, options: ModelListOptions): JsonObject {
  return {
    name,
    model: name,
    modified_at: MODIFIED_AT,
    size: SIZE_BYTES,
    digest: new Bun.CryptoHasher("sha256").update(name).digest("hex"),
    details: detailsOf(entry),
    capabilities: capabilitiesOf(entry, options),
  }
}

/** Renders `POST /api/show`. `shownName` stands where pickers look for a name. */
export function renderShow(entry: ListedModel, shownName: string, options: ModelListOptions): JsonObject {
  const architecture = architectureOf(entry)
  const contextTokens = entry.info.contextTokens ?? DEFAULT_CONTEXT_TOKENS
  return {
    license: "",
    modelfile: `# Served by a gateway; there is no file of this model.\nFROM ${entry.info.slug}\n`,
    // One member a line, no empty lines: older clients take the text apart without looking.
    parameters: `num_ctx ${contextTokens}`,
    // Without a place for a suffix: nothing can be filled in between.
    template: "{{ .System }}{{ .Tools }}{{ .Prompt }}",
    details: detailsOf(entry),
    model_info: {
      "general.architecture": architecture,
      "general.basename": shownName,
      "general.parameter_count": 0,
      [`${architecture}.context_length`]: contextTokens,
      [`${architecture}.embedding_length`]: 0,
    },
    capabilities: capabilitiesOf(entry, options),
    modified_at: MODIFIED_AT,
  }
}

/** A name with its tag; names that have one keep it. */
function taggedName(id: string): string {
  return /:[^/]+$/.test(id) ? id : id + TAG
}

function detailsOf(entry: ListedModel): JsonObject {
  const family = architectureOf(entry)
  return {
    parent_model: "",
    format: "gguf",
    family,
    families: [family],
    parameter_size: UNKNOWN,
    quantization_level: UNKNOWN,
  }
}

function architectureOf({ info }: ListedModel): string {
  return /^[a-z]+/i.exec(info.slug)?.[0].toLowerCase() ?? "gpt"
}

function capabilitiesOf({ info }: ListedModel, { isVisionHidden }: ModelListOptions): readonly string[] {
  const seesImages = !isVisionHidden && info.inputModalities.includes("image")
  return ["completion", "tools", "thinking", ...(seesImages ? ["vision"] : [])]
}
