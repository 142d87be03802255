/** All that is kept of accounts besides their credentials: who they are, what operators set, their other secrets. */

import type { Database } from "bun:sqlite"

import { type AccountSettingsRows, makeAccountSettingsRows } from "./account-settings.ts"
import { type AccountRows, makeAccountRows } from "./accounts.ts"
import { makeSealedValueRows, type SealedValueRows } from "./sealed-values.ts"

/** Functions over the tables `accounts`, `account_settings` and `sealed_values`. */
export type AccountTables = AccountRows & AccountSettingsRows & SealedValueRows

/** Prepares the statements on an open database. */
export function makeAccountTables(database: Database): AccountTables {
  return { ...makeAccountRows(database), ...makeAccountSettingsRows(database), ...makeSealedValueRows(database) }
}
