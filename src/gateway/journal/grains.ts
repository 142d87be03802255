/** Adds requests up by span of time: for all, for each client key and for each account, by model where that stays small. */

import type { RequestRow } from "#store/log/request-rows.ts"
import type { RollRow, RollSums } from "#store/log/roll-rows.ts"

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** Lengths of the spans. Days are those of UTC. */
export const SPAN_MS = { minute: MINUTE_MS, hour: HOUR_MS, day: DAY_MS } as const

/** One kind of sums, and how long it is kept; undefined = for ever. */
export type Grain = {
  readonly grain: keyof typeof SPAN_MS
  readonly dimension: "all" | "key" | "account"
  readonly byModel: boolean
  readonly keepMs: number | undefined
}

/** Every kind. Cells must stay far fewer than requests, which is why not everything is by hour and model. */
export const GRAINS: readonly Grain[] = [
  { grain: "minute", dimension: "all", byModel: false, keepMs: 2 * DAY_MS },
  { grain: "hour", dimension: "all", byModel: true, keepMs: 400 * DAY_MS },
  { grain: "hour", dimension: "key", byModel: false, keepMs: 60 * DAY_MS },
  { grain: "day", dimension: "key", byModel: true, keepMs: undefined },
  { grain: "hour", dimension: "account", byModel: false, keepMs: 14 * DAY_MS },
  { grain: "day", dimension: "account", byModel: true, keepMs: 400 * DAY_MS },
]

/** The part of a request that counts. */
export type Countable = Omit<RequestRow, "id" | "requestId"> & { readonly endedAtMs: number }

type Cell = { -readonly [Name in keyof RollRow]: RollRow[Name] }

/** Sums that have not been written yet. */
export type Cells = {
  readonly add: (request: Countable) => void
  readonly size: () => number
  readonly rows: () => readonly RollRow[]
  readonly clear: () => void
}

/** Makes sums of nothing. */
export function makeCells(): Cells {
  const cells = new Map<string, Cell>()
  return {
    add: request => {
      for (const grain of GRAINS) addTo(cellOf(cells, grain, request), request)
    },
    size: () => cells.size,
    rows: () => [...cells.values()],
    clear: () => cells.clear(),
  }
}

function nameOf({ dimension }: Grain, { keyId, accountId }: Countable): string {
  if (dimension === "all") return ""
  return dimension === "key" ? keyId : (accountId ?? "")
}

function cellOf(cells: Map<string, Cell>, kind: Grain, request: Countable): Cell {
  const { grain, dimension, byModel } = kind
  const name = nameOf(kind, request)
  const fromMs = Math.floor(request.endedAtMs / SPAN_MS[grain]) * SPAN_MS[grain]
  // As it went upstream: what clients ask for by names of their own invention must not fill the table.
  const model = byModel ? (request.upstreamModel ?? "") : ""
  const key = `${grain}\n${dimension}\n${name}\n${fromMs}\n${model}`
  const known = cells.get(key)
  if (known !== undefined) return known
  const cell = { grain, dimension, name, fromMs, model, ...ZERO }
  cells.set(key, cell)
  return cell
}

const ZERO: RollSums = {
  requests: 0,
  errors: 0,
  cancelled: 0,
  retries: 0,
  inputTokens: 0,
  cachedTokens: 0,
  outputTokens: 0,
  reasoningTokens: 0,
  firstBytes: 0,
  firstByteMs: 0,
  totalMs: 0,
}

/** A client that goes away is no error. */
function addTo(cell: Cell, request: Countable): void {
  const isCancelled = request.errorKind === "cancelled"
  cell.requests += 1
  if (request.errorKind !== null && !isCancelled) cell.errors += 1
  if (isCancelled) cell.cancelled += 1
  cell.retries += Math.max(0, request.attempts - 1)
  cell.inputTokens += request.inputTokens
  cell.cachedTokens += request.cachedTokens
  cell.outputTokens += request.outputTokens
  cell.reasoningTokens += request.reasoningTokens
  if (request.firstByteMs !== null) {
    cell.firstBytes += 1
    cell.firstByteMs += request.firstByteMs
  }
  cell.totalMs += request.totalMs
}
