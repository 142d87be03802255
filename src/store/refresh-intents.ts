/** Notes of token exchanges that began: what is left at start is an exchange whose end nobody saw. */

import type { Database } from "bun:sqlite"

import type { AccountId } from "#core/ids.ts"

import { inDurableTransaction } from "./core-database.ts"

/** One exchange that began at `startedAtMs` with the refresh token of this fingerprint. */
export type RefreshIntent = {
  readonly fingerprint: string
  readonly accountId: AccountId
  readonly generation: number
  readonly startedAtMs: number
}

/** Functions over the table `refresh_intents`. */
export type RefreshIntentRows = {
  /** Fsynced before it returns, so that the exchange may begin. */
  readonly beginRefresh: (intent: RefreshIntent) => void
  readonly endRefresh: (fingerprint: string) => void
  readonly listRefreshIntents: () => readonly RefreshIntent[]
}

/** Prepares the statements on an open database. */
export function makeRefreshIntentRows(database: Database): RefreshIntentRows {
  const begin = database.prepare<null, RefreshIntent>(
    `insert into refresh_intents values ($fingerprint, $accountId, $generation, $startedAtMs)
     on conflict (fingerprint) do update set started_at_ms = excluded.started_at_ms`,
  )
  const end = database.prepare<null, [string]>("delete from refresh_intents where fingerprint = ?")
  const list = database.prepare<RefreshIntent, []>(
    `select fingerprint, account_id as accountId, generation, started_at_ms as startedAtMs
     from refresh_intents order by started_at_ms`,
  )
  return {
    beginRefresh: intent =>
      inDurableTransaction(database, () => {
        begin.run(intent)
      }),
    endRefresh: fingerprint => {
      end.run(fingerprint)
    },
    listRefreshIntents: () => list.all(),
  }
}
