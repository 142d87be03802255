/** Keeps the last requests as they came in, for assertions. */

import type { Json } from "#core/json.ts"

/** One received request. Secrets are kept: they are simulated. */
export type RecordedRequest = {
  readonly number: number
  readonly method: string
  readonly path: string
  readonly query: string
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  /** Parsed JSON or form fields; undefined when there was none or it could not be read. */
  readonly body?: Json
  /** Name of the account the credential belongs to. */
  readonly account?: string
  /** Number of the WebSocket a turn came on; `method` is `WS` then. */
  readonly socket?: number
  /** Status of the answer; missing while the request is being handled. */
  readonly status?: number
}

/** A bounded list, oldest first. */
export type Recorder = {
  /** Returns the number under which the request can be completed. */
  readonly open: (request: Omit<RecordedRequest, "number">) => number
  readonly amend: (number: number, facts: Partial<RecordedRequest>) => void
  readonly list: (filter?: RecordFilter) => readonly RecordedRequest[]
  readonly clear: () => void
}

/** Which requests to list; `path` matches the end of the path. */
export type RecordFilter = { readonly path?: string; readonly account?: string }

/** Makes a recorder that keeps `limit` requests. */
export function makeRecorder(parts: { readonly limit: number }): Recorder {
  const records = new Map<number, RecordedRequest>()
  let count = 0
  return {
    open: request => {
      count += 1
      records.set(count, { number: count, ...request })
      if (records.size > parts.limit) records.delete(count - parts.limit)
      return count
    },
    amend: (number, facts) => {
      const record = records.get(number)
      if (record !== undefined) records.set(number, { ...record, ...facts })
    },
    list: (filter = {}) =>
      [...records.values()].filter(
        record =>
          (filter.path === undefined || record.path.endsWith(filter.path)) &&
          (filter.account === undefined || record.account === filter.account),
      ),
    clear: () => records.clear(),
  }
}
