/** Finished requests as rows: written in batches, read by page. Neither prompts nor answers are among their fields. */

import type { Database } from "bun:sqlite"

/** One request. `id` is the time of its end in milliseconds × 4096 + a sequence, so that it orders and dates rows. */
export type RequestRow = {
  readonly id: number
  readonly requestId: string
  readonly keyId: string
  readonly accountId: string | null
  readonly protocol: string
  readonly lane: string
  readonly model: string
  readonly upstreamModel: string | null
  readonly warnings: string | null
  readonly status: number
  readonly errorKind: string | null
  readonly errorCode: string | null
  readonly attempts: number
  readonly firstByteMs: number | null
  readonly totalMs: number
  readonly inputTokens: number
  readonly cachedTokens: number
  readonly outputTokens: number
  readonly reasoningTokens: number
}

/** One failed attempt of a request. */
export type AttemptRow = {
  readonly n: number
  readonly accountId: string
  readonly startedAtMs: number
  readonly totalMs: number
  readonly errorKind: string
  readonly errorCode: string | null
  readonly upstreamStatus: number | null
  readonly effect: string
  readonly next: string
}

/** What only requests have that met trouble; both are JSON. */
export type DetailRow = { readonly errorJson: string | null; readonly decisionsJson: string | null }

/** A request with all that is kept of it. */
export type LogEntry = {
  readonly request: RequestRow
  readonly attempts: readonly AttemptRow[]
  readonly detail: DetailRow | undefined
}

/** Which rows a page shows; the newest come first. */
export type RequestFilter = {
  readonly keyId?: string | undefined
  readonly accountId?: string | undefined
  /** Of the model as it went upstream. */
  readonly model?: string | undefined
  /** `true` = only refused and failed ones. */
  readonly failed?: boolean | undefined
  /** Only those with a smaller id: the page after it. */
  readonly beforeId?: number | undefined
  readonly sinceId?: number | undefined
  readonly limit: number
}

/** Functions over the tables `requests`, `attempts` and `details`. */
export type RequestRows = {
  /** Writes all of them in one transaction, or throws and writes none. */
  readonly writeEntries: (entries: readonly LogEntry[]) => void
  readonly listRequests: (filter: RequestFilter) => readonly RequestRow[]
  /** Rows after an id, ascending. */
  readonly requestsAfter: (id: number, limit: number) => readonly RequestRow[]
  readonly requestAt: (id: number) => RequestRow | undefined
  /** Looks for a request among those that ended from `fromId` on, at most `maxRows` of them. */
  readonly findRequest: (
    requestId: string,
    from: { readonly fromId: number; readonly maxRows: number },
  ) => RequestRow | undefined
  readonly attemptsOf: (id: number) => readonly AttemptRow[]
  readonly detailOf: (id: number) => DetailRow | undefined
  /** 0 without rows. */
  readonly lastRequestId: () => number
}

const COLUMNS = `id, request_id as requestId, key_id as keyId, account_id as accountId, protocol, lane, model,
  upstream_model as upstreamModel, warnings, status, error_kind as errorKind, error_code as errorCode, attempts,
  first_byte_ms as firstByteMs, total_ms as totalMs, input_tokens as inputTokens, cached_tokens as cachedTokens,
  output_tokens as outputTokens, reasoning_tokens as reasoningTokens`

/** Conditions by filter; `$name` parameters are bound only where their condition is used. */
const CONDITIONS = {
  keyId: "key_id = $keyId",
  accountId: "account_id = $accountId",
  model: "upstream_model = $model",
  beforeId: "id < $beforeId",
  sinceId: "id >= $sinceId",
} as const satisfies Partial<Record<keyof RequestFilter, string>>

function isCondition(name: string): name is keyof typeof CONDITIONS {
  return Object.hasOwn(CONDITIONS, name)
}

function makeList(database: Database): RequestRows["listRequests"] {
  return ({ limit, failed, ...filter }) => {
    const given = Object.entries(filter).filter(([name, value]) => value !== undefined && isCondition(name))
    const conditions: string[] = given.map(([name]) => (isCondition(name) ? CONDITIONS[name] : ""))
    if (failed === true) conditions.push("error_kind is not null")
    const where = conditions.length === 0 ? "" : `where ${conditions.join(" and ")}`
    // A handful of texts, one a combination of filters: SQLite prepares them anew in microseconds.
    using statement = database.prepare<RequestRow, Record<string, string | number>[]>(
      `select ${COLUMNS} from requests ${where} order by id desc limit $limit`,
    )
    return statement.all({ ...(Object.fromEntries(given) as Record<string, string | number>), limit })
  }
}

function makeWrite(database: Database): RequestRows["writeEntries"] {
  const request = database.prepare<null, RequestRow>(
    `insert into requests values ($id, $requestId, $keyId, $accountId, $protocol, $lane, $model, $upstreamModel, $warnings,
       $status, $errorKind, $errorCode, $attempts, $firstByteMs, $totalMs, $inputTokens, $cachedTokens, $outputTokens,
       $reasoningTokens)`,
  )
  const attempt = database.prepare<null, AttemptRow & { readonly request: number }>(
    `insert into attempts values ($request, $n, $accountId, $startedAtMs, $totalMs, $errorKind, $errorCode,
       $upstreamStatus, $effect, $next)`,
  )
  const detail = database.prepare<null, DetailRow & { readonly request: number }>(
    "insert into details values ($request, $errorJson, $decisionsJson)",
  )
  return database.transaction((entries: readonly LogEntry[]) => {
    for (const entry of entries) {
      const { id } = entry.request
      request.run(entry.request)
      for (const row of entry.attempts) attempt.run({ ...row, request: id })
      if (entry.detail !== undefined) detail.run({ ...entry.detail, request: id })
    }
  })
}

/** Prepares the statements on an open log. */
export function makeRequestRows(database: Database): RequestRows {
  const after = database.prepare<RequestRow, [number, number]>(
    `select ${COLUMNS} from requests where id > ? order by id limit ?`,
  )
  const at = database.prepare<RequestRow, [number]>(`select ${COLUMNS} from requests where id = ?`)
  // The inner limit bounds the work: there is no index over ids that clients see, because each row would touch a page of
  // its own there.
  const find = database.prepare<{ id: number }, [number, number, string]>(
    `select id from (select id, request_id from requests where id >= ? order by id limit ?) where request_id = ? limit 1`,
  )
  const attempts = database.prepare<AttemptRow, [number]>(
    `select n, account_id as accountId, started_at_ms as startedAtMs, total_ms as totalMs, error_kind as errorKind,
       error_code as errorCode, upstream_status as upstreamStatus, effect, next
     from attempts where request = ? order by n`,
  )
  const detail = database.prepare<DetailRow, [number]>(
    "select error_json as errorJson, decisions_json as decisionsJson from details where request = ?",
  )
  const last = database.prepare<{ id: number | null }, []>("select max(id) as id from requests")
  return {
    writeEntries: makeWrite(database),
    listRequests: makeList(database),
    requestsAfter: (id, limit) => after.all(id, limit),
    requestAt: id => at.get(id) ?? undefined,
    findRequest: (requestId, { fromId, maxRows }) => {
      const found = find.get(fromId, maxRows, requestId)
      return found === null ? undefined : (at.get(found.id) ?? undefined)
    },
    attemptsOf: id => attempts.all(id),
    detailOf: id => detail.get(id) ?? undefined,
    lastRequestId: () => last.get()?.id ?? 0,
  }
}
