/** Snapshot rows of the scheduler's stop signs, written behind and read once at start. */

import type { Database } from "bun:sqlite"

import type { AccountId } from "#core/ids.ts"
import type { Block, BlockCause, BlockScope } from "#core/outcome.ts"

/** A stop sign and the account it stands on. */
export type StoredBlock = Block & { readonly accountId: AccountId }

/** Functions over the table `scheduler_blocks`. */
export type SchedulerBlockRows = {
  /** Replaces everything stored for one account; no blocks = its rows go away. */
  readonly saveBlocks: (accountId: AccountId, blocks: readonly Block[]) => void
  /** Blocks that still stand after `nowMs`. Rows of an unknown kind (written by a newer version) are left out. */
  readonly listBlocks: (nowMs: number) => readonly StoredBlock[]
  /** Returns how many rows had run out before `nowMs` and were deleted. */
  readonly deleteEndedBlocks: (nowMs: number) => number
}

type BlockRow = {
  readonly accountId: AccountId
  readonly scopeType: string
  readonly scopeKey: string
  readonly cause: string
  readonly sinceMs: number
  readonly untilMs: number
  readonly evidenceAtMs: number
  readonly detail: string
}

const CAUSES = {
  quota: true,
  burst: true,
  overload: true,
  "server-error": true,
  network: true,
  proxy: true,
  credential: true,
  health: true,
  forbidden: true,
  billing: true,
  "model-unsupported": true,
  challenge: true,
  workspace: true,
} as const satisfies Record<BlockCause, true>

function isBlockCause(text: string): text is BlockCause {
  return Object.hasOwn(CAUSES, text)
}

function scopeKeyOf(scope: BlockScope): string {
  if (scope.type === "model") return scope.model
  return scope.type === "bucket" ? scope.bucket : ""
}

function readScope(row: BlockRow): BlockScope | undefined {
  switch (row.scopeType) {
    case "account":
    case "egress":
      return { type: row.scopeType }
    case "model":
      return { type: "model", model: row.scopeKey }
    case "bucket":
      return { type: "bucket", bucket: row.scopeKey }
    default:
      return undefined
  }
}

function readBlock(row: BlockRow): StoredBlock | undefined {
  const { accountId, cause, sinceMs, untilMs, evidenceAtMs, detail } = row
  const scope = readScope(row)
  if (scope === undefined || !isBlockCause(cause)) return undefined
  return { accountId, scope, cause, sinceMs, untilMs, evidenceAtMs, detail }
}

/** Prepares the statements on an open database. */
export function makeSchedulerBlockRows(database: Database): SchedulerBlockRows {
  const clear = database.prepare<null, [string]>("delete from scheduler_blocks where account_id = ?")
  const write = database.prepare<null, BlockRow>(
    `insert or replace into scheduler_blocks
     values ($accountId, $scopeType, $scopeKey, $cause, $sinceMs, $untilMs, $evidenceAtMs, $detail)`,
  )
  const list = database.prepare<BlockRow, [number]>(
    `select account_id as accountId, scope_type as scopeType, scope_key as scopeKey, cause, since_ms as sinceMs,
       until_ms as untilMs, evidence_at_ms as evidenceAtMs, detail
     from scheduler_blocks where until_ms > ? order by account_id, until_ms`,
  )
  const deleteEnded = database.prepare<null, [number]>("delete from scheduler_blocks where until_ms <= ?")
  const save = database.transaction((accountId: AccountId, blocks: readonly Block[]) => {
    clear.run(accountId)
    for (const { scope, ...block } of blocks) {
      write.run({ accountId, scopeType: scope.type, scopeKey: scopeKeyOf(scope), ...block })
    }
  })
  return {
    saveBlocks: (accountId, blocks) => save(accountId, blocks),
    listBlocks: nowMs =>
      list
        .all(nowMs)
        .map(readBlock)
        .filter(block => block !== undefined),
    deleteEndedBlocks: nowMs => deleteEnded.run(nowMs).changes,
  }
}
