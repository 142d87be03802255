/** The last model list of each class of accounts, so that a start without network knows the models. */

import type { Database } from "bun:sqlite"

/** One list. Accounts of one provider and plan see the same, so a class has one row. */
export type ModelListRow = {
  readonly listClass: string
  /** The upstream's tag for asking again; null when it sent none. */
  readonly etag: string | null
  readonly listJson: string
  readonly fetchedAtMs: number
}

/** Functions over the table `model_lists`. */
export type ModelListRows = {
  readonly saveModelList: (row: ModelListRow) => void
  readonly listModelLists: () => readonly ModelListRow[]
}

/** Prepares the statements on an open database. */
export function makeModelListRows(database: Database): ModelListRows {
  const save = database.prepare<null, ModelListRow>(
    "insert or replace into model_lists values ($listClass, $etag, $listJson, $fetchedAtMs)",
  )
  const list = database.prepare<ModelListRow, []>(
    "select list_class as listClass, etag, list_json as listJson, fetched_at_ms as fetchedAtMs from model_lists",
  )
  return {
    saveModelList: row => {
      save.run(row)
    },
    listModelLists: () => list.all(),
  }
}
