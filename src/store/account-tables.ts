/** All that is kept of accounts besides their credentials: who they are, what operators set, what was learned, their other secrets. */

import type { Database } from "bun:sqlite"

import { type AccountSettingsRows, makeAccountSettingsRows } from "./account-settings.ts"
import { type AccountRows, makeAccountRows } from "./accounts.ts"
import { type LearnedRows, makeLearnedRows } from "./learned.ts"
import { makeSealedValueRows, type SealedValueRows } from "./sealed-values.ts"

/** Functions over the tables of accounts. */
export type AccountTables = AccountRows & AccountSettingsRows & LearnedRows & SealedValueRows

/** Prepares the statements on an open database. */
export function makeAccountTables(database: Database): AccountTables {
  return {
    ...makeAccountRows(database),
    ...makeAccountSettingsRows(database),
    ...makeLearnedRows(database),
    ...makeSealedValueRows(database),
  }
}
