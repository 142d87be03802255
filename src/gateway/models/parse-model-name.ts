/** Takes a client's model name apart: which model, which effort, and whether it is to be fast. */

import { REASONING_EFFORTS, type ReasoningEffort } from "#core/model-info.ts"

import { NAME_FAMILIES } from "./family-names.ts"
import { LEGACY_MODELS, looseLegacySlug } from "./legacy-models.ts"
import { fitsPattern, isPattern } from "./name-pattern.ts"

/** A name's parts. `slug` is a known model or a name of {@link LEGACY_MODELS}. */
export type ParsedName = {
  readonly slug: string
  /** `auto` asks for the model's own default whatever the body says. */
  readonly effort?: ReasoningEffort | "auto"
  readonly fast: boolean
  /** `-1m` was asked for; every model is served with the window it has. */
  readonly longContext: boolean
}

/** What names are resolved against. */
export type KnownNames = {
  readonly isKnown: (slug: string) => boolean
  /** The operator's names for models, which may hold `*`; a target may carry suffixes. */
  readonly aliases: Readonly<Record<string, string>>
}

/** Family names that are no slugs themselves; they count when the target is known. */
const BUILT_IN_ALIASES: ReadonlyMap<string, string> = new Map([
  ["gpt-6", "gpt-6-sol"],
  ["gpt-5.6", "gpt-5.6-terra"],
])

/** Prefixes that mean this gateway's own models. */
const OWN_PREFIXES: ReadonlySet<string> = new Set(["openai", "codex", "openai-codex", "chatgpt", "sluice"])

const EFFORT_WORDS = [...REASONING_EFFORTS, "auto"].join("|")

/** `-high`, `_high`, `:high`, `(high)`; `fast` and `1m` likewise. */
const SUFFIX = new RegExp(`^(.+?)(?:[-_:](${EFFORT_WORDS}|fast|1m)|\\((${EFFORT_WORDS}|fast)\\)|\\[(1m)\\])$`, "i")

/** No model's name is longer; the search below is then short for any text. */
const MAX_NAME_CHARACTERS = 256

/** Aliases may point at aliases, but not in circles. */
const MAX_DEPTH = 12

/**
 * Returns the parts of `name`, or undefined when no model is meant. A known slug is never taken apart, so that
 * `gpt-5.1-codex-max` stays a model; suffixes come in any order; the outermost effort wins.
 */
export function parseModelName(name: string, names: KnownNames): ParsedName | undefined {
  if (name.length > MAX_NAME_CHARACTERS) return undefined
  return resolve(name.trim(), { names, loose: true, depth: 0 })
}

/** Returns the name that {@link parseModelName} reads back: `slug[-effort][-fast]`. */
export function renderModelName(parts: {
  readonly slug: string
  readonly effort?: string
  readonly fast?: boolean
}): string {
  return parts.slug + (parts.effort === undefined ? "" : `-${parts.effort}`) + (parts.fast === true ? "-fast" : "")
}

type Search = { readonly names: KnownNames; readonly loose: boolean; readonly depth: number }

function resolve(text: string, search: Search): ParsedName | undefined {
  if (text === "" || search.depth > MAX_DEPTH) return undefined
  const deeper = { ...search, depth: search.depth + 1 }
  return (
    resolveWhole(text, deeper) ??
    resolveTag(text, deeper) ??
    resolveSuffix(text, deeper) ??
    resolvePrefix(text, deeper) ??
    resolvePattern(text, deeper) ??
    resolveFamily(text, deeper) ??
    (search.loose ? plainName(looseLegacySlug(text)) : undefined)
  )
}

function resolveWhole(text: string, search: Search): ParsedName | undefined {
  const { isKnown, aliases } = search.names
  const lower = text.toLowerCase()
  const slug = [text, lower].find(isKnown)
  if (slug !== undefined) return plainName(slug)
  const target = ownValue(aliases, text) ?? ownValue(aliases, lower)
  if (target !== undefined) return resolve(target.trim(), search)
  const builtIn = BUILT_IN_ALIASES.get(lower)
  if (builtIn !== undefined && isKnown(builtIn)) return plainName(builtIn)
  return LEGACY_MODELS.has(lower) ? plainName(lower) : undefined
}

/** `name:latest` is `name`: Ollama's clients put the tag behind every name that has none. */
function resolveTag(text: string, search: Search): ParsedName | undefined {
  return /.:latest$/i.test(text) ? resolve(text.slice(0, -":latest".length), search) : undefined
}

function resolveSuffix(text: string, search: Search): ParsedName | undefined {
  const found = SUFFIX.exec(text)
  const inner = found?.[1] === undefined ? undefined : resolve(found[1], search)
  const word = (found?.[2] ?? found?.[3] ?? found?.[4])?.toLowerCase()
  if (inner === undefined || word === undefined) return undefined
  if (word === "fast") return { ...inner, fast: true }
  if (word === "1m") return { ...inner, longContext: true }
  // The pattern admits nothing else than the effort words here.
  return { ...inner, effort: word as ReasoningEffort | "auto" }
}

/** `openai/gpt-5.5`; a foreign prefix counts only when the rest is spelled exactly. */
function resolvePrefix(text: string, search: Search): ParsedName | undefined {
  const slash = text.indexOf("/")
  if (slash < 0) return undefined
  const isOwn = OWN_PREFIXES.has(text.slice(0, slash).toLowerCase())
  return resolve(text.slice(slash + 1), { ...search, loose: search.loose && isOwn })
}

/** The operator's patterns, in the order written. */
function resolvePattern(text: string, search: Search): ParsedName | undefined {
  const fitting = Object.entries(search.names.aliases).find(([name]) => isPattern(name) && fitsPattern(name, text))
  return fitting === undefined ? undefined : resolve(fitting[1].trim(), search)
}

function resolveFamily(text: string, { names }: Search): ParsedName | undefined {
  const family = NAME_FAMILIES.find(({ pattern }) => fitsPattern(pattern, text))
  return plainName(family?.candidates.find(names.isKnown))
}

function plainName(slug: string | undefined): ParsedName | undefined {
  return slug === undefined ? undefined : { slug, fast: false, longContext: false }
}

function ownValue(record: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined
}
