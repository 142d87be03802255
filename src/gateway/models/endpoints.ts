/** The model endpoints: everything is rendered from the catalogue, and rendered again only when it changed. */

import { GatewayError } from "#core/errors.ts"
import type { JsonObject } from "#core/json.ts"
import type { ListedModel } from "#core/model-info.ts"

import type { Catalogue } from "./catalogue.ts"
import { listedModels } from "./listed-models.ts"
import { type Manifest, renderManifest } from "./render-manifest.ts"
import { renderCatalog, renderModel, renderModelInfo, renderModelList } from "./render-models.ts"

/** What the model routes answer. `one`, `listedOne` and `info` throw `model-not-found`. */
export type ModelEndpoints = {
  readonly list: () => JsonObject
  readonly one: (id: string) => JsonObject
  /** Every name clients may pick from, aliases and families included. */
  readonly listed: () => readonly ListedModel[]
  readonly listedOne: (id: string) => ListedModel
  readonly info: (id: string) => JsonObject
  readonly catalog: () => JsonObject
  /** The Codex catalogue, without models that need a newer client than `clientVersion`. */
  readonly manifest: (clientVersion?: string) => Manifest
}

/** What the endpoints are made of. */
export type ModelEndpointsParts = {
  readonly catalogue: Catalogue
  /** Resolves a client's name (alias, suffixes) or throws `model-not-found`. */
  readonly slugOf: (name: string) => string
  readonly aliases: () => Readonly<Record<string, string>>
}

/** Makes the endpoints. */
export function makeModelEndpoints({ catalogue, slugOf, aliases }: ModelEndpointsParts): ModelEndpoints {
  const manifests = new Map<string, Manifest>()
  let manifestsOf = -1

  function manifest(clientVersion = ""): Manifest {
    if (manifestsOf !== catalogue.revision() || manifests.size > 50) manifests.clear()
    manifestsOf = catalogue.revision()
    const known = manifests.get(clientVersion)
    if (known !== undefined) return known
    const rendered = renderManifest(catalogue.list(), clientVersion === "" ? undefined : clientVersion)
    manifests.set(clientVersion, rendered)
    return rendered
  }

  const find = (name: string) => {
    const info = catalogue.find(slugOf(name))
    if (info === undefined)
      throw new GatewayError("model-not-found", "The model does not exist.", { code: "model_not_found" })
    return info
  }
  const findOrNone = (name: string) => {
    try {
      return find(name)
    } catch (cause) {
      if (cause instanceof GatewayError && cause.kind === "model-not-found") return undefined
      throw cause
    }
  }
  const listed = () => listedModels({ models: catalogue.list(), aliases: aliases(), find: findOrNone })
  return {
    listed,
    listedOne: id => {
      const info = find(id)
      return listed().find(entry => entry.id === id) ?? { id, displayName: info.displayName ?? info.slug, info }
    },
    list: () => renderModelList(catalogue.list(), { variants: false }),
    one: name => renderModel(find(name), name),
    info: name => {
      const info = find(name)
      return renderModelInfo(info, catalogue.accountsFor(info.slug).size)
    },
    catalog: () => renderCatalog(catalogue.list(), slug => catalogue.accountsFor(slug).size),
    manifest,
  }
}
