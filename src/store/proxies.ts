/** Rows of the operators' proxies; their addresses hold passwords and lie sealed among `sealed_values`. */

import type { Database } from "bun:sqlite"

import { inDurableTransaction } from "./core-database.ts"
import { prepareSealedWrite, type SealedValueRow } from "./sealed-values.ts"

/** How a proxy was found to be. `enabled` elsewhere is the operator's word; this is what checks have shown. */
export type ProxyState = "unknown" | "up" | "down"

/** One proxy without its address. `enabled` is 0 or 1, `maxConcurrent` 0 = no limit, times are in milliseconds. */
export type ProxyRow = {
  readonly proxyId: string
  readonly name: string
  readonly region: string | null
  readonly enabled: number
  readonly maxConcurrent: number
  readonly state: ProxyState
  readonly failStreak: number
  readonly successStreak: number
  readonly downSinceMs: number | null
  readonly exitAddress: string | null
  readonly latencyMs: number | null
  /** Why the last check failed, without secrets. */
  readonly failure: string | null
  readonly checkedAtMs: number | null
  readonly createdAtMs: number
}

/** Functions over the table `proxies`. */
export type ProxyRows = {
  readonly listProxies: () => readonly ProxyRow[]
  /** Proxies with the addresses that are new, all or none, on the disk when this returns. */
  readonly putProxies: (rows: readonly ProxyRow[], sealed: readonly SealedValueRow[]) => void
  /** What checks have found; not waited for. */
  readonly noteProxies: (rows: readonly ProxyRow[]) => void
  /** With their addresses: `sealedName` names the value of a proxy. On the disk when this returns. */
  readonly deleteProxies: (ids: readonly string[], sealedName: (id: string) => string) => void
}

const COLUMNS = `proxy_id as proxyId, name, region, enabled, max_concurrent as maxConcurrent, state,
  fail_streak as failStreak, success_streak as successStreak, down_since_ms as downSinceMs,
  exit_address as exitAddress, latency_ms as latencyMs, failure, checked_at_ms as checkedAtMs,
  created_at_ms as createdAtMs`

/** Prepares the statements on an open database. */
export function makeProxyRows(database: Database): ProxyRows {
  const list = database.prepare<ProxyRow, []>(`select ${COLUMNS} from proxies order by rowid`)
  const write = database.prepare<null, ProxyRow>(
    `insert into proxies values ($proxyId, $name, $region, $enabled, $maxConcurrent, $state, $failStreak,
       $successStreak, $downSinceMs, $exitAddress, $latencyMs, $failure, $checkedAtMs, $createdAtMs)
     on conflict (proxy_id) do update set name = excluded.name, region = excluded.region, enabled = excluded.enabled,
       max_concurrent = excluded.max_concurrent, state = excluded.state, fail_streak = excluded.fail_streak,
       success_streak = excluded.success_streak, down_since_ms = excluded.down_since_ms,
       exit_address = excluded.exit_address, latency_ms = excluded.latency_ms, failure = excluded.failure,
       checked_at_ms = excluded.checked_at_ms`,
  )
  const writeSealed = prepareSealedWrite(database)
  const remove = database.prepare<null, [string]>("delete from proxies where proxy_id = ?")
  const removeSealed = database.prepare<null, [string]>("delete from sealed_values where name = ?")
  const note = database.transaction((rows: readonly ProxyRow[]) => {
    for (const row of rows) write.run(row)
  })
  return {
    listProxies: () => list.all(),
    putProxies: (rows, sealed) =>
      inDurableTransaction(database, () => {
        for (const row of rows) write.run(row)
        for (const value of sealed) writeSealed.run(value)
      }),
    noteProxies: rows => note.immediate(rows),
    deleteProxies: (ids, sealedName) =>
      inDurableTransaction(database, () => {
        for (const id of ids) {
          remove.run(id)
          removeSealed.run(sealedName(id))
        }
      }),
  }
}
