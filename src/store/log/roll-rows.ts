/** Sums over requests by span of time, and how far the requests are in them. */

import type { Database } from "bun:sqlite"

/** What is added up. */
export type RollSums = {
  readonly requests: number
  readonly errors: number
  readonly cancelled: number
  readonly retries: number
  readonly inputTokens: number
  readonly cachedTokens: number
  readonly outputTokens: number
  readonly reasoningTokens: number
  /** Requests that got as far as a first byte, and their times to it, added up. */
  readonly firstBytes: number
  readonly firstByteMs: number
  readonly totalMs: number
}

/** One sum and what it is of. `model` is empty where sums are not by model. */
export type RollRow = RollSums & {
  readonly grain: string
  readonly dimension: string
  readonly name: string
  readonly fromMs: number
  readonly model: string
}

/** Which sums, over what, and how they are put together. */
export type RollQuery = {
  readonly grain: string
  readonly dimension: string
  readonly sinceMs: number
  readonly untilMs: number
  /** Length of the spans of the answer: the grain's own, or a multiple of it. */
  readonly spanMs: number
  readonly by: "name" | "model"
  /** One name, or one model. */
  readonly only?: string | undefined
}

/** A sum of a report. */
export type UsageRow = RollSums & { readonly name: string; readonly fromMs: number }

/** Functions over the table `rolls`. */
export type RollRows = {
  /** Adds to what stands there and moves the watermark, in one transaction. */
  readonly addRolls: (rows: readonly RollRow[], watermark: number) => void
  /** Id of the last request that is in the sums; 0 = none. */
  readonly readWatermark: () => number
  readonly readUsage: (query: RollQuery) => readonly UsageRow[]
  /** Deletes sums of one kind that began before `beforeMs`; returns how many. */
  readonly deleteRolls: (kind: Pick<RollRow, "grain" | "dimension">, beforeMs: number) => number
}

const SUMS = {
  requests: "requests",
  errors: "errors",
  cancelled: "cancelled",
  retries: "retries",
  input_tokens: "inputTokens",
  cached_tokens: "cachedTokens",
  output_tokens: "outputTokens",
  reasoning_tokens: "reasoningTokens",
  first_bytes: "firstBytes",
  first_byte_ms: "firstByteMs",
  total_ms: "totalMs",
} as const satisfies Record<string, keyof RollSums>

const COLUMNS = Object.keys(SUMS)

type UsageParameters = {
  readonly grain: string
  readonly dimension: string
  readonly sinceMs: number
  readonly untilMs: number
  readonly spanMs: number
  readonly only: string | null
}

function usageText(by: RollQuery["by"]): string {
  const sums = Object.entries(SUMS).map(([column, name]) => `sum(${column}) as ${name}`)
  return `select ${by} as name, (from_ms / $spanMs) * $spanMs as fromMs, ${sums.join(", ")} from rolls
    where grain = $grain and dimension = $dimension and from_ms >= $sinceMs and from_ms < $untilMs
      and ($only is null or ${by} = $only)
    group by 2, 1 order by 2, 1`
}

/** Prepares the statements on an open log. */
export function makeRollRows(database: Database): RollRows {
  const add = database.prepare<null, RollRow>(
    `insert into rolls (grain, dimension, name, from_ms, model, ${COLUMNS.join(", ")})
     values ($grain, $dimension, $name, $fromMs, $model, ${Object.values(SUMS).map(name => `$${name}`)})
     on conflict do update set ${COLUMNS.map(column => `${column} = ${column} + excluded.${column}`)}`,
  )
  const write = database.prepare<null, [string]>("insert or replace into meta values ('watermark', ?)")
  const read = database.prepare<{ value: string }, []>("select value from meta where key = 'watermark'")
  const usage = {
    name: database.prepare<UsageRow, UsageParameters>(usageText("name")),
    model: database.prepare<UsageRow, UsageParameters>(usageText("model")),
  }
  const drop = database.prepare<null, [string, string, number]>(
    "delete from rolls where grain = ? and dimension = ? and from_ms < ?",
  )
  return {
    addRolls: database.transaction((rows: readonly RollRow[], watermark: number) => {
      for (const row of rows) add.run(row)
      write.run(String(watermark))
    }),
    readWatermark: () => Number(read.get()?.value ?? 0),
    readUsage: ({ by, only = null, ...query }) => usage[by].all({ ...query, only }),
    deleteRolls: ({ grain, dimension }, beforeMs) => drop.run(grain, dimension, beforeMs).changes,
  }
}
