/** Times and tokens of an answer: nanoseconds and counts, all of them whole numbers. */

import type { Clock } from "#core/clock.ts"
import type { Usage } from "#core/events.ts"

const NANOSECONDS = 1_000_000

/** Measures one answer. */
export type Stopwatch = {
  /** Something has come from the model. */
  readonly mark: () => void
  /** The members as JSON text, each with a comma before it. */
  readonly metrics: (usage: Usage | undefined) => string
}

/** Starts at `startedAtMs`, when the request came in. */
export function makeStopwatch(clock: Clock, startedAtMs: number): Stopwatch {
  let firstMs: number | undefined
  const sinceStartMs = () => Math.max(0, Math.round(clock() - startedAtMs))
  return {
    mark: () => {
      firstMs ??= sinceStartMs()
    },
    metrics: usage => {
      const totalMs = sinceStartMs()
      const promptMs = Math.min(firstMs ?? totalMs, totalMs)
      // Clients divide by it to show a speed.
      const evalNs = Math.max(1, (totalMs - promptMs) * NANOSECONDS)
      return (
        `,"total_duration":${totalMs * NANOSECONDS},"load_duration":0` +
        (usage === undefined ? "" : `,"prompt_eval_count":${usage.inputTokens}`) +
        `,"prompt_eval_duration":${promptMs * NANOSECONDS}` +
        (usage === undefined ? "" : `,"eval_count":${usage.outputTokens}`) +
        `,"eval_duration":${evalNs}`
      )
    },
  }
}
