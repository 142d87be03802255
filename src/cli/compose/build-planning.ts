/** How a model's name is read, and which model and which accounts draw pictures. */

import type { Config } from "#config/config.ts"
import { GatewayError } from "#core/errors.ts"
import type { ImageParts } from "#gateway/calls/images.ts"
import type { Catalogue } from "#gateway/models/catalogue.ts"
import { type ModelPlan, type ModelsConfig, type ModelWish, planModel } from "#gateway/models/plan-model.ts"
import type { Pool } from "#gateway/pool/pool.ts"

/** What the choices are made from. */
export type BuildPlanningParts = {
  readonly config: () => Config
  readonly catalogue: Catalogue
  readonly pool: Pick<Pool, "accounts">
}

/** Small models cost the least and only hand the prompt on. */
const SMALL_MODEL = /mini|luna/

/** Returns what reads a name by the settings and the catalogue of the moment. It throws `model-not-found`. */
export function buildPlanning({ config, catalogue }: Omit<BuildPlanningParts, "pool">) {
  return (wish: Pick<ModelWish, "name" | "bodyEffort" | "bodyTier">): ModelPlan =>
    planModel({ ...wish, config: modelsConfig(config()), catalogue })
}

function modelsConfig(config: Config): ModelsConfig {
  const { aliases, legacyNames } = config.model
  return { aliases, effortPrecedence: config.effortPrecedence, legacyModels: legacyNames }
}

/** Builds the choice. The operator's `images.host-model` comes before the catalogue. */
export function buildImages({ config, catalogue, pool }: BuildPlanningParts): ImageParts {
  return {
    hostModel: () => {
      const chosen = config().images.hostModel
      if (chosen !== "") return chosen
      const able = catalogue.list().filter(info => info.supportsImageTool && info.visibility === "list")
      const host = able.find(({ slug }) => SMALL_MODEL.test(slug)) ?? able[0]
      if (host !== undefined) return host.slug
      throw new GatewayError("model-not-found", "No model that accounts have can draw.", { code: "model_not_found" })
    },
    withoutImages: () => {
      const accounts = pool.accounts()
      const free = accounts.filter(({ plan }) => plan?.startsWith("free"))
      return { accounts: new Set(free.map(({ id }) => id)), total: accounts.length }
    },
  }
}
