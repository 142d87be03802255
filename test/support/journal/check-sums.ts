/** Compares the sums of a request log with the rows they are made from, by SQL of its own. */

import { Database } from "bun:sqlite"

type Sums = Readonly<Record<string, number>>

const RAW = `count(*) as requests, sum(error_kind is not null and error_kind <> 'cancelled') as errors,
  sum(input_tokens) as input, sum(cached_tokens) as cached, sum(output_tokens) as output,
  sum(reasoning_tokens) as reasoning, sum(total_ms) as total, sum(max(attempts - 1, 0)) as retries`
const ROLLED = `sum(requests) as requests, sum(errors) as errors, sum(input_tokens) as input, sum(cached_tokens) as cached,
  sum(output_tokens) as output, sum(reasoning_tokens) as reasoning, sum(total_ms) as total, sum(retries) as retries`

/** What rows and sums say, by span and name; equal when nothing was lost or counted twice. */
export function sumsOf(path: string): { readonly raw: readonly Sums[]; readonly rolled: readonly Sums[] }[] {
  using database = new Database(path, { readonly: true })
  const kinds = [
    ["minute", "all", "''", 60_000],
    ["hour", "all", "''", 3_600_000],
    ["hour", "key", "key_id", 3_600_000],
    ["day", "key", "key_id", 86_400_000],
    ["hour", "account", "account_id", 3_600_000],
    ["day", "account", "account_id", 86_400_000],
  ] as const
  return kinds.map(([grain, dimension, column, spanMs]) => ({
    raw: database
      .query<Sums, []>(
        `select ${column} as name, (id / 4096 / ${spanMs}) * ${spanMs} as span, ${RAW} from requests group by 1, 2 order by 1, 2`,
      )
      .all(),
    rolled: database
      .query<Sums, [string, string]>(
        `select name, from_ms as span, ${ROLLED} from rolls where grain = ? and dimension = ? group by 1, 2 order by 1, 2`,
      )
      .all(grain, dimension),
  }))
}
