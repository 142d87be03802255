/** What load generator and upstream say to each other through a gateway: what to answer, and when an event was written. */

import type { Buffer } from "node:buffer"

/** What an answer consists of; it stands in the prompt, which every dialect carries unchanged. */
export type AnswerWish = {
  readonly events: number
  /** Between two events; 0 = the whole answer in one write. */
  readonly everyMs: number
  /** Further text of each event. */
  readonly paddingBytes: number
}

/** The prompt that asks for an answer. `name` keeps conversations apart; it always has the same length. */
export function wishText({ events, everyMs, paddingBytes }: AnswerWish, name: number): string {
  return `[[bench ${events} ${everyMs} ${paddingBytes} ${nameText(name)}]]`
}

/** The text of a conversation's name, of the same length for each. */
export function nameText(name: number): string {
  return String(1_000_000_000 + name)
}

/** Finds the wish in a request body; undefined when there is none. */
export function readWish(body: Buffer): AnswerWish | undefined {
  const start = body.indexOf("[[bench ")
  if (start === -1) return undefined
  const [events, everyMs, paddingBytes] = body
    .toString("latin1", start + 8, start + 60)
    .split(" ")
    .map(Number)
  if (events === undefined || everyMs === undefined || paddingBytes === undefined) return undefined
  return { events, everyMs, paddingBytes }
}

/** Each event's text begins with this and a moment of {@link STAMP_DIGITS} digits, in microseconds. */
export const STAMP_MARK = "~@"
export const STAMP_DIGITS = 16

/** Stands where nobody takes the time. */
export const NO_STAMP = "0".repeat(STAMP_DIGITS)

/** The machine's time in microseconds: the one clock that two processes share. */
export function nowMicros(): number {
  return Math.round((performance.timeOrigin + performance.now()) * 1000)
}

const ZERO = 48

/** Writes a moment into bytes. */
export function putStamp(bytes: Buffer, at: number, micros: number): void {
  let rest = micros
  for (let digit = at + STAMP_DIGITS - 1; digit >= at; digit -= 1) {
    const next = Math.floor(rest / 10)
    bytes[digit] = ZERO + (rest - next * 10)
    rest = next
  }
}

/** Reads a moment out of bytes. */
export function takeStamp(bytes: Buffer, at: number): number {
  let micros = 0
  for (let digit = at; digit < at + STAMP_DIGITS; digit += 1) micros = micros * 10 + ((bytes[digit] ?? ZERO) - ZERO)
  return micros
}
