/** One request of the day: what its client asked, what it costs the model, and what became of it. */

import type { Model } from "./calendar.ts"

/** What the model needs for it; stands in no request, the upstream looks it up by its number. */
export type Work = {
  readonly inputTokens: number
  /** Of the input, what the conversation has sent or got before. */
  readonly prefixTokens: number
  readonly outputTokens: number
  /** From the headers to the first output, and from there to the end, of an account of ordinary speed. */
  readonly thinkMs: number
  readonly writeMs: number
}

/** One request. Its client, the upstream and the oracle each write down their part. */
export type Asked = {
  readonly number: number
  /** Undefined = it stands alone. */
  readonly conversation: number | undefined
  readonly model: Model
  readonly work: Work
  readonly startedAtMs: number
  /** The client leaves after this time; undefined = it stays. */
  readonly leavesAfterMs: number | undefined
  /** Somebody could have served it: the oracle's word. */
  isServiceable: boolean
  /** The upstream broke its answer off after the first output: nobody can mend that. */
  wasCut: boolean
  dispatches: number
  firstDispatchAtMs: number | undefined
  outcome: "running" | "served" | "left" | "failed"
  /** Code of the failure. */
  code: string
  servedBy: number | undefined
  cachedTokens: number
  endedAtMs: number
}

const NUMBER = /^request (\d+)\b/

/** The text by which the upstream knows a request; whatever is put around it, it stays the last thing the user said. */
export function textOf(number: number): string {
  return `request ${number}`
}

/** The number in a text, undefined when there is none. */
export function numberIn(text: string): number | undefined {
  const digits = NUMBER.exec(text)?.[1]
  return digits === undefined ? undefined : Number(digits)
}
