/** Model lists over a restart: read from the store at start, written whenever one is fetched. */

import type { ModelInfo } from "#core/model-info.ts"
import type { ModelList } from "#gateway/pool/catalogue-sync.ts"
import type { ModelListRows } from "#store/model-lists.ts"

/** The store's functions this needs. */
export type ModelListStore = Pick<ModelListRows, "saveModelList" | "listModelLists">

/** Returns the kept lists by class. A row that cannot be read is left out: the upstream will be asked. */
export function readKeptLists(store: ModelListStore): ReadonlyMap<string, ModelList> {
  const lists = new Map<string, ModelList>()
  for (const row of store.listModelLists()) {
    const models = readList(row.listJson)
    if (models === undefined) continue
    lists.set(row.listClass, {
      models,
      fetchedAtMs: row.fetchedAtMs,
      ...(row.etag !== null && { etag: row.etag }),
    })
  }
  return lists
}

function readList(json: string): readonly ModelInfo[] | undefined {
  try {
    const value: unknown = JSON.parse(json)
    // Written by `keepModelList` of this or an earlier version, whose fields never change their meaning.
    return Array.isArray(value) ? (value as readonly ModelInfo[]) : undefined
  } catch {
    // A damaged row is as good as none: the upstream is asked again.
    return undefined
  }
}

/** Writes one list. */
export function keepModelList(store: ModelListStore, listClass: string, list: ModelList): void {
  store.saveModelList({
    listClass,
    etag: list.etag ?? null,
    listJson: JSON.stringify(list.models),
    fetchedAtMs: list.fetchedAtMs,
  })
}
