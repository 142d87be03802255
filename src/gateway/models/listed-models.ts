/** Every name clients may pick from: families, the operator's aliases, and the models themselves. */

import type { ListedModel, ModelInfo } from "#core/model-info.ts"

import { NAME_FAMILIES } from "./family-names.ts"
import { isPattern, listedName } from "./name-pattern.ts"

/** What the list is made from. `find` returns undefined for a name that means no model. */
export type ListedModelsParts = {
  readonly models: readonly ModelInfo[]
  readonly aliases: Readonly<Record<string, string>>
  readonly find: (name: string) => ModelInfo | undefined
}

/**
 * Stands in front of a model's own name for clients that show only names they take for their vendor's. A prefix nobody
 * else claims: whatever stands before a slash is cut off when the name comes back.
 */
const PICKER_PREFIX = "claude-code/"

/** Returns the names in the order of a picker, each once. */
export function listedModels({ models, aliases, find }: ListedModelsParts): readonly ListedModel[] {
  const visible = models.filter(({ visibility }) => visibility === "list")
  const named: readonly Omit<ListedModel, "info">[] = [
    ...NAME_FAMILIES.flatMap(({ listed }) => (listed === undefined ? [] : [listed])),
    ...Object.keys(aliases).flatMap(name => {
      const id = isPattern(name) ? listedName(name) : name
      return id === undefined ? [] : [{ id, displayName: id }]
    }),
    ...visible.map(info => ({ id: PICKER_PREFIX + info.slug, displayName: nameOf(info) })),
    ...visible.map(info => ({ id: info.slug, displayName: nameOf(info) })),
  ]
  const byId = new Map<string, ListedModel>()
  for (const entry of named) {
    const info = byId.has(entry.id) ? undefined : find(entry.id)
    if (info !== undefined) byId.set(entry.id, { ...entry, displayName: fullName(entry, info), info })
  }
  return [...byId.values()]
}

/** Says what is behind a name that is not the model's own. */
function fullName({ displayName }: Pick<ListedModel, "displayName">, info: ModelInfo): string {
  return displayName === nameOf(info) ? displayName : `${displayName} (${nameOf(info)})`
}

function nameOf(info: ModelInfo): string {
  return info.displayName ?? info.slug
}
