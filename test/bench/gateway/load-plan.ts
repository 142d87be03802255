/** What the load generator is told and what it reports, as messages between two processes. */

/** One request as it goes over the wire; `nameText(0)` in it is replaced by each conversation's own name. */
export type WireRequest = { readonly text: string; readonly events: number }

/** A load. */
export type LoadPlan = {
  readonly port: number
  /** Connections take them in turns. */
  readonly requests: readonly WireRequest[]
  readonly connections: number
  /** Time over which the connections are opened. */
  readonly rampMs: number
  /** Each connection sends again as soon as it has its answer, until the load is finished. */
  readonly repeats: boolean
  /** Sent beside the load during the window, each on an idle connection, one at a time every so often. */
  readonly probe?: { readonly request: WireRequest; readonly everyMs: number }
}

/** What the generator can be told. */
export type LoadOrder =
  | { readonly do: "start"; readonly plan: LoadPlan }
  | { readonly do: "open-window" }
  | { readonly do: "close-window" }
  | { readonly do: "finish" }

/** Milliseconds; NaN (null on the way) when nothing was measured. */
export type Spread = { readonly count: number; readonly p50Ms: number; readonly p99Ms: number }

/** What happened between the opening and the closing of the window. */
export type WindowReport = {
  readonly seconds: number
  readonly events: number
  readonly answers: number
  readonly bytes: number
  /** From writing a request to the first event of its answer. */
  readonly firstEvent: Spread
  /** From the upstream's write to here. */
  readonly delivery: Spread
  /** From writing a probe to its first byte. */
  readonly probe: Spread
  /** Lateness of this generator's own timer: what it cannot tell from the gateway's. */
  readonly ownLag: Spread
  /** Connections that have had an event in the window or before, and whose answer goes on. */
  readonly streaming: number
}

/** The end of a load. */
export type LoadReport = {
  readonly answers: number
  readonly failures: number
  readonly firstFailure: string
}

/** A spread of times in milliseconds; sorts them in place. */
export function spreadOf(times: number[]): Spread {
  times.sort((a, b) => a - b)
  const at = (part: number) => times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? Number.NaN
  return { count: times.length, p50Ms: at(0.5), p99Ms: at(0.99) }
}
