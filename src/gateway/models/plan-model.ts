/** Decides what goes upstream for a model name: slug, effort and tier, with a warning for all that was changed. */

import { GatewayError } from "#core/errors.ts"
import type { ModelInfo } from "#core/model-info.ts"

import type { Catalogue } from "./catalogue.ts"
import { type ClampedEffort, clampEffort, clampLegacyEffort, wireEffort } from "./clamp-effort.ts"
import { LEGACY_MODELS, type LegacyModel } from "./legacy-models.ts"
import { isPattern } from "./name-pattern.ts"
import { nearestNames } from "./nearest-names.ts"
import { type ParsedName, parseModelName } from "./parse-model-name.ts"

/** What the operator decides about names. */
export type ModelsConfig = {
  /** Client name, or a pattern of such, → model name, which may carry suffixes. */
  readonly aliases: Readonly<Record<string, string>>
  /** Which effort counts when the name's suffix and the body both name one. */
  readonly effortPrecedence: "suffix" | "body"
  /** Retired names that no account lists: serve them by a successor, or refuse them. */
  readonly legacyModels: "map" | "refuse"
}

/** A request that was understood a little differently than it was written. */
export type ModelWarning =
  | { readonly type: "effort-clamped"; readonly requested: string; readonly used: string }
  | { readonly type: "effort-unknown"; readonly requested: string }
  | { readonly type: "tier-dropped"; readonly requested: string }
  | { readonly type: "legacy-model"; readonly requested: string; readonly used: string }
  | { readonly type: "long-context-ignored" }

/** The plan for the model part of a request. */
export type ModelPlan = {
  /** Upstream slug. */
  readonly slug: string
  readonly info?: ModelInfo
  /** Undefined = send none. */
  readonly effort?: string
  readonly serviceTier?: "priority"
  readonly warnings: readonly ModelWarning[]
}

/** The model part of a request, as the client wrote it. */
export type ModelWish = {
  readonly name: string
  readonly bodyEffort?: string | undefined
  readonly bodyTier?: string | undefined
  readonly config: ModelsConfig
  readonly catalogue: Pick<Catalogue, "find" | "list">
}

/** Models that clients take for chat models, because lists of models name them. */
const IMAGE_MODEL = /^(gpt-image|chatgpt-image|dall-e)/

/** Throws `invalid-request` for a model that only draws, `model-not-found` with the nearest known names. */
export function planModel(wish: ModelWish): ModelPlan {
  const { catalogue, config } = wish
  const parsed = parseModelName(wish.name, {
    isKnown: slug => catalogue.find(slug) !== undefined,
    aliases: config.aliases,
  })
  if (parsed === undefined) throw notFound(wish)
  const info = catalogue.find(parsed.slug) ?? successorOf(parsed.slug, wish)
  const effort = planEffort(parsed, info, wish)
  const tier = planTier(parsed, info, wish.bodyTier)
  const warnings: readonly ModelWarning[] = [
    ...(info.slug === parsed.slug ? [] : [{ type: "legacy-model", requested: parsed.slug, used: info.slug } as const]),
    ...effort.warnings,
    ...tier.warnings,
    ...(parsed.longContext ? [{ type: "long-context-ignored" } as const] : []),
  ]
  return {
    slug: info.slug,
    info,
    warnings,
    ...(effort.effort !== undefined && { effort: effort.effort }),
    ...(tier.serviceTier !== undefined && { serviceTier: tier.serviceTier }),
  }
}

/** A retired name goes to its first successor that is served, else to the first model of the pickers. */
function successorOf(slug: string, wish: ModelWish): ModelInfo {
  const legacy = LEGACY_MODELS.get(slug)
  if (legacy === undefined || wish.config.legacyModels === "refuse") throw notFound(wish)
  const served = legacy.successors.map(wish.catalogue.find).find(info => info !== undefined)
  const info = served ?? wish.catalogue.list().find(({ visibility }) => visibility === "list")
  if (info === undefined) throw notFound(wish)
  return info
}

type EffortPlan = { readonly effort?: string; readonly warnings: readonly ModelWarning[] }

function planEffort(parsed: ParsedName, info: ModelInfo, wish: ModelWish): EffortPlan {
  const suffixFirst = wish.config.effortPrecedence === "suffix"
  const wanted = suffixFirst ? (parsed.effort ?? wish.bodyEffort) : (wish.bodyEffort ?? parsed.effort)
  const named = legacyRule(parsed.slug, info)
  const first: ClampedEffort =
    named !== undefined
      ? clampLegacyEffort(wanted, named)
      : wanted === undefined
        ? { isKnown: true }
        : clampEffort(wanted, info)
  const clamped = first.effort === undefined ? first : { ...clampEffort(first.effort, info), isKnown: first.isKnown }
  const effort = clamped.effort === undefined ? undefined : wireEffort(clamped.effort)
  return { ...(effort !== undefined && { effort }), warnings: effortWarnings(wanted, effort, clamped.isKnown) }
}

/**
 * The table of retired names counts when a successor serves the name, or when the Codex list has it without efforts.
 * The public list states no efforts at all: there the upstream decides.
 */
function legacyRule(slug: string, info: ModelInfo): LegacyModel | undefined {
  const listDecides = info.slug === slug && (info.efforts.length > 0 || info.raw === undefined)
  return listDecides ? undefined : LEGACY_MODELS.get(slug)
}

function effortWarnings(
  wanted: string | undefined,
  used: string | undefined,
  isKnown: boolean,
): readonly ModelWarning[] {
  if (wanted === undefined || wanted === "auto") return []
  if (!isKnown) return [{ type: "effort-unknown", requested: wanted }]
  if (used === undefined || used === wireEffort(wanted.trim().toLowerCase())) return []
  return [{ type: "effort-clamped", requested: wanted, used }]
}

type TierPlan = { readonly serviceTier?: "priority"; readonly warnings: readonly ModelWarning[] }

/** Only `priority` exists upstream; clients also call it `fast`. Other tiers mean the ordinary one. */
function planTier(parsed: ParsedName, info: ModelInfo, bodyTier: string | undefined): TierPlan {
  const tier = bodyTier?.trim().toLowerCase()
  const wantsFast = parsed.fast || tier === "fast" || tier === "priority"
  if (!wantsFast) return { warnings: [] }
  if (info.serviceTiers.includes("priority")) return { serviceTier: "priority", warnings: [] }
  return { warnings: [{ type: "tier-dropped", requested: parsed.fast ? "fast" : (bodyTier ?? "fast") }] }
}

function notFound({ name, catalogue, config }: ModelWish): GatewayError {
  const visible = catalogue.list().filter(({ visibility }) => visibility === "list")
  if (IMAGE_MODEL.test(name)) {
    return new GatewayError("invalid-request", `${name} draws and does not chat; ask it at /v1/images/generations.`, {
      code: "unsupported_model",
      param: "model",
    })
  }
  const near = nearestNames(name, [
    ...visible.map(({ slug }) => slug),
    ...Object.keys(config.aliases).filter(alias => !isPattern(alias)),
  ])
  const suggestion = near.length > 0 ? ` Did you mean ${near.join(", ")}?` : ""
  const shown = JSON.stringify(name.length > 80 ? `${name.slice(0, 79)}…` : name)
  return new GatewayError(
    "model-not-found",
    `The model ${shown} does not exist or no account serves it.${suggestion}`,
    {
      code: "model_not_found",
      param: "model",
    },
  )
}
